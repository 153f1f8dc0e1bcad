-- The group of the hospital's own people of whom one has to approve what a company's people ask for; none: whoever the policies name.
alter table company add column sponsors text check (length(sponsors) between 1 and 63);
alter table company_term add column sponsors text check (length(sponsors) between 1 and 63);
