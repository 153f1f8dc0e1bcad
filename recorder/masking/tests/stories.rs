//! What a person would say about masked recordings.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod common;

use anteroom_masking::{MaskedEvent, Masker};
use common::{Terminal, mask, ms, plain, rules, screen, text};

const PSQL: &str = "\
ehr=# select mrn, last_name, first_name, dob, phone, city, hgb from patients;
   mrn   | last_name | first_name |    dob     |    phone     |   city   | hgb  
---------+-----------+------------+------------+--------------+----------+------
 E004512 | Whitfield | Marguerite | 1954-03-11 | 555-014-2231 | Ashburn  | 13.2
 E004513 | Okonkwo   | Tobias     | 1987-11-30 | 555-014-8890 | Leesburg |  9.8
(2 rows)

ehr=# ";

#[test]
fn a_psql_table_keeps_header_and_clinical_values_and_hides_the_person() {
    for shown in [screen(PSQL), plain(PSQL)] {
        for hidden in ["E004512", "Whitfield", "Marguerite", "1954-03-11", "555-014-2231", "Ashburn", "Okonkwo", "Tobias"] {
            assert!(!shown.contains(hidden), "{hidden} is readable:\n{shown}");
        }
        for kept in ["mrn", "last_name", "dob", "hgb", "13.2", "9.8", "(2 rows)", "select mrn, last_name", "ehr=#"] {
            assert!(shown.contains(kept), "{kept} is gone:\n{shown}");
        }
    }
}

#[test]
fn a_name_seen_in_its_column_is_found_where_it_stands_alone() {
    let shown = screen(&format!("{PSQL}\nnote: spoke with Whitfield about results, call back Tobias Okonkwo at 5550142231\n"));
    assert!(shown.contains("spoke with █████████ about results"), "{shown}");
    assert!(!shown.contains("Okonkwo") && !shown.contains("5550142231"), "{shown}");
}

#[test]
fn an_expanded_record_is_masked_by_its_keys() {
    let shown =
        screen("-[ RECORD 1 ]-----------\nmrn       | E004512\nlast_name | Whitfield\nssn       | 078-05-1120\nhgb       | 13.2\n\n");
    assert!(!shown.contains("E004512") && !shown.contains("Whitfield") && !shown.contains("078-05-1120"), "{shown}");
    assert!(shown.contains("hgb       | 13.2") && shown.contains("last_name | █████████"), "{shown}");
}

#[test]
fn other_clients_draw_other_tables() {
    let mysql = "mysql> select * from p;\n+-------+-----------+------------+\n| mrn   | last_name | birth_date |\n+-------+-----------+------------+\n| 99812 | Delacroix | 1961-07-04 |\n+-------+-----------+------------+\n1 row in set (0.00 sec)\n";
    let sqlite = "sqlite> select * from p;\nmrn    last_name   dob         hgb\n-----  ----------  ----------  ----\n99812  Delacroix   1961-07-04  12.1\n";
    let csv = "mrn,last_name,first_name,dob,weight_kg\n99812,Delacroix,\"Ann, Marie\",1961-07-04,71\n";
    let unaligned = "mrn|last_name|dob|hgb\n99812|Delacroix|1961-07-04|12.1\n(1 row)\n";
    let copy = "COPY public.patients (mrn, last_name, dob, hgb) FROM stdin;\n99812\tDelacroix\t1961-07-04\t12.1\n\\.\n";
    for table in [mysql, sqlite, csv, unaligned, copy] {
        for shown in [screen(table), plain(table)] {
            for hidden in ["99812", "Delacroix", "1961-07-04", "Ann"] {
                assert!(!shown.contains(hidden), "{hidden} is readable:\n{shown}");
            }
            assert!(shown.contains("last_name"), "the header is gone:\n{shown}");
        }
    }
    assert!(plain(mysql).contains("1 row in set"));
    assert!(plain(csv).contains(",71") && plain(sqlite).contains("12.1"));
}

#[test]
fn an_hl7_message_hides_the_patient_and_keeps_its_form() {
    let message = "MSH|^~\\&|LAB|MERCY|EHR|MERCY|20240115083000||ORU^R01|MSG00001|P|2.5.1\n\
PID|1||E004512^^^MERCY^MR||WHITFIELD^MARGUERITE^A||19540311|F|||12 ELM ST^^ASHBURN^VA^20147^USA||(555)014-2231^PRN^PH|||M||A7712^^^MERCY^AN|078-05-1120\n\
NK1|1|WHITFIELD^HAROLD|SPO|12 ELM ST^^ASHBURN^VA^20147|555-014-2232\n\
OBR|1|||718-7^Hemoglobin^LN|||20240115081500|||||||||1234^HOUSE^GREGORY^^^DR\n\
OBX|1|NM|718-7^Hemoglobin^LN||13.2|g/dL|12.0-16.0|N|||F\n";
    for shown in [screen(message), plain(message), plain(&message.replace('\n', "\r"))] {
        for hidden in [
            "E004512",
            "WHITFIELD",
            "MARGUERITE",
            "19540311",
            "ELM",
            "ASHBURN",
            "20147",
            "014-2231",
            "A7712",
            "078-05-1120",
            "HAROLD",
            "014-2232",
        ] {
            assert!(!shown.contains(hidden), "{hidden} is readable:\n{shown}");
        }
        for kept in [
            "MSH|^~\\&|LAB|MERCY",
            "20240115083000",
            "|F|",
            "^^^MERCY^MR",
            "^VA^",
            "718-7^Hemoglobin^LN",
            "13.2|g/dL|12.0-16.0",
            "HOUSE^GREGORY",
        ] {
            assert!(shown.contains(kept), "{kept} is gone:\n{shown}");
        }
    }
}

#[test]
fn segments_that_end_with_a_bare_carriage_return_do_not_leave_tails_on_the_screen() {
    let message = b"$ cat adt.hl7\r\nMSH|^~\\&|A|B|C|D|20240115||ADT^A01|1|P|2.5.1\rPID|1||E004512||WHITFIELD^MARGUERITE||19540311|F|||12 ELM ST^^ASHBURN^VA^20147||5550142231|||||A7712|078051120\rPV1|1|I|4W\r$ ";
    let (events, _) = mask(Masker::new(rules(), 80, 24), &[(0, message)]);
    let mut terminal = Terminal::new(80, 24);
    terminal.play(&events);
    let shown = terminal.text();
    for hidden in ["E004512", "WHITFIELD", "19540311", "ELM", "20147", "5550142231", "A7712", "078051120"] {
        assert!(!shown.contains(hidden), "{hidden} is readable:\n{shown}");
    }
    assert!(shown.contains("MSH|") && shown.contains("PV1|1|I|4W"), "{shown}");
}

#[test]
fn other_delimiters_are_taken_from_the_message_header() {
    let shown = plain("MSH#@~\\&#LAB#M#EHR#M#20240115##ADT@A01#1#P#2.5.1\nPID#1##E004512@@@MERCY@MR##WHITFIELD@MARGUERITE##19540311#F\n");
    assert!(!shown.contains("WHITFIELD") && !shown.contains("E004512") && !shown.contains("19540311"), "{shown}");
    assert!(shown.contains("#F"), "{shown}");
}

#[test]
fn labels_hide_what_they_name() {
    for (line, kept, hidden) in [
        (
            "Patient Name: Marguerite Whitfield   MRN: E004512   DOB: 03/11/1954  Sex: F",
            "Sex: F",
            &["Marguerite", "Whitfield", "E004512", "03/11/1954"][..],
        ),
        ("WARN order 8812 rejected: mrn=E004512 dob=1954-03-11 status=409", "status=409", &["E004512", "1954-03-11"]),
        (
            "select * from patients where last_name = 'Whitfield' and mrn='E004512';",
            "select * from patients where last_name = '",
            &["Whitfield", "E004512"],
        ),
        ("Email: m.whitfield@example.org Phone: (555) 014-2231", "Email: ", &["whitfield@", "014-2231"]),
        ("SSN 078-05-1120 verified", "verified", &["078-05-1120"]),
        ("Address: 12 Elm Street, Ashburn, VA 20147", "Address: ", &["Elm", "20147"]),
        ("{\"patientName\":\"Whitfield, M\",\"ssn\":\"078051120\",\"hr\":71}", "\"hr\":71", &["Whitfield", "078051120"]),
        ("<given>Marguerite</given><family>Whitfield</family><birthDate value=\"1954-03-11\"/>", "<birthDate value=", &["1954-03-11"]),
        ("Account Number......: 7712-99812", "Account Number......: ", &["7712-99812"]),
        ("seen by Dr. House, patient Marguerite Whitfield, 94 y/o, stable", "Dr. House", &["Marguerite", "94"]),
        ("PID-5 (Patient Name): WHITFIELD^MARGUERITE", "PID-5 (Patient Name): ", &["WHITFIELD"]),
    ] {
        for shown in [screen(&format!("{line}\n")), plain(&format!("{line}\n"))] {
            assert!(shown.contains(kept), "{kept:?} is gone: {shown}");
            for hidden in hidden {
                assert!(!shown.contains(hidden), "{hidden:?} is readable: {shown}");
            }
        }
    }
}

#[test]
fn a_fhir_resource_is_masked_by_the_meaning_of_its_keys() {
    let resource = r#"{
  "resourceType": "Patient",
  "id": "p-88123",
  "identifier": [ { "system": "urn:mercy", "value": "E004512" } ],
  "name": [
    {
      "family": "Whitfield",
      "given": [
        "Marguerite",
        "Ann"
      ]
    }
  ],
  "telecom": [ { "system": "phone", "value": "555-014-2231" } ],
  "gender": "female",
  "birthDate": "1954-03-11",
  "address": [ { "line": ["12 Elm Street"], "city": "Ashburn", "state": "VA", "postalCode": "20147" } ]
}
"#;
    for shown in [screen(resource), plain(resource)] {
        for hidden in ["p-88123", "E004512", "Whitfield", "Marguerite", "Ann\"", "014-2231", "1954-03-11", "Elm", "Ashburn", "20147"] {
            assert!(!shown.contains(hidden), "{hidden} is readable:\n{shown}");
        }
        for kept in ["\"resourceType\": \"Patient\"", "\"gender\": \"female\"", "\"state\": \"VA\"", "urn:mercy"] {
            assert!(shown.contains(kept), "{kept} is gone:\n{shown}");
        }
    }
}

#[test]
fn ordinary_work_stays_readable() {
    let lines = [
        "Jan 15 08:30:00 ehr-db-1 sshd[2211]: Accepted publickey for svc_backup from 10.20.30.41 port 51122 ssh2: ED25519 SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "2024-01-15T08:30:00.123Z INFO job 3f2504e0-4f89-11d3-9a0c-0305e82c3301 finished in 1532 ms",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "-rw-r--r-- 1 root root 1048576 Jan 15 08:30 /var/lib/postgresql/15/main/base/16384/2619",
        "psql (15.6 (Debian 15.6-0+deb12u1), server 15.6)",
        "eth0: inet 192.168.1.17/24 brd 192.168.1.255 scope global  ether 02:42:ac:11:00:02",
        "[    1.234567] usb 1-1: new high-speed USB device number 2 using xhci_hcd",
        "NAME                     READY   STATUS    RESTARTS   AGE",
        "mirth-connect-0          1/1     Running   0          94d",
        "HR 71 bpm  BP 120/80  SpO2 98%  Temp 36.6 C  glucose 104 mg/dL  age 67",
        "CREATE TABLE patients (mrn text PRIMARY KEY, last_name text, dob date, ssn char(11), phone varchar(20));",
        " Schema |   Name   | Type  |  Owner   ",
        "admin@ehr-db-1:~$ systemctl status postgresql",
        "root@ehr-db-1.mercy.example.org:/var/log# tail -f syslog",
        "git clone git@github.com:example/thing.git && cargo build --release",
        "curl: (7) Failed to connect to 10.0.0.5 port 8443 after 2103 ms: Couldn't connect to server",
        "total 123456  avg 555.1234  p99 2024-01-15",
    ];
    for line in lines {
        assert_eq!(plain(&format!("{line}\n")), format!("{line}\r\n"));
    }
    let shown = screen(
        " Schema |   Name   | Type  |  Owner   \n--------+----------+-------+----------\n public | patients | table | postgres\n(1 row)\n",
    );
    assert!(shown.contains("public | patients | table | postgres"), "{shown}");
}

#[test]
fn titles_links_and_clipboards_do_not_pass() {
    let (events, _) = mask(
        Masker::new(rules(), 80, 24),
        &[(0, b"\x1b]0;Whitfield E004512\x07a\x1b]8;;http://ehr/Whitfield\x1b\\link\x1b]8;;\x1b\\\x1b]52;c;V2hpdGZpZWxk\x07\x1bPqWhitfield\x1b\\z\r\n")],
    );
    assert_eq!(text(&events), "alinkz\r\n");
}

#[test]
fn typing_a_known_name_letter_by_letter_does_not_show_it() {
    let mut chunks: Vec<(u64, Vec<u8>)> = vec![(0, PSQL.replace('\n', "\r\n").into_bytes())];
    for (n, c) in "\\echo Whitfield".bytes().enumerate() {
        chunks.push((1000 + 150 * n as u64, vec![c]));
    }
    let chunks: Vec<(u64, &[u8])> = chunks.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
    let (events, summary) = mask(Masker::new(rules(), 100, 30), &chunks);
    let mut terminal = Terminal::new(100, 30);
    for event in &events {
        terminal.play(std::slice::from_ref(event));
        for part in ["Wh", "Whit", "Whitfiel", "hitfield"] {
            assert!(!terminal.text().contains(part), "{part} was on the screen:\n{}", terminal.text());
        }
    }
    assert!(terminal.text().contains("\\echo █████████"), "{}", terminal.text());
    assert!(!summary.incomplete);
}

#[test]
fn commands_are_readable_while_they_are_typed() {
    let typed: Vec<(u64, Vec<u8>)> = "$ systemctl status".bytes().enumerate().map(|(n, c)| (100 * n as u64, vec![c])).collect();
    let chunks: Vec<(u64, &[u8])> = typed.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
    let (events, _) = mask(Masker::new(rules(), 100, 30), &chunks);
    assert!(events.len() > 10, "every key is a frame");
    assert!(!text(&events).contains('█'));
}

#[test]
fn a_full_screen_program_is_masked_and_gone_when_it_ends() {
    let form = "\x1b[?1049h\x1b[2J\x1b[3;5HPatient Name:\x1b[3;20H\x1b[1mWhitfield, Marguerite\x1b[0m\x1b[4;5HMRN:\x1b[4;20HE004512\x1b[24;1H\x1b[7m F1 Help \x1b[0m";
    let (events, _) = mask(Masker::new(rules(), 80, 24), &[(0, b"$ form\r\n"), (100, form.as_bytes()), (900, b"\x1b[?1049l$ ")]);
    let mut terminal = Terminal::new(80, 24);
    terminal.play(&events[..2]);
    let shown = terminal.text();
    assert!(shown.contains("Patient Name:  █████████") && shown.contains("MRN:           ███████") && shown.contains("F1 Help"), "{shown}");
    assert!(!shown.contains("Whitfield") && !shown.contains("E004512"));
    terminal.play(&events[2..]);
    assert_eq!(terminal.text(), "$ form\n$\n");
}

#[test]
fn a_scrolled_page_of_a_table_is_known_by_its_bars() {
    let table = "   mrn   | last_name | hgb  \n---------+-----------+------\n E004512 | Whitfield | 13.2\n";
    let page = "\x1b[?1049h\x1b[H E009999 | Okonkwo   |  9.1\x1b[2;1H E009998 | Delacroix |  9.2\x1b[24;1H:";
    let (events, _) =
        mask(Masker::new(rules(), 80, 24), &[(0, table.replace('\n', "\r\n").as_bytes()), (100, page.as_bytes()), (300, b" ")]);
    let mut terminal = Terminal::new(80, 24);
    terminal.play(&events);
    let shown = terminal.text();
    assert!(!shown.contains("E009999") && !shown.contains("Delacroix") && shown.contains("9.2"), "{shown}");
}

#[test]
fn wide_characters_are_masked_by_wide_characters() {
    let shown = screen("Patient Name: 山田 太郎  Sex: M\n");
    assert!(shown.contains("Patient Name: 〓〓 〓〓  Sex: M"), "{shown}");
}

#[test]
fn a_latin_1_message_is_text_and_masked() {
    let (events, _) = mask(Masker::plain(rules()), &[(0, b"Patient Name: M\xfcller, Zo\xeb\nhgb 13.2\n")]);
    assert!(!text(&events).contains("ller") && text(&events).contains("hgb 13.2"), "{}", text(&events));
}

#[test]
fn binary_output_becomes_a_note() {
    let mut tar = vec![0u8; 3 << 20];
    tar[..12].copy_from_slice(b"patients.csv");
    let (events, summary) = mask(Masker::plain(rules()), &[(0, &tar[..100]), (5, &tar[100..])]);
    assert_eq!(text(&events), "[binary, 3.0 MiB not shown]\r\n");
    assert!(!summary.incomplete);
}

#[test]
fn an_identifier_that_was_readable_before_it_was_known_makes_the_recording_incomplete() {
    let (_, summary) = mask(Masker::plain(rules()), &[(0, b"spoke with Okonkwo\n"), (500, b"last_name: Okonkwo\n")]);
    assert!(summary.incomplete);
    let (_, summary) = mask(Masker::new(rules(), 80, 24), &[(0, b"spoke with Okonkwo\r\n"), (500, b"last_name: Okonkwo\r\n")]);
    assert!(summary.incomplete);
    let (_, summary) = mask(Masker::plain(rules()), &[(0, b"last_name: Okonkwo\nspoke with Okonkwo\n")]);
    assert!(!summary.incomplete);
    assert_eq!(summary.counts["name"], 1);
}

#[test]
fn what_comes_in_one_burst_is_looked_at_as_a_whole() {
    let note = "spoke with Okonkwo\nlast_name: Okonkwo\n";
    for shown in [plain(note), screen(note)] {
        assert!(!shown.contains("Okonkwo"), "{shown}");
    }
}

#[test]
fn settling_by_the_clock_gives_the_same_events() {
    let feed = |tick: bool| {
        let mut masker = Masker::new(rules(), 80, 24);
        let mut out = Vec::new();
        for (n, line) in PSQL.lines().enumerate() {
            let at = ms(50 * n as u64);
            masker.feed(at, line.as_bytes(), &mut out);
            masker.feed(at, b"\r\n", &mut out);
            if tick {
                masker.settle(at + ms(10), &mut out);
                masker.settle(at + ms(40), &mut out);
            }
        }
        masker.finish(ms(1000), &mut out);
        out
    };
    assert_eq!(feed(true), feed(false));
}

#[test]
fn a_resize_is_an_event_and_the_screen_is_painted_anew() {
    let mut masker = Masker::new(rules(), 80, 24);
    let mut out = Vec::new();
    masker.feed(ms(0), b"hello\r\n", &mut out);
    masker.resize(ms(100), 40, 10, &mut out);
    masker.feed(ms(200), b"$ ", &mut out);
    masker.finish(ms(300), &mut out);
    assert!(out.contains(&MaskedEvent::Resize { at: ms(100), cols: 40, rows: 10 }));
    let mut terminal = Terminal::new(80, 24);
    terminal.play(&out);
    assert!(terminal.text().ends_with("hello\n$\n"), "{:?}", out);
}

#[test]
fn a_command_line_is_masked() {
    let mut masker = Masker::plain(rules());
    assert_eq!(
        masker.mask_line("psql -c \"select * from p where mrn = 'E004512'\"\x1b]0;x\x07").as_str(),
        "psql -c \"select * from p where mrn = '███████'\" ]0;x "
    );
}

/// As a gateway notes them: masked in one place and shown in the other, their name would close the recording.
#[test]
fn who_supervises_a_session_is_no_patient_in_what_is_noted_of_it() {
    for name in ["Maria Schmidt", "Nora Example", "John Smith"] {
        let mut masker = Masker::plain(rules());
        for note in [
            format!("a supervisor watches: {name}"),
            format!("supervisors watch: {name}, Ben Example"),
            format!("noted by {name}: replaced the coil driver"),
            format!("noted by {name}: let the session go on for 10 minutes after its grant's end"),
            format!("message from {name}: please finish"),
        ] {
            assert_eq!(masker.mask_line(&note).as_str(), note);
        }
    }
}

#[test]
fn what_comes_after_binary_output_and_a_pause_is_masked_text_again() {
    let noise: Vec<u8> = (0..20_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let row = b"Patient Name: Whitfield, Ann\nMRN: E004512\nall well\n";
    let chunks: [(u64, &[u8]); 5] = [(0, &noise), (10, row), (900, &noise), (1_950, row), (2_000, b"done\n")];
    let (events, _) = mask(Masker::plain(rules()), &chunks);
    let shown = text(&events);
    // 50 ms or 890 ms behind binary output, text is part of it.
    assert!(shown.starts_with(&format!("[binary, {} bytes not shown]", 2 * noise.len() + row.len())), "{shown}");
    assert_eq!(shown.matches("all well").count(), 1, "{shown}");
    assert!(shown.contains("done") && !shown.contains("Whitfield") && !shown.contains("E004512"), "{shown}");
    // The other way round nothing is lost that was text.
    let (events, _) = mask(Masker::plain(rules()), &[(0, b"before\n"), (100, &noise), (2_000, &noise)]);
    let shown = text(&events);
    assert_eq!((shown.contains("before"), shown.matches("[binary, 20000 bytes not shown]").count()), (true, 2), "{shown}");
}

/// Feeds text key by key, a tenth of a second apart, and says what was on the screen at any time.
fn typed(before: &str, keys: &str) -> Vec<String> {
    let mut chunks: Vec<(u64, Vec<u8>)> = vec![(0, before.replace('\n', "\r\n").into_bytes())];
    for (n, c) in keys.chars().enumerate() {
        // A shell answers a backspace with three characters.
        let echo = if c == '\u{8}' { "\x08 \x08".to_owned() } else { c.to_string().replace('\n', "\r\n") };
        chunks.push((1000 + 100 * n as u64, echo.into_bytes()));
    }
    let chunks: Vec<(u64, &[u8])> = chunks.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
    let (events, _) = mask(Masker::new(rules(), 100, 30), &chunks);
    let mut terminal = Terminal::new(100, 30);
    events
        .iter()
        .map(|event| {
            terminal.play(std::slice::from_ref(event));
            terminal.text()
        })
        .collect()
}

#[test]
fn a_name_typed_into_a_search_is_never_on_the_screen() {
    for keys in [
        "grep 'Whitfeld\u{8}\u{8}\u{8}ield' patients.csv\n",
        "psql -c \"select * from p where last_name = 'Whitfield'\"\n",
        "grep -i Whitfield adt.hl7\n",
    ] {
        let pages = typed("$ ", keys);
        for page in &pages {
            for part in ["Whi", "Whit", "hitf", "Whitfield", "ield'"] {
                assert!(!page.contains(part), "{part} of {keys:?} was on the screen:\n{page}");
            }
        }
        assert!(
            pages.last().unwrap().contains(keys.split_once(' ').unwrap().0),
            "{keys:?}: the command is gone:\n{}",
            pages.last().unwrap()
        );
    }
}

#[test]
fn what_a_line_says_about_those_above_it_is_heard() {
    let text = "name: Marguerite Whitfield\nsex: F\nmrn: E004512\n";
    for shown in [plain(text), screen(text)] {
        assert!(!shown.contains("Whitfield") && !shown.contains("E004512") && shown.contains("sex: F"), "{shown}");
    }
    // Nobody is named: a name of a thing stays.
    let text = "name: Network Manager\nsex: F\nversion: 1.42.4\n";
    assert_eq!(plain(text), text.replace('\n', "\r\n"));
}

#[test]
fn an_operator_adds_to_the_builtin_rules() {
    let text = "version = 1\nname = \"mri-3\"\nextends = \"builtin\"\nmask_providers = true\n[words]\nthings = [\"turbine\"]\n[[field]]\nkind = \"mrn\"\ncite = \"our own\"\nstrong = [\"scan ticket\"]\n";
    let own = std::sync::Arc::new(anteroom_masking::RuleSet::parse(text).unwrap());
    assert_ne!(own.sha256(), rules().sha256());
    let (events, _) = mask(Masker::plain(own), &[(0, b"scan_ticket=77-1204\nmrn=E004512\nATTENDING LAST NAME: House\n")]);
    assert_eq!(common::text(&events), "scan_ticket=███████\r\nmrn=███████\r\nATTENDING LAST NAME: █████\r\n");
    let error = anteroom_masking::RuleSet::parse("version = 1\nname = \"x\"\nextends = \"theirs\"\n").unwrap_err();
    assert_eq!(error.to_string(), "rules: line 3: extends: \"theirs\" cannot be extended; \"builtin\" can");
}

#[test]
fn what_stood_under_a_full_screen_program_does_not_come_back_in_a_later_line() {
    let (events, _) = mask(Masker::plain(rules()), &[(0, b"E004512 Whitfield\x1b[?1049h!\n\x1b[1mok\x1b[0m\n")]);
    let shown = text(&events);
    assert!(!shown.contains("004512") && !shown.contains("Whitfield") && shown.ends_with("ok\x1b[0m\r\n"), "{shown:?}");
}
