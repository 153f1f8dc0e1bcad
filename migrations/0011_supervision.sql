-- Vendors under supervision: who watches a session, and companies' terms. Forward only.

-- Its people work only while somebody of the hospital watches.
alter table company add supervised boolean not null default true;

-- Whether a session may run only while it is watched.
alter table session add supervised boolean not null default false;
create index session_running_target on session (target) where ended_at is null;

-- A supervisor at a session, from the moment they joined until they left. It counts while `renewed_at` is young.
create table supervision (
    id         uuid primary key,
    session    uuid not null references session,
    supervisor uuid not null references person,
    joined_at  timestamptz not null,
    renewed_at timestamptz not null,
    left_at    timestamptz,
    -- Left without a word: the browser was not heard of any more.
    lapsed     boolean not null default false
);
create index supervision_session on supervision (session, joined_at);
create index supervision_open on supervision (renewed_at) where left_at is null;

-- What a supervisor wrote down about a session. The gateway that runs it puts it into the recording and says so here.
create table supervision_note (
    id          uuid primary key,
    session     uuid not null references session,
    supervisor  uuid not null references person,
    written_at  timestamptz not null,
    text        text not null check (length(text) <= 500),
    recorded_at timestamptz
);
create index supervision_note_session on supervision_note (session, written_at);

grant select, insert, update on supervision, supervision_note to anteroom_app;
