-- Who turned a device's clinical-use switch last. Forward only.

alter table device
    add column clinical_use_at timestamptz,
    -- Somebody, or a program by its name; neither: the operator at the command line.
    add column clinical_use_by uuid references person,
    add column clinical_use_feed text;
