-- A supervisor's words on their way to whichever gateway runs the session, and which certificate let a session in.

create table session_message (
    id         uuid primary key,
    session    uuid not null references session,
    author     uuid not null references person,
    -- Gone as soon as a gateway has taken it.
    text       text,
    -- Whether somebody's terminal showed it; none while nobody has answered.
    shown      boolean,
    written_at timestamptz not null
);
create index session_message_written_at on session_message (written_at);

-- What the passkey signed when it was given out.
alter table certificate add column evidence uuid references evidence;
update certificate c set evidence = (
    select e.id from evidence e
    where e.person = c.person and e.body::jsonb ->> 'domain' = 'anteroom.certificate.v1'
    and (e.body::jsonb ->> 'content')::jsonb ->> 'serial' = c.serial::text
    limit 1
);
-- None where the second factor was something else.
alter table session add column certificate numeric(20) references certificate;

grant select, insert, update, delete on session_message to anteroom_app;
