-- What a company's contract was from when on, who said so, and why. Only ever added to.
create table company_term (
    id            uuid primary key,
    company       uuid not null references company,
    contract_ends timestamptz not null,
    supervised    boolean not null,
    -- In words; none of those that began it, or that the command line did not give.
    reason        text check (length(reason) between 1 and 4096),
    -- Nobody: the operator at the command line.
    by_person     uuid references person,
    at            timestamptz not null
);
create index company_term_company on company_term (company, at desc);
grant select, insert on company_term to anteroom_app;
