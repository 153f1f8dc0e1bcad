-- How many patients a session has shown: counts by type, never a value. Forward only.

create table patients_seen (
    session     uuid primary key references session,
    person      uuid not null references person,
    -- anteroom_domain::PatientsSeen: about how many, and of what.
    patients    int8 not null check (patients >= 0),
    identifiers jsonb not null,
    -- The strongest that policy asked for so far.
    reaction    text not null default 'nothing' check (reaction in ('nothing', 'alert', 'pause', 'lock')),
    at          timestamptz not null
);
create index patients_seen_person on patients_seen (person, at desc);
create index patients_seen_alarms on patients_seen (at desc) where reaction <> 'nothing';

grant select, insert, update on patients_seen to anteroom_app;
