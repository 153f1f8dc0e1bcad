-- Seeing an interval of a recording as it was: who asked, which key-holders answered, and each opening. What was signed is in evidence.

create table unmask (
    id         uuid primary key,
    session    uuid not null references session,
    requester  uuid not null references person,
    reason     text not null,
    -- Microseconds since the session's start.
    from_us    bigint not null check (from_us >= 0),
    until_us   bigint not null check (until_us > from_us),
    state      text not null check (state in ('pending', 'approved', 'denied', 'withdrawn')),
    created_at timestamptz not null,
    -- Nothing is approved or opened from here on.
    expires_at timestamptz not null check (expires_at > created_at),
    -- For the answers' foreign key.
    unique (id, requester)
);
create index unmask_session on unmask (session);
create index unmask_requester on unmask (requester, created_at desc);
create index unmask_state on unmask (state, created_at desc);

create table unmask_answer (
    id        uuid primary key,
    unmask    uuid not null,
    requester uuid not null,
    -- Two eyes more, whatever the program above does.
    holder    uuid not null references person check (holder <> requester),
    verdict   text not null check (verdict in ('approve', 'deny')),
    evidence  uuid not null references evidence,
    at        timestamptz not null,
    unique (unmask, holder),
    foreign key (unmask, requester) references unmask (id, requester)
);

create table unmask_opening (
    id       uuid primary key,
    unmask   uuid not null references unmask,
    evidence uuid not null references evidence,
    at       timestamptz not null
);
create index unmask_opening_unmask on unmask_opening (unmask);

alter table ceremony drop constraint ceremony_kind_check;
alter table ceremony add check (
    kind in ('enrol', 'add_passkey', 'login', 'review', 'step_up', 'ssh_key', 'certificate', 'unmask_review', 'unmask_open')
);

-- What was signed is added and read.
grant select, insert on unmask_answer, unmask_opening to anteroom_app;
grant select, insert, update on unmask to anteroom_app;
