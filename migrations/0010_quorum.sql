-- Requests that several people answer, that ask for several targets, that come back every week, that nobody answered; who stands in for
-- whom; and what people are told outside of the portal. Forward only.

-- anteroom_domain::request::Asks: further targets, ticket, weeks, the grant it extends.
alter table access_request add asks jsonb not null default '{}';
-- From then on nobody can approve it.
alter table access_request add expires_at timestamptz;
update access_request set expires_at = created_at + interval '24 hours';
alter table access_request alter expires_at set not null;
alter table access_request drop constraint access_request_state_check;
alter table access_request add constraint access_request_state_check
    check (state in ('pending', 'approved', 'denied', 'withdrawn', 'expired'));
create index access_request_waiting on access_request (expires_at) where state = 'pending';

-- Several people answer a request, each once.
alter table approval drop constraint approval_request_key;
alter table approval add constraint approval_request_approver_key unique (request, approver);
-- Groups that counted when it was signed.
alter table approval add groups text[] not null default '{}';
-- Of whoever is absent and named the approver as deputy. One person's place is filled once, by whomever.
alter table approval add stands_for uuid references person check (stands_for <> requester and stands_for <> approver);
create unique index approval_stands_for on approval (request, stands_for) where stands_for is not null;
-- SHA-256 over what every approver of the request signs alike; an answer to other words counts for nothing.
alter table approval add subject_sha256 bytea check (length(subject_sha256) = 32);
-- Why it was denied.
alter table approval add comment text;

-- One request, one grant for each login and each time.
alter table access_grant drop constraint access_grant_request_key;
alter table access_grant add constraint access_grant_request_place_key unique (request, target, account, not_before);

create table request_comment (
    id      uuid primary key,
    request uuid not null references access_request,
    person  uuid not null references person,
    text    text not null,
    at      timestamptz not null
);
create index request_comment_request on request_comment (request, at);

-- An approver is away; the deputy, an approver too, may fill their place.
create table absence (
    id        uuid primary key,
    approver  uuid not null references person,
    deputy    uuid not null references person check (deputy <> approver),
    starts_at timestamptz not null,
    ends_at   timestamptz not null check (ends_at > starts_at),
    made_at   timestamptz not null,
    ended_at  timestamptz
);
create unique index absence_approver on absence (approver) where ended_at is null;
create index absence_deputy on absence (deputy) where ended_at is null;

-- Where a person is written to; without a row, nowhere.
create table mail_address (
    person  uuid primary key references person,
    address text not null
);

-- What people are told outside of the portal: written in the transaction that made it so.
create table notice (
    id         uuid primary key,
    -- anteroom_approvals::notify::Notice: ids, handles and names of targets only.
    body       jsonb not null,
    at         timestamptz not null,
    -- Its deliveries are made.
    spread_at  timestamptz
);
create index notice_waiting on notice (at) where spread_at is null;

create table notice_delivery (
    id           uuid primary key,
    notice       uuid not null references notice on delete cascade,
    channel      text not null check (channel in ('mail', 'webhook')),
    -- A person's id, or a webhook's name.
    recipient    text not null,
    attempts     integer not null default 0,
    next_at      timestamptz not null,
    delivered_at timestamptz,
    -- Given up.
    dead_at      timestamptz,
    last_error   text,
    unique (notice, channel, recipient)
);
create index notice_delivery_due on notice_delivery (next_at) where delivered_at is null and dead_at is null;
create index notice_delivery_dead on notice_delivery (dead_at) where dead_at is not null;

grant select, insert on request_comment to anteroom_app;
grant select, insert, update on absence to anteroom_app;
grant select, insert, update, delete on mail_address, notice, notice_delivery to anteroom_app;
