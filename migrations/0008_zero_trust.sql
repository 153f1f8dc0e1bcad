-- What policies ask about, and what they answer. Forward only.

-- A company whose people keep some of the targets.
create table company (
    id            uuid primary key,
    name          text not null unique,
    -- From then on its people reach nothing.
    contract_ends timestamptz not null,
    created_at    timestamptz not null
);

-- anteroom_domain::PersonAttributes and TargetAttributes.
alter table person add attributes jsonb not null default '{}';
alter table person add company uuid generated always as ((attributes ->> 'company')::uuid) stored references company;
alter table target add attributes jsonb not null default '{}';
alter table target add vendor uuid generated always as ((attributes ->> 'vendor')::uuid) stored references company;
create index person_company on person (company) where company is not null;
create index target_vendor on target (vendor) where vendor is not null;

drop view target_row;
create view target_row as
    select t.*,
           array(select a.id from account a where a.target = t.id order by a.name) as account_ids,
           array(select a.name from account a where a.target = t.id order by a.name) as account_names,
           r.id as via_target, r.name as via_target_name, v.name as via_account
    from target t left join account v on v.id = t.via left join target r on r.id = v.target;
grant select on target_row to anteroom_app;

-- anteroom_domain::Obligations
alter table access_request add obligations jsonb not null default '{}';
alter table access_grant add obligations jsonb not null default '{}';

grant select, insert, update on company to anteroom_app;
