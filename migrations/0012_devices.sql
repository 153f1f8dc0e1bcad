-- Locks; medical devices and what is in them; who reports of devices and their clinical use. Forward only.

-- While one is not lifted, its person, its target, or every person of its company reaches nothing.
create table lock (
    id        uuid primary key,
    person    uuid references person,
    target    uuid references target,
    company   uuid references company,
    reason    text not null,
    -- Null: the operator at the command line.
    by_person uuid references person,
    at        timestamptz not null,
    lifted_by uuid references person,
    lifted_at timestamptz,
    check (num_nonnulls(person, target, company) = 1)
);
create unique index lock_person on lock (person) where person is not null and lifted_at is null;
create unique index lock_target on lock (target) where target is not null and lifted_at is null;
create unique index lock_company on lock (company) where company is not null and lifted_at is null;

-- What is known of a device beside how it is reached; one row a target at most.
create table device (
    target      uuid primary key references target,
    -- anteroom_approvals::Inventory
    inventory   jsonb not null default '{}',
    -- Of the file its components were read from.
    sbom_format text,
    sbom_sha256 bytea,
    sbom_at     timestamptz,
    sbom_by     uuid references person,
    check ((sbom_at is null) = (sbom_sha256 is null) and (sbom_at is null) = (sbom_format is null))
);

create table component (
    target  uuid not null references device (target),
    number  integer not null,
    name    text not null,
    version text not null,
    -- Package URL, if the file has one.
    purl    text,
    primary key (target, number)
);
create index component_name on component (lower(name) text_pattern_ops);

-- Programs that may tell us something: by a key they sign with (posture), or by a token (clinical use).
create table feed (
    id           uuid primary key,
    name         text not null unique,
    -- Ed25519
    public_key   bytea,
    token_sha256 bytea unique,
    made_at      timestamptz not null,
    made_by      uuid references person,
    revoked_at   timestamptz,
    check (num_nonnulls(public_key, token_sha256) = 1)
);

-- The newest report of one device of one person.
create table posture (
    person      uuid not null references person,
    device      text not null,
    feed        uuid not null references feed,
    reported_at timestamptz not null,
    received_at timestamptz not null,
    -- anteroom_domain::Posture
    posture     jsonb not null,
    -- SHA-256 fingerprints of SSH keys that are on it, and addresses it connects from; empty: not said.
    keys        text[] not null default '{}',
    addresses   text[] not null default '{}',
    primary key (person, device)
);

grant select, insert on lock to anteroom_app;
grant update (lifted_by, lifted_at) on lock to anteroom_app;
grant select, insert, update on device, feed, posture to anteroom_app;
grant select, insert, delete on component to anteroom_app;
grant delete on posture to anteroom_app;
