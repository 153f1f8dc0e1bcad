-- Whether a rule (patients seen, commands) made the session stand still, until somebody resumes it.
alter table session add column stopped_by_rule boolean not null default false;
