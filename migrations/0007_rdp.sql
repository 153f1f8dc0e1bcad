-- RDP: targets with pinned certificates, tickets that open one session each, sessions that are paused.

alter table target drop constraint target_protocol_check;
alter table target
    add constraint target_protocol_check check (protocol in ('ssh', 'telnet', 'rdp')),
    -- SHA-256 of the DER form, as the program writes it.
    add column pinned_certificates text[] not null default '{}',
    add check (protocol = 'rdp' or pinned_certificates = '{}');

-- The same as before, with the new column: a view's columns are those of the day it was made.
drop view target_row;
create view target_row as
    select t.*,
           array(select a.id from account a where a.target = t.id order by a.name) as account_ids,
           array(select a.name from account a where a.target = t.id order by a.name) as account_names,
           r.id as via_target, r.name as via_target_name, v.name as via_account
    from target t left join account v on v.id = t.via left join target r on r.id = v.target;
grant select on target_row to anteroom_app;

-- Gone when its session cannot be opened again; the audit log remembers.
create table rdp_ticket (
    id            uuid primary key,
    -- What the person types as user name: public.
    name          text not null unique check (name ~ '^t-[a-z2-9]{10}$'),
    person        uuid not null references person,
    access_grant  uuid not null references access_grant,
    -- One passkey confirmation makes one ticket.
    step_up       uuid not null unique references step_up,
    source        text not null,
    -- The secret, sealed as credentials are: NTLM needs its plain form.
    key_version   integer not null,
    nonce         bytea not null check (length(nonce) = 12),
    sealed        bytea not null,
    issued_at     timestamptz not null,
    expires_at    timestamptz not null check (expires_at > issued_at),
    failures      integer not null default 0 check (failures >= 0),
    voided_at     timestamptz,
    -- Once it is spent; the row of the session comes a moment later.
    session       uuid unique,
    -- The session's client went away: the ticket opens it again until then.
    reopens_until timestamptz,
    check (reopens_until is null or session is not null)
);
create index rdp_ticket_person on rdp_ticket (person, expires_at desc);

alter table session
    -- Whose order holds it now.
    add column paused_by uuid references person;

grant select, insert, update, delete on rdp_ticket to anteroom_app;
