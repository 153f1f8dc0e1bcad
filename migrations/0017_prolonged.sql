-- Whoever watched let the session go on after its grant's end, for as long as the signed grant says.
alter table session
    add column prolonged_by uuid references person,
    add column prolonged_at timestamptz,
    add check ((prolonged_by is null) = (prolonged_at is null));
grant update (prolonged_by, prolonged_at) on session to anteroom_app;
