-- The whole frame. Forward only: a later change is a later file.
--
-- Two roles: whoever runs this owns the tables; the program itself connects as anteroom_app, which can add to the
-- audit log and can't change it (the grants are at the end).

create table person (
    id           uuid primary key,
    handle       text not null unique,
    display_name text not null,
    roles        text[] not null,
    suspended_at timestamptz,
    created_at   timestamptz not null
);

-- Only hashes of tokens are kept, here and in web_session: who reads the database can't use them.
create table enrol_link (
    token_sha256 bytea primary key check (length(token_sha256) = 32),
    person       uuid not null references person,
    expires_at   timestamptz not null,
    used_at      timestamptz,
    created_at   timestamptz not null
);
create index enrol_link_person on enrol_link (person);

create table passkey (
    id            uuid primary key,
    person        uuid not null references person,
    -- Unique over everybody: one passkey is never two people (THREATS 14).
    credential_id bytea not null unique,
    -- As webauthn-rs-core writes it: public key, counter, flags.
    credential    jsonb not null,
    label         text not null,
    created_at    timestamptz not null,
    last_used_at  timestamptz
);
create index passkey_person on passkey (person);

-- A WebAuthn exchange under way. Used once: taking it is deleting it.
create table ceremony (
    id         uuid primary key,
    kind       text not null check (kind in ('enrol', 'add_passkey', 'login', 'review', 'step_up', 'ssh_key')),
    person     uuid references person,
    subject    jsonb not null,
    state      jsonb not null,
    content    text,
    expires_at timestamptz not null
);
create index ceremony_expires_at on ceremony (expires_at);

create table web_session (
    token_sha256 bytea primary key check (length(token_sha256) = 32),
    person       uuid not null references person,
    source       text not null,
    created_at   timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at   timestamptz not null
);
create index web_session_person on web_session (person);

-- What passkeys signed, with everything needed to check it later. Never changed.
create table evidence (
    id         uuid primary key,
    person     uuid not null references person,
    -- Canonical JSON of the assertion evidence, and its SHA-256 as the audit log names it.
    body       text not null,
    sha256     bytea not null check (length(sha256) = 32),
    created_at timestamptz not null
);

create table ssh_key (
    id          uuid primary key,
    person      uuid not null references person,
    fingerprint text not null unique,
    public_key  text not null,
    label       text not null,
    evidence    uuid not null references evidence,
    added_at    timestamptz not null
);
create index ssh_key_person on ssh_key (person);

create table target (
    id               uuid primary key,
    name             text not null unique,
    kind             text not null check (kind in ('server', 'medical_device')),
    host             text not null,
    port             integer not null check (port between 1 and 65535),
    description      text not null,
    pinned_host_keys text[] not null,
    created_at       timestamptz not null
);

create table account (
    id         uuid primary key,
    target     uuid not null references target,
    name       text not null,
    created_at timestamptz not null,
    unique (target, name)
);

-- AES-256-GCM under a key that is never here; target, account and key version are authenticated with it.
create table credential (
    account     uuid primary key references account,
    kind        text not null check (kind in ('password', 'private_key')),
    key_version integer not null,
    nonce       bytea not null check (length(nonce) = 12),
    sealed      bytea not null,
    stored_at   timestamptz not null
);

create table access_request (
    id           uuid primary key,
    requester    uuid not null references person,
    target       uuid not null references target,
    account      uuid not null references account,
    reason       text not null,
    starts_at    timestamptz not null,
    ends_at      timestamptz not null check (ends_at > starts_at),
    capabilities text[] not null,
    state        text not null check (state in ('pending', 'approved', 'denied', 'withdrawn')),
    source       text not null,
    created_at   timestamptz not null
);
create index access_request_requester on access_request (requester, created_at desc);
create index access_request_state on access_request (state, created_at desc);

create table approval (
    id        uuid primary key,
    request   uuid not null unique references access_request,
    requester uuid not null references person,
    approver  uuid not null references person check (approver <> requester),
    verdict   text not null check (verdict in ('approve', 'deny')),
    evidence  uuid not null references evidence,
    at        timestamptz not null
);

create table access_grant (
    id           uuid primary key,
    -- One request, one grant, whatever happens at the same time.
    request      uuid not null unique references access_request,
    person       uuid not null references person,
    target       uuid not null references target,
    account      uuid not null references account,
    capabilities text[] not null,
    not_before   timestamptz not null,
    not_after    timestamptz not null check (not_after > not_before),
    revoked_at   timestamptz,
    revoked_by   uuid references person
);
create index access_grant_person on access_grant (person, not_after desc);

create table step_up (
    id             uuid primary key,
    person         uuid not null references person,
    ssh_session_id bytea not null,
    fingerprint    text not null,
    target_name    text not null,
    account        text not null,
    source         text not null,
    number         text not null,
    state          text not null check (state in ('pending', 'passed', 'refused')),
    asked_at       timestamptz not null,
    expires_at     timestamptz not null,
    answered_at    timestamptz,
    evidence       uuid references evidence,
    -- The session it opened: it opens one.
    used_by        uuid
);
create index step_up_person on step_up (person, asked_at desc);

create table session (
    id                      uuid primary key,
    access_grant            uuid not null references access_grant,
    person                  uuid not null references person,
    target                  uuid not null references target,
    account                 uuid not null references account,
    source                  text not null,
    gateway                 text not null,
    recording_header_sha256 bytea not null check (length(recording_header_sha256) = 32),
    started_at              timestamptz not null,
    ended_at                timestamptz,
    end_reason              text,
    recording               text not null check (recording in ('recording', 'complete', 'torn')),
    mask_incomplete         boolean not null,
    mask_counts             jsonb not null,
    manifest                jsonb,
    manifest_sha256         bytea check (length(manifest_sha256) = 32),
    bytes                   bigint not null
);
create index session_person on session (person, started_at desc);
create index session_started_at on session (started_at desc);
create index session_live on session (started_at) where ended_at is null;

-- The log. Free of ePHI by construction: ids, names, counts and hashes.
create table audit_entry (
    id      uuid primary key,
    -- Order of arrival; the place in the tree is in audit_leaf.
    arrival bigint generated always as identity,
    at      timestamptz not null,
    kind    text not null,
    -- Everybody it is about, the one who did it included.
    people  uuid[] not null,
    session uuid,
    target  uuid,
    -- Canonical JSON: exactly the bytes that are hashed into the tree.
    record  text not null
);
create index audit_entry_at on audit_entry (at desc);
create index audit_entry_kind on audit_entry (kind, at desc);
create index audit_entry_session on audit_entry (session) where session is not null;
create index audit_entry_people on audit_entry using gin (people);

-- Entries that have no place in the tree yet. Writers only add, one sequencer takes: nobody waits for the tree.
create table audit_waiting (
    entry uuid primary key references audit_entry
);

create table audit_leaf (
    index bigint primary key check (index >= 0),
    entry uuid not null unique references audit_entry,
    -- SHA-256(0x00, record), RFC 6962 section 2.1.
    hash  bytea not null check (length(hash) = 32)
);

create table audit_checkpoint (
    size  bigint primary key check (size > 0),
    root  bytea not null check (length(root) = 32),
    -- Roots of the perfect subtrees, largest first: what the next leaves are added to.
    peaks bytea not null,
    -- Signed note (C2SP tlog-checkpoint).
    note  text not null,
    at    timestamptz not null
);

-- Who may do what.
do $$
begin
    if not exists (select from pg_roles where rolname = 'anteroom_app') then
        begin
            create role anteroom_app login;
        exception
            -- Somebody else made it at this moment.
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise exception 'the role anteroom_app does not exist and may not be made here'
                    using hint = 'as a Postgres administrator: create role anteroom_app login';
        end;
    end if;
    execute format('grant connect on database %I to anteroom_app', current_database());
    if to_regclass('_sqlx_migrations') is not null then
        grant select on _sqlx_migrations to anteroom_app;
    end if;
end
$$;

grant usage on schema public to anteroom_app;
-- Records of what was decided are added and read.
grant select, insert on audit_entry, audit_leaf, audit_checkpoint, evidence, approval to anteroom_app;
-- A waiting entry is taken from the queue, the entry itself stays.
grant select, insert, delete on audit_waiting to anteroom_app;
-- State changes.
grant select, insert, update on person, passkey, target, account, credential, access_request, access_grant, step_up, session to anteroom_app;
grant select, insert, update, delete on enrol_link, ceremony, web_session, ssh_key to anteroom_app;
