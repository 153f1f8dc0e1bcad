-- SSH in depth: targets that speak telnet, stand behind relays or have several addresses; credentials that are answers to
-- prompts or certificates of ours; certificate authorities; short-lived certificates for people.

alter table target
    add column protocol        text   not null default 'ssh' check (protocol in ('ssh', 'telnet')),
    add column more_hosts      text[] not null default '{}',
    add column profile         text   not null default 'modern' check (profile in ('modern', 'quarantine')),
    -- The login on the relay through which it is reached.
    add column via             uuid references account,
    add column pinned_host_cas text[] not null default '{}',
    -- Telnet encrypts nothing: only an operator who says so gets it.
    add check (protocol <> 'telnet' or profile = 'quarantine');

create view target_row as
    select t.*,
           array(select a.id from account a where a.target = t.id order by a.name) as account_ids,
           array(select a.name from account a where a.target = t.id order by a.name) as account_names,
           r.id as via_target, r.name as via_target_name, v.name as via_account
    from target t left join account v on v.id = t.via left join target r on r.id = v.target;

alter table credential drop constraint credential_kind_check;
alter table credential add check (kind in ('password', 'private_key', 'prompts', 'gateway_ca'));

alter table ceremony drop constraint ceremony_kind_check;
alter table ceremony add check (kind in ('enrol', 'add_passkey', 'login', 'review', 'step_up', 'ssh_key', 'certificate'));

-- Our certificate authorities. The private half is sealed as credentials are.
create table authority (
    id          uuid primary key,
    purpose     text not null check (purpose in ('person', 'target', 'host')),
    public_key  text not null,
    fingerprint text not null unique,
    key_version integer not null,
    nonce       bytea not null check (length(nonce) = 12),
    sealed      bytea not null,
    made_at     timestamptz not null,
    -- Signs nothing from here on, and counts for nothing any longer.
    retired_at  timestamptz
);

-- Somebody's program waits for a certificate: a person confirms it with a passkey, the program fetches it once.
create table certificate_ask (
    id                uuid primary key,
    public_key        text not null,
    fingerprint       text not null,
    source            text not null,
    number            text not null,
    poll_token_sha256 bytea not null check (length(poll_token_sha256) = 32),
    state             text not null check (state in ('pending', 'signed', 'refused', 'fetched')),
    person            uuid references person,
    evidence          uuid references evidence,
    certificate       text,
    asked_at          timestamptz not null,
    expires_at        timestamptz not null
);
create index certificate_ask_expires_at on certificate_ask (expires_at);

create table certificate (
    serial      numeric(20) primary key,
    person      uuid not null references person,
    fingerprint text not null,
    source      text not null,
    issued_at   timestamptz not null,
    expires_at  timestamptz not null,
    revoked_at  timestamptz
);
create index certificate_person on certificate (person, expires_at desc);

grant select on target_row to anteroom_app;
grant select, insert, update on authority, certificate to anteroom_app;
grant select, insert, update, delete on certificate_ask to anteroom_app;
