//! The corpus: families of terminal output, with the identifiers in each.

use std::fmt::Write as _;

use crate::people::{Dice, Person};

/// Text as a program writes it, and what in it identifies somebody.
#[derive(Debug, Default)]
pub struct Capture {
    pub text: String,
    pub identifiers: Vec<(&'static str, String)>,
}

impl Capture {
    fn says(text: impl Into<String>) -> Self {
        Self { text: text.into(), identifiers: Vec::new() }
    }

    fn with(mut self, kind: &'static str, value: impl Into<String>) -> Self {
        self.identifiers.push((kind, value.into()));
        self
    }

    fn person(mut self, p: &Person, fields: &[&'static str]) -> Self {
        for field in fields {
            let value = match *field {
                "first" => p.first.clone(),
                "last" => p.last.clone(),
                "iso" => p.iso(),
                "us" => p.us(),
                "hl7" => p.hl7(),
                "mrn" => p.mrn.clone(),
                "ssn" => p.ssn.clone(),
                "phone" => p.phone.clone(),
                "email" => p.email.clone(),
                "street" => p.street.clone(),
                "city" => p.city.clone(),
                "zip" => p.zip.clone(),
                "account" => p.account.clone(),
                "member" => p.member.clone(),
                other => panic!("no field {other}"),
            };
            let kind = match *field {
                "first" | "last" => "name",
                "iso" | "us" | "hl7" => "birth",
                other => other,
            };
            self = self.with(kind, value);
        }
        self
    }
}

pub type Family = (&'static str, fn(&mut Dice) -> Capture);

pub const FAMILIES: &[Family] = &[
    ("psql aligned", psql),
    ("psql expanded", expanded),
    ("psql unaligned", unaligned),
    ("mysql", mysql),
    ("sqlite columns", sqlite),
    ("column -t", column_t),
    ("csv", csv),
    ("tsv", tsv),
    ("pg_dump copy", copy),
    ("sql statements", statements),
    ("hl7 v2", hl7),
    ("hl7 in a log", hl7_log),
    ("fhir json", fhir),
    ("fhir compact", fhir_compact),
    ("json log", json_log),
    ("form", form),
    ("letter", letter),
    ("key=value log", kv_log),
    ("xml", xml),
    ("yaml", yaml),
    ("curses form", curses),
    ("then alone", alone),
];

/// Look-alikes that must stay readable.
pub const INNOCENT: &[Family] = &[
    ("syslog", syslog),
    ("web log", web_log),
    ("git log", git_log),
    ("ls -l", ls),
    ("kubectl", kubectl),
    ("ip addr", ip_addr),
    ("ddl", ddl),
    ("psql catalogue", catalogue),
    ("vitals", vitals),
    ("jobs and uuids", jobs),
    ("dmesg and apt", dmesg),
    ("build", build),
];

fn people(dice: &mut Dice) -> Vec<Person> {
    (0..3 + dice.roll(5)).map(|_| Person::new(dice)).collect()
}

/// Pads by display columns (all names here are of single width).
fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())))
}

fn grid(dice: &mut Dice) -> (Vec<Person>, Vec<&'static str>, Vec<Vec<String>>) {
    let persons = people(dice);
    let sets: [&[&str]; 4] = [
        &["mrn", "last_name", "first_name", "dob", "sex", "hgb"],
        &["patient_id", "patient_name", "birth_date", "phone", "ward"],
        &["id", "name", "ssn", "email", "status"],
        &["mrn", "surname", "home_phone", "street", "city", "zip", "bmi"],
    ];
    let header: Vec<&str> = sets[dice.roll(4) as usize].to_vec();
    let rows = persons
        .iter()
        .enumerate()
        .map(|(n, p)| {
            header
                .iter()
                .map(|column| match *column {
                    "mrn" | "patient_id" => p.mrn.clone(),
                    "last_name" | "surname" => p.last.clone(),
                    "first_name" => p.first.clone(),
                    "patient_name" | "name" => format!("{}, {}", p.last, p.first),
                    "dob" | "birth_date" => p.iso(),
                    "phone" | "home_phone" => p.phone.clone(),
                    "ssn" => p.ssn.clone(),
                    "email" => p.email.clone(),
                    "street" => p.street.clone(),
                    "city" => p.city.clone(),
                    "zip" => p.zip.clone(),
                    "id" => (n + 1).to_string(),
                    "sex" => dice.pick(&["F", "M", "U"]).to_owned(),
                    "ward" => dice.pick(&["4W", "ICU", "ED"]).to_owned(),
                    "status" => dice.pick(&["active", "discharged"]).to_owned(),
                    _ => format!("{}.{}", 9 + dice.roll(20), dice.roll(10)),
                })
                .collect()
        })
        .collect();
    (persons, header, rows)
}

fn label(persons: &[Person], header: &[&str], capture: Capture) -> Capture {
    persons.iter().fold(capture, |capture, p| {
        header.iter().fold(capture, |capture, column| match *column {
            "mrn" | "patient_id" => capture.person(p, &["mrn"]),
            "last_name" | "surname" => capture.person(p, &["last"]),
            "first_name" => capture.person(p, &["first"]),
            "patient_name" | "name" => capture.with("name", format!("{}, {}", p.last, p.first)),
            "dob" | "birth_date" => capture.person(p, &["iso"]),
            "phone" | "home_phone" => capture.person(p, &["phone"]),
            "ssn" => capture.person(p, &["ssn"]),
            "email" => capture.person(p, &["email"]),
            "street" => capture.person(p, &["street"]),
            "city" => capture.person(p, &["city"]),
            "zip" => capture.person(p, &["zip"]),
            _ => capture,
        })
    })
}

fn widths(header: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    header.iter().enumerate().map(|(n, h)| rows.iter().map(|row| row[n].chars().count()).chain([h.len()]).max().unwrap_or(0)).collect()
}

fn psql(dice: &mut Dice) -> Capture {
    let (persons, header, rows) = grid(dice);
    let widths = widths(&header, &rows);
    let mut text = format!("ehr=> select {} from patients limit {};\n", header.join(", "), rows.len());
    let line = |cells: Vec<String>| format!(" {} \n", cells.join(" | "));
    text += &line(header.iter().zip(&widths).map(|(h, w)| pad(&format!("{}{h}", " ".repeat((w - h.len()) / 2)), *w)).collect());
    text += &format!("{}\n", widths.iter().map(|w| "-".repeat(w + 2)).collect::<Vec<_>>().join("+"));
    for row in &rows {
        text += &line(row.iter().zip(&widths).map(|(cell, w)| pad(cell, *w)).collect());
    }
    let _ = write!(text, "({} rows)\n\n", rows.len());
    label(&persons, &header, Capture::says(text))
}

fn expanded(dice: &mut Dice) -> Capture {
    let (persons, header, rows) = grid(dice);
    let mut text = String::from("ehr=> \\x\nExpanded display is on.\n");
    let width = header.iter().map(|h| h.len()).max().unwrap_or(0);
    for (n, row) in rows.iter().enumerate() {
        let _ = writeln!(text, "-[ RECORD {} ]{}", n + 1, "-".repeat(20));
        for (h, cell) in header.iter().zip(row) {
            let _ = writeln!(text, "{} | {cell}", pad(h, width));
        }
    }
    text.push('\n');
    label(&persons, &header, Capture::says(text))
}

fn delimited(dice: &mut Dice, by: &str) -> Capture {
    let (persons, header, rows) = grid(dice);
    let quote = |cell: &String| if cell.contains(by) { format!("\"{cell}\"") } else { cell.clone() };
    let mut text = format!("$ head export.txt\n{}\n", header.join(by));
    for row in &rows {
        let _ = writeln!(text, "{}", row.iter().map(quote).collect::<Vec<_>>().join(by));
    }
    label(&persons, &header, Capture::says(text))
}

fn unaligned(dice: &mut Dice) -> Capture {
    delimited(dice, "|")
}
fn csv(dice: &mut Dice) -> Capture {
    delimited(dice, ",")
}
fn tsv(dice: &mut Dice) -> Capture {
    delimited(dice, "\t")
}

fn mysql(dice: &mut Dice) -> Capture {
    let (persons, header, rows) = grid(dice);
    let widths = widths(&header, &rows);
    let border = format!("+{}+\n", widths.iter().map(|w| "-".repeat(w + 2)).collect::<Vec<_>>().join("+"));
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = format!("mysql> SELECT * FROM patient;\n{border}");
    text += &line(header.iter().zip(&widths).map(|(h, w)| pad(h, *w)).collect());
    text += &border;
    for row in &rows {
        text += &line(row.iter().zip(&widths).map(|(cell, w)| pad(cell, *w)).collect());
    }
    let _ = write!(text, "{border}{} rows in set (0.01 sec)\n\n", rows.len());
    label(&persons, &header, Capture::says(text))
}

fn sqlite(dice: &mut Dice) -> Capture {
    let (persons, header, rows) = grid(dice);
    let widths = widths(&header, &rows);
    let line = |cells: Vec<String>| format!("{}\n", cells.join("  ").trim_end());
    let mut text = line(header.iter().zip(&widths).map(|(h, w)| pad(h, *w)).collect());
    text += &line(widths.iter().map(|w| "-".repeat(*w)).collect());
    for row in &rows {
        text += &line(row.iter().zip(&widths).map(|(cell, w)| pad(cell, *w)).collect());
    }
    label(&persons, &header, Capture::says(text))
}

fn column_t(dice: &mut Dice) -> Capture {
    let (persons, header, rows) = grid(dice);
    let widths = widths(&header, &rows);
    let mut text =
        format!("$ column -t -s, p.csv\n{}\n", header.iter().zip(&widths).map(|(h, w)| pad(h, *w)).collect::<Vec<_>>().join("  "));
    for row in &rows {
        let _ = writeln!(text, "{}", row.iter().zip(&widths).map(|(cell, w)| pad(cell, *w)).collect::<Vec<_>>().join("  ").trim_end());
    }
    label(&persons, &header, Capture::says(text))
}

fn copy(dice: &mut Dice) -> Capture {
    let (persons, header, rows) = grid(dice);
    let mut text =
        format!("--\n-- Data for Name: patients; Type: TABLE DATA\n--\n\nCOPY public.patients ({}) FROM stdin;\n", header.join(", "));
    for row in &rows {
        let _ = writeln!(text, "{}", row.join("\t"));
    }
    text += "\\.\n\n";
    label(&persons, &header, Capture::says(text))
}

fn statements(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "ehr=> UPDATE patients SET phone = '{}' WHERE mrn = '{}';\nUPDATE 1\nehr=> INSERT INTO patients (mrn, last_name, first_name, dob, weight_kg) VALUES ('{}', '{}', '{}', '{}', 71);\nINSERT 0 1\nehr=> SELECT count(*) FROM visits WHERE last_name ILIKE '{}%';\n count\n-------\n    12\n(1 row)\n",
        p.phone,
        p.mrn,
        p.mrn,
        p.last.replace('\'', "''"),
        p.first,
        p.iso(),
        p.last.split('\'').next_back().unwrap_or("")
    );
    let last = p.last.split('\'').next_back().unwrap_or("").to_owned();
    Capture::says(text).person(&p, &["phone", "mrn", "first", "iso"]).with("name", last)
}

fn message(p: &Person, dice: &mut Dice) -> Vec<String> {
    let up = |s: &str| s.to_uppercase();
    vec![
        format!("MSH|^~\\&|LAB|MERCY|EHR|MERCY|20240115083{:03}||ORU^R01|MSG{:05}|P|2.5.1", dice.roll(1000), dice.roll(99_999)),
        format!(
            "PID|1||{}^^^MERCY^MR||{}^{}^{}||{}|F|||{}^^{}^VA^{}^USA||{}^PRN^PH|||M||{}^^^MERCY^AN|{}",
            p.mrn,
            up(&p.last),
            up(&p.first),
            p.middle,
            p.hl7(),
            up(&p.street),
            up(&p.city),
            p.zip,
            p.phone,
            p.account,
            p.ssn
        ),
        format!("NK1|1|{}^{}|SPO||{}", up(&p.last), up(&p.first), p.phone),
        "PV1|1|I|4W^401^A|||||4477^HOUSE^GREGORY^^^DR|||MED".to_owned(),
        "OBR|1|||718-7^Hemoglobin^LN|||20240115081500".to_owned(),
        format!("OBX|1|NM|718-7^Hemoglobin^LN||{}.{}|g/dL|12.0-16.0|N|||F", 9 + dice.roll(7), dice.roll(10)),
        format!(
            "IN1|1|PPO|00712|EXAMPLE HEALTH||||GRP{}||||||||{}^{}|SEL|{}||||||||||||||||||{}",
            dice.roll(9999),
            up(&p.last),
            up(&p.first),
            p.hl7(),
            p.member
        ),
    ]
}

fn hl7_labels(p: &Person, capture: Capture) -> Capture {
    capture
        .person(p, &["mrn", "hl7", "phone", "zip", "account", "ssn", "member"])
        .with("name", p.last.to_uppercase())
        .with("name", p.first.to_uppercase())
        .with("street", p.street.to_uppercase())
        .with("city", p.city.to_uppercase())
}

fn hl7(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!("$ cat oru.hl7\n{}\n", message(&p, dice).join("\n"));
    hl7_labels(&p, Capture::says(text))
}

fn hl7_log(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "2024-01-15 08:30:01,114 INFO  [mllp-3] received: {}\\r\n2024-01-15 08:30:01,201 INFO  [mllp-3] ACK sent MSA|AA|MSG00001\n",
        message(&p, dice).join("\\r")
    );
    hl7_labels(&p, Capture::says(text))
}

fn fhir_value(p: &Person) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{}","identifier":[{{"system":"urn:mercy:mrn","value":"{}"}}],"name":[{{"use":"official","family":"{}","given":["{}","{}"]}}],"telecom":[{{"system":"phone","value":"{}"}},{{"system":"email","value":"{}"}}],"gender":"female","birthDate":"{}","address":[{{"line":["{}"],"city":"{}","state":"VA","postalCode":"{}"}}],"maritalStatus":{{"text":"married"}}}}"#,
        p.account,
        p.mrn,
        p.last,
        p.first,
        p.middle,
        p.phone,
        p.email,
        p.iso(),
        p.street,
        p.city,
        p.zip
    )
}

fn fhir_labels(p: &Person, capture: Capture) -> Capture {
    capture.person(p, &["account", "mrn", "last", "first", "phone", "email", "iso", "street", "city", "zip"])
}

fn fhir(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let value: serde_json::Value = serde_json::from_str(&fhir_value(&p)).unwrap();
    let text = format!("$ curl -s localhost:8080/fhir/Patient/1 | jq .\n{}\n", serde_json::to_string_pretty(&value).unwrap());
    fhir_labels(&p, Capture::says(text))
}

fn fhir_compact(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    fhir_labels(&p, Capture::says(format!("{}\n", fhir_value(&p))))
}

fn json_log(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "{{\"ts\":\"2024-01-15T08:30:00Z\",\"level\":\"info\",\"msg\":\"admitted\",\"patientName\":\"{} {}\",\"mrn\":\"{}\",\"dateOfBirth\":\"{}\",\"bed\":\"4W-401\",\"duration_ms\":{}}}\n",
        p.first,
        p.last,
        p.mrn,
        p.iso(),
        dice.roll(900)
    );
    Capture::says(text).with("name", format!("{} {}", p.first, p.last)).person(&p, &["mrn", "iso"])
}

fn form(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "REGISTRATION FACE SHEET                 Printed 01/15/2024 08:30\nPatient Name: {}, {} {}        MRN: {}\nDOB: {}     Sex: F     SSN: {}\nAddress: {}, {}, VA {}\nHome Phone: {}   Email: {}\nInsurance: EXAMPLE HEALTH   Member ID: {}   Acct #: {}\nAttending: Dr. Gregory House    Room: 401-A\nEmergency Contact: {} {} (spouse)\nAllergies: penicillin   BP 120/80   HR 71\n",
        p.last,
        p.first,
        p.middle,
        p.mrn,
        p.us(),
        p.ssn,
        p.street,
        p.city,
        p.zip,
        p.phone,
        p.email,
        p.member,
        p.account,
        p.first,
        p.last
    );
    Capture::says(text)
        .with("name", format!("{}, {} {}", p.last, p.first, p.middle))
        .person(&p, &["mrn", "us", "ssn", "street", "city", "zip", "phone", "email", "member", "account", "first", "last"])
}

fn letter(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "{} {}\n{}\n{}, VA {}\n\nDear Ms. {},\n\nYour results of the visit are ready. Please call the clinic about your\nhemoglobin of 13.2 g/dL. Patient {} {} (DOB {}, MRN {}) was seen by\nDr. House. Call {} if this number is not right.\n",
        p.first,
        p.last,
        p.street,
        p.city,
        p.zip,
        p.last,
        p.first,
        p.last,
        p.us(),
        p.mrn,
        p.phone
    );
    Capture::says(text).person(&p, &["last", "first", "street", "city", "zip", "us", "mrn", "phone"])
}

fn kv_log(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "2024-01-15T08:30:00.{:03}Z WARN adt: merge rejected mrn={} patient_name=\"{} {}\" dob={} source=10.20.30.41 code=409\n2024-01-15T08:30:01.000Z INFO adt: lookup for patient_id={} took 12 ms\n",
        dice.roll(1000),
        p.mrn,
        p.first,
        p.last,
        p.iso(),
        p.mrn
    );
    Capture::says(text).with("name", format!("{} {}", p.first, p.last)).person(&p, &["mrn", "iso"])
}

fn xml(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "<patient>\n  <name><given>{}</given><family>{}</family></name>\n  <birthDate value=\"{}\"/>\n  <mrn>{}</mrn>\n  <phone>{}</phone>\n  <streetAddress>{}</streetAddress>\n  <city>{}</city>\n  <gender value=\"female\"/>\n</patient>\n",
        p.first,
        p.last,
        p.iso(),
        p.mrn,
        p.phone,
        p.street,
        p.city
    );
    Capture::says(text).person(&p, &["first", "last", "iso", "mrn", "phone", "street", "city"])
}

fn yaml(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "---\nkind: Admission\npatient:\n  first_name: {}\n  last_name: {}\n  mrn: {}\n  dob: {}\n  email: {}\n  ward: 4W\nreplicas: 3\n",
        p.first,
        p.last,
        p.mrn,
        p.iso(),
        p.email
    );
    Capture::says(text).person(&p, &["first", "last", "mrn", "iso", "email"])
}

fn curses(dice: &mut Dice) -> Capture {
    let p = Person::new(dice);
    let text = format!(
        "$ adt\n\x1b[?1049h\x1b[2J\x1b[1;30H\x1b[7m ADMISSION \x1b[0m\x1b[3;3HLast Name:\x1b[3;20H\x1b[4m{}\x1b[0m\x1b[4;3HFirst Name:\x1b[4;20H\x1b[4m{}\x1b[0m\x1b[5;3HMRN:\x1b[5;20H{}\x1b[5;45HDOB:\x1b[5;55H{}\x1b[6;3HPhone:\x1b[6;20H{}\x1b[8;3HAllergies:\x1b[8;20Hpenicillin\x1b[20;3HF1 Help  F10 Save\x1b[21;1H",
        p.last,
        p.first,
        p.mrn,
        p.us(),
        p.phone
    );
    Capture::says(text).person(&p, &["last", "first", "mrn", "us", "phone"])
}

fn alone(dice: &mut Dice) -> Capture {
    let persons = people(dice);
    let mut text = String::from("mrn,last_name,first_name,dob\n");
    for p in &persons {
        let _ = writeln!(text, "{},{},{},{}", p.mrn, p.last, p.first, p.iso());
    }
    let p = &persons[0];
    let _ = write!(
        text,
        "\nnote 1: {} {} called back, record {} reopened\nnote 2: order for {} signed, born {}\n",
        p.first,
        p.last,
        p.mrn,
        p.last.to_uppercase(),
        p.us()
    );
    let capture = Capture::says(text).with("name", p.last.to_uppercase()).person(p, &["us"]);
    persons.iter().fold(capture, |capture, p| capture.person(p, &["mrn", "last", "first", "iso"]))
}

fn lines(dice: &mut Dice, count: u64, mut line: impl FnMut(&mut Dice) -> String) -> Capture {
    let mut text = String::new();
    for _ in 0..count {
        text += &line(dice);
        text.push('\n');
    }
    Capture::says(text)
}

fn syslog(dice: &mut Dice) -> Capture {
    lines(dice, 12, |d| {
        format!(
            "Jan 15 08:{:02}:{:02} ehr-db-{} {}[{}]: {}",
            d.roll(60),
            d.roll(60),
            d.roll(4),
            d.pick(&["sshd", "postfix/smtpd", "systemd", "CRON"]),
            d.roll(32_000),
            d.pick(&[
                "Accepted publickey for svc_backup from 10.20.30.41 port 51122 ssh2",
                "pam_unix(cron:session): session opened for user root(uid=0)",
                "Started Daily apt upgrade and clean activities.",
                "connect from mail.example.org[192.0.2.17]",
                "Reached target Multi-User System."
            ])
        )
    })
}

fn web_log(dice: &mut Dice) -> Capture {
    lines(dice, 12, |d| {
        format!(
            "10.{}.{}.{} - - [15/Jan/2024:08:{:02}:{:02} +0000] \"GET /api/v2/orders/{} HTTP/1.1\" 200 {} \"-\" \"curl/7.88.1\"",
            d.roll(255),
            d.roll(255),
            d.roll(255),
            d.roll(60),
            d.roll(60),
            d.roll(1_000_000),
            d.roll(90_000)
        )
    })
}

fn git_log(dice: &mut Dice) -> Capture {
    lines(dice, 5, |d| {
        format!(
            "commit {:016x}{:016x}{:08x}\nDate:   Mon Jan 15 08:30:{:02} 2024 +0100\n\n    {}\n",
            d.roll(u64::MAX),
            d.roll(u64::MAX),
            d.roll(1 << 32),
            d.roll(60),
            d.pick(&[
                "Fix the address family of the listener",
                "Name the index after its table",
                "Bump version to 2.14.1",
                "Mark the first visit as done"
            ])
        )
    })
}

fn ls(dice: &mut Dice) -> Capture {
    lines(dice, 12, |d| {
        format!(
            "-rw-r--r--  1 root  postgres  {:>9} Jan {:>2} 08:{:02} {}.{}",
            d.roll(99_999_999),
            1 + d.roll(28),
            d.roll(60),
            d.pick(&["base", "wal_0000001", "patients_backup", "report-2024-01-15"]),
            d.pick(&["gz", "sql", "log"])
        )
    })
}

fn kubectl(dice: &mut Dice) -> Capture {
    let rows = lines(dice, 8, |d| {
        format!(
            "mirth-connect-{:08x}-{:05x}   1/1     Running   {}          {}d   10.244.{}.{}   node-{}",
            d.roll(1 << 32),
            d.roll(1 << 20),
            d.roll(9),
            d.roll(200),
            d.roll(9),
            d.roll(255),
            d.roll(9)
        )
    });
    Capture::says(format!("NAME                             READY   STATUS    RESTARTS   AGE   IP             NODE\n{}", rows.text))
}

fn ip_addr(dice: &mut Dice) -> Capture {
    lines(dice, 4, |d| {
        format!(
            "{}: eth{}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq state UP\n    link/ether 02:42:ac:{:02x}:{:02x}:{:02x} brd ff:ff:ff:ff:ff:ff\n    inet 192.168.{}.{}/24 brd 192.168.1.255 scope global eth0",
            d.roll(9),
            d.roll(9),
            d.roll(255),
            d.roll(255),
            d.roll(255),
            d.roll(255),
            d.roll(255)
        )
    })
}

fn ddl(_: &mut Dice) -> Capture {
    Capture::says(
        "ehr=> \\d patients\n                 Table \"public.patients\"\n   Column   |         Type          | Collation | Nullable | Default \n------------+-----------------------+-----------+----------+---------\n mrn        | text                  |           | not null | \n last_name  | character varying(80) |           |          | \n first_name | character varying(80) |           |          | \n dob        | date                  |           |          | \n ssn        | character(11)         |           |          | \n phone      | text                  |           |          | \nIndexes:\n    \"patients_pkey\" PRIMARY KEY, btree (mrn)\n    \"patients_name\" btree (last_name, first_name)\n\nCREATE TABLE visits (visit_id bigint PRIMARY KEY, mrn text REFERENCES patients (mrn), admit_date date, street text);\n",
    )
}

fn catalogue(_: &mut Dice) -> Capture {
    Capture::says(
        "                List of relations\n Schema |       Name       | Type  |  Owner   \n--------+------------------+-------+----------\n public | patients         | table | postgres\n public | Visit Notes      | table | postgres\n public | lab_results      | table | ehr_app\n(3 rows)\n\n   Name    |  Owner   | Encoding | Collate |  Ctype  \n-----------+----------+----------+---------+---------\n ehr       | postgres | UTF8     | C.UTF-8 | C.UTF-8\n template0 | postgres | UTF8     | C.UTF-8 | C.UTF-8\n(2 rows)\n",
    )
}

fn vitals(dice: &mut Dice) -> Capture {
    lines(dice, 8, |d| {
        format!(
            "08:{:02} HR {} bpm  BP {}/{}  SpO2 9{}%  Temp 36.{} C  RR {}  glucose {} mg/dL  pH 7.{}  age {}",
            d.roll(60),
            60 + d.roll(60),
            100 + d.roll(50),
            60 + d.roll(30),
            d.roll(10),
            d.roll(10),
            12 + d.roll(9),
            80 + d.roll(90),
            30 + d.roll(20),
            20 + d.roll(69)
        )
    })
}

fn jobs(dice: &mut Dice) -> Capture {
    lines(dice, 8, |d| {
        format!(
            "2024-01-15T08:30:{:02}.{:03}Z INFO job {:08x}-{:04x}-4{:03x}-9{:03x}-{:012x} state=done retries={} version=2.{}.{}",
            d.roll(60),
            d.roll(1000),
            d.roll(1 << 32),
            d.roll(1 << 16),
            d.roll(1 << 12),
            d.roll(1 << 12),
            d.roll(1 << 48),
            d.roll(9),
            d.roll(30),
            d.roll(30)
        )
    })
}

fn dmesg(dice: &mut Dice) -> Capture {
    lines(dice, 8, |d| {
        format!(
            "[{:>5}.{:06}] {}\nGet:{} http://deb.debian.org/debian bookworm/main amd64 libssl3 amd64 3.0.{}-1~deb12u2 [2,019 kB]",
            d.roll(99_999),
            d.roll(1_000_000),
            d.pick(&[
                "usb 1-1: New USB device found, idVendor=0781, idProduct=5567",
                "EXT4-fs (sda1): mounted filesystem with ordered data mode",
                "ACPI: Power Button [PWRF]",
                "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)"
            ]),
            d.roll(99),
            d.roll(20)
        )
    })
}

fn build(dice: &mut Dice) -> Capture {
    lines(dice, 8, |d| {
        format!(
            "   Compiling {} v{}.{}.{}\nerror[E0{}]: cannot find value `first_name` in this scope --> src/patient.rs:{}:{}",
            d.pick(&["serde", "tokio", "name-of-crate"]),
            d.roll(9),
            d.roll(99),
            d.roll(99),
            100 + d.roll(800),
            d.roll(900),
            d.roll(99)
        )
    })
}
