-- Policies as operators set them, every version kept. None: the ones that came with the program count.

create table policy_version (
    version bigint generated always as identity primary key,
    -- [{"name": "...", "text": "..."}]
    files   jsonb not null,
    -- Over names and texts.
    sha256  bytea not null check (length(sha256) = 32),
    note    text not null,
    -- None: the operator at the command line.
    set_by  uuid references person,
    set_at  timestamptz not null
);

-- What counted once is never changed.
grant select, insert on policy_version to anteroom_app;
