-- Access in an emergency, and the look that somebody else takes at it afterwards.

create table break_glass (
    request         uuid primary key references access_request,
    person          uuid not null references person,
    evidence        uuid not null references evidence,
    at              timestamptz not null,
    -- All of these or none: it is closed by one signature.
    reviewer        uuid references person check (reviewer <> person),
    finding         text check (finding in ('justified', 'not_justified')),
    findings        text,
    review_evidence uuid references evidence,
    reviewed_at     timestamptz,
    check (num_nonnulls(reviewer, finding, findings, review_evidence, reviewed_at) in (0, 5))
);
create index break_glass_open on break_glass (at desc) where reviewed_at is null;
create index break_glass_person on break_glass (person, at desc);

alter table ceremony drop constraint ceremony_kind_check;
alter table ceremony add constraint ceremony_kind_check check (kind ~ '^[a-z_]{1,40}$');

grant select, insert, update on break_glass to anteroom_app;
