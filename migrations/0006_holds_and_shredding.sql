-- How long a recording can be opened: legal holds, which keep it, and the decision to destroy its keys, which ends it.

create table legal_hold (
    id          uuid primary key,
    session     uuid not null references session,
    reason      text not null,
    placed_by   uuid not null references person,
    placed_at   timestamptz not null,
    lifted_by   uuid references person,
    lifted_at   timestamptz,
    lift_reason text,
    check ((lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (lift_reason is null))
);
create index legal_hold_session on legal_hold (session, placed_at);

create table shredding (
    session   uuid primary key references session,
    at        timestamptz not null,
    -- Null: its time to be kept was over.
    by_person uuid references person,
    reason    text not null,
    -- The envelope files that were there, by name, with their SHA-256.
    envelopes jsonb not null,
    -- When they were gone.
    done_at   timestamptz
);
create index shredding_to_do on shredding (at) where done_at is null;

alter table unmask drop constraint unmask_state_check;
alter table unmask add constraint unmask_state_check check (state in ('pending', 'approved', 'denied', 'withdrawn', 'shredded'));

-- What was decided stays as it was written; a hold can be lifted, and a decision carried out.
grant select, insert on legal_hold, shredding to anteroom_app;
grant update (lifted_by, lifted_at, lift_reason) on legal_hold to anteroom_app;
grant update (done_at) on shredding to anteroom_app;
