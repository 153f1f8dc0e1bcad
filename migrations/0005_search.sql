-- Searching what recordings show: lines of the masked track, as a viewer sees them. Nothing here was ever unmasked.

create table recording_index (
    session    uuid primary key references session,
    -- 'working': somebody reads it; 'done'; 'unreadable': to be tried again; 'forgotten': shredded, never indexed again.
    state      text not null check (state in ('working', 'done', 'unreadable', 'forgotten')),
    -- Of the program part that makes the lines; a newer one makes them again.
    version    integer not null,
    tries      integer not null,
    -- When somebody else may take it up.
    next_at    timestamptz not null,
    -- There was more than is kept.
    cut        boolean not null default false,
    timeline   jsonb
);

create table recording_line (
    session uuid not null references recording_index on delete cascade,
    n       integer not null check (n >= 0),
    channel bigint not null check (channel between 0 and 4294967295),
    -- Since the session's start, in microseconds.
    at_us   bigint not null check (at_us >= 0),
    kind    text not null check (kind in ('screen', 'command', 'file', 'forward', 'note')),
    body    text not null check (octet_length(body) <= 4096),
    -- Words and places as the program splits them (approvals/src/search/words.rs), so that asking splits the same way.
    words   tsvector not null,
    primary key (session, n)
);
create index recording_line_words on recording_line using gin (words);

grant select, insert, update, delete on recording_index, recording_line to anteroom_app;
