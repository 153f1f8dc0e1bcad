//! Nobody's: source, schemas, histories, configuration, manuals. Words of patients' fields without patients.

use crate::{
    people::Day,
    scene::Scene,
    t,
    text::Text,
    words::fields::{Field, columns},
};

const FIELDS: &[Field] = &[
    Field::Mrn,
    Field::Last,
    Field::First,
    Field::Birth,
    Field::Ssn,
    Field::Phone,
    Field::Email,
    Field::Street,
    Field::City,
    Field::Zip,
    Field::Plan,
    Field::Account,
    Field::Visit,
];

pub(super) fn git_log(s: &mut Scene) {
    s.command("git log -5");
    for _ in 0..s.within(2, 5) {
        s.line(t![Text::control("\x1b[33m"), "commit ", s.hex(40), Text::control("\x1b[m")]);
        // Who wrote it is staff.
        s.line(t!["Author: ", Text::ungraded(s.any(&["Build Bot <build@example.org>", "Miriam Feldman <m.feldman@example.org>"]))]);
        s.line(format!("Date:   Sat Apr 12 {} 2025 +0200", s.clock()));
        s.line("");
        s.line(t![
            "    ",
            s.any(&[
                "Fix the address family of the listener",
                "Name the index after its table",
                "Bump version to 2.14.1",
                "Mark the first visit as done",
                "Patient search: trim last name",
                "Read date of birth as UTC",
                "Grant select on visits"
            ])
        ]);
        s.line("");
    }
    s.command("git log --oneline");
    for _ in 0..s.within(3, 8) {
        s.line(t![
            Text::control("\x1b[33m"),
            s.hex(7),
            Text::control("\x1b[m"),
            " ",
            s.any(&["Merge branch 'phone-format'", "Remove unused ssn column", "tests for MRN check digits", "docs"])
        ]);
    }
}

pub(super) fn schema(s: &mut Scene) {
    s.line("ehr=> \\d patients");
    s.line("                          Table \"public.patients\"");
    s.line("       Column        |          Type          | Collation | Nullable | Default ");
    s.line("---------------------+------------------------+-----------+----------+---------");
    let names: Vec<&str> = FIELDS.iter().map(|field| s.pick(columns(*field))).collect();
    for name in &names {
        s.line(format!(
            " {name:19} | {:22} |           | {:8} | ",
            s.any(&["text", "character varying(80)", "date", "character(11)"]),
            s.any(&["not null", ""])
        ));
    }
    s.line("Indexes:");
    s.line(format!("    \"patients_pkey\" PRIMARY KEY, btree ({})", names[0]));
    s.line(format!("    \"patients_name\" btree ({}, {})", names[1], names[2]));
    s.line("");
    let columns = names.iter().map(|name| format!("{name} {}", s.any(&["text", "varchar(40)", "date"]))).collect::<Vec<_>>().join(", ");
    s.line(format!("CREATE TABLE visits (visit_id bigint PRIMARY KEY, {columns});"));
    s.line(format!("ALTER TABLE patients ADD COLUMN {} text;", names[5]));
    s.line(format!("CREATE INDEX ON patients (lower({}), {});", names[1], names[3]));
}

/// Headers and no rows.
pub(super) fn headers(s: &mut Scene) {
    s.command("head -1 export.csv");
    let names: Vec<&str> = FIELDS.iter().map(|field| s.pick(columns(*field))).collect();
    s.line(names.join(","));
    s.line("ehr=> select * from patients where false;");
    s.line(format!(" {} ", names[..5].join(" | ")));
    s.line(names[..5].iter().map(|name| "-".repeat(name.len() + 2)).collect::<Vec<_>>().join("+"));
    s.line("(0 rows)");
    s.line("");
    s.line("                List of relations");
    s.line(" Schema |       Name       | Type  |  Owner   ");
    s.line("--------+------------------+-------+----------");
    for name in ["patients", "patient_phones", "visits", "lab_results"] {
        s.line(format!(" public | {name:16} | table | postgres"));
    }
    s.line("(4 rows)");
}

pub(super) fn source(s: &mut Scene) {
    s.command("cat src/patient.py");
    let (mrn, last, birth, phone) =
        (s.pick(columns(Field::Mrn)), s.pick(columns(Field::Last)), s.pick(columns(Field::Birth)), s.pick(columns(Field::Phone)));
    for line in [
        "@dataclass".to_owned(),
        "class Patient:".to_owned(),
        format!("    {mrn}: str"),
        format!("    {last}: str = \"\""),
        format!("    {birth}: date | None = None"),
        format!("    {phone}: str = field(default=\"\")"),
        String::new(),
        "    def display(self) -> str:".to_owned(),
        format!("        return f\"{{self.{last}}}, {{self.{mrn}}}\""),
        String::new(),
        format!("def find(conn, {mrn}):"),
        format!("    cur = conn.execute(\"SELECT * FROM patients WHERE {mrn} = %s\", ({mrn},))"),
        format!("    if not re.match(r\"^\\d{{3}}-\\d{{2}}-\\d{{4}}$\", {last}):"),
        format!("        raise ValueError(\"bad {phone}\")"),
        format!("    const {last} = row.{last} ?? \"unknown\";"),
        format!("    patient.set{}(null);", last.replace('_', "")),
    ] {
        s.line(line);
    }
    s.line(t![
        Text::control("\x1b[31m"),
        "error[E0425]",
        Text::control("\x1b[0m"),
        format!(": cannot find value `{last}` in this scope --> src/patient.rs:{}:{}", s.within(10, 900), s.within(1, 80))
    ]);
}

pub(super) fn configuration(s: &mut Scene) {
    s.command("cat /etc/ehr/app.conf");
    for line in [
        "[database]".to_owned(),
        format!("host = 192.0.2.{}", s.within(1, 254)),
        "name = ehr".to_owned(),
        "user = ehr_app".to_owned(),
        format!("pool_size = {}", s.within(4, 64)),
        "[hl7]".to_owned(),
        "listen_address = 0.0.0.0:2575".to_owned(),
        "facility_name = GENHOSP".to_owned(),
        "[matching]".to_owned(),
        "fields = last_name, first_name, dob, ssn".to_owned(),
        "mrn_format = ^[0-9]{7}$".to_owned(),
        "phone_format = (###) ###-####".to_owned(),
        format!("session_timeout = {}m", s.within(5, 60)),
        format!("build = 2025.04.{}-{}", s.within(1, 30), s.hex(8)),
        "log_level = info".to_owned(),
    ] {
        s.line(line);
    }
    s.line("server:");
    s.line("  port: 8443");
    s.line("  name: registration");
    s.line("  address: 0.0.0.0");
    s.line(format!("  workers: {}", s.within(2, 32)));
}

pub(super) fn manual(s: &mut Scene) {
    s.command("man hl7send");
    s.line("HL7SEND(1)                       General Commands Manual                       HL7SEND(1)");
    s.line("");
    s.line(t![Text::control("\x1b[1m"), "NAME", Text::control("\x1b[0m")]);
    s.line("       hl7send - send HL7 version 2 messages over MLLP");
    s.line("");
    s.line(t![Text::control("\x1b[1m"), "DESCRIPTION", Text::control("\x1b[0m")]);
    let prose = t![
        "The patient name is read from PID-5 and the medical record number from PID-3. Patient identifiers are never written to the log. ",
        "If the date of birth is missing, the message is rejected with AE. See the ",
        s.any(&["interface guide", "release notes", "site manual"]),
        " for address formats and phone formats. Account numbers are compared without dashes. The first name and last name must not be empty."
    ];
    for line in prose.fill(70) {
        s.line(t!["       ", line]);
    }
    s.line("");
    s.line("OPTIONS");
    s.line("       --mrn MRN     send only messages of this medical record number");
    s.line("       --since DATE  messages received since this date");
    s.line("       -p, --port N  port of the receiver (default: 2575)");
    s.line("Usage: hl7send [--mrn MRN] [--name NAME] FILE...");
}

pub(super) fn build(s: &mut Scene) {
    s.command("make -j4");
    for _ in 0..s.within(6, 14) {
        s.line(match s.roll(4) {
            0 => format!(
                "   Compiling {} v{}.{}.{}",
                s.any(&["serde", "tokio", "patient-index", "name-of-crate"]),
                s.roll(9),
                s.roll(99),
                s.roll(99)
            ),
            1 => format!("cc -O2 -c -o {}.o {}.c", s.hex(6), s.any(&["mrn", "address", "phone", "visit"])),
            2 => format!("test dob::leap_years ... ok <{}.{}s>", s.roll(9), s.digits(3)),
            _ => format!("{} tests passed; finished {} {}", s.within(10, 900), Day::any(s, 2025, 2025).iso(), s.clock()),
        });
    }
}
