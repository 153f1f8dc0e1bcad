-- Sealed break-glass cards: two officers sign, one gateway takes them while the database is away, once.

-- Gateways that keep cards for the time when nobody can be asked, and when each last fetched them.
create table card_gateway (
    name       text primary key check (name ~ '^[a-z0-9._-]{1,63}$'),
    fetched_at timestamptz not null
);

create table break_glass_card (
    id                     uuid primary key,
    gateway                text not null references card_gateway,
    target                 uuid not null references target,
    -- Canonical JSON of anteroom_domain::content::CardTerms: what both officers signed. The code is not in it, only its hash.
    terms                  text not null,
    until                  timestamptz not null,
    begun_by               uuid not null references person,
    begun_evidence         uuid not null references evidence,
    begun_at               timestamptz not null,
    countersigned_by       uuid references person check (countersigned_by <> begun_by),
    countersigned_evidence uuid references evidence check (countersigned_evidence <> begun_evidence),
    countersigned_at       timestamptz,
    -- None with a time: the operator at the command line.
    revoked_by             uuid references person,
    revoked_at             timestamptz,
    -- The first use; a second one, which should not be, has its row in break_glass all the same.
    used_by                uuid references person,
    used_request           uuid unique references access_request,
    used_at                timestamptz,
    check (num_nonnulls(countersigned_by, countersigned_evidence, countersigned_at) in (0, 3)),
    check (num_nonnulls(used_by, used_request, used_at) in (0, 3)),
    check (revoked_by is null or revoked_at is not null)
);
create index break_glass_card_open on break_glass_card (gateway) where revoked_at is null and used_at is null;
create index break_glass_card_newest on break_glass_card (begun_at desc, id desc);

-- An emergency that a card opened: its evidence is the first officer's signature.
alter table break_glass add column card uuid references break_glass_card;

grant select, insert, update on card_gateway to anteroom_app;
grant select, insert on break_glass_card to anteroom_app;
-- What was signed stays as it was signed.
grant update (countersigned_by, countersigned_evidence, countersigned_at, revoked_by, revoked_at, used_by, used_request, used_at)
    on break_glass_card to anteroom_app;
