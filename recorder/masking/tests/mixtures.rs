//! Lines made of what the classifiers look for, in any order: nothing falls over, and no gate changes what is said.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod common;

use std::sync::Arc;

use anteroom_masking::{MaskedEvent, Masker, RuleSet};
use common::{ms, text};

const TOKENS: &[&str] = &[
    // People, and words around them.
    "Whitfield",
    "Ann",
    "WHITFIELD,ANN",
    "Whitfield^Ann^M",
    "O'Brien",
    "de",
    "la",
    "Cruz",
    "van",
    "Q.",
    "Dr.",
    "Mrs.",
    "MD",
    "Grant",
    "Faith",
    "山田",
    "Zoë",
    "d\u{301}",
    "patient",
    "Patient",
    "PATIENT",
    "wife",
    "daughter",
    "chart",
    "for",
    "of",
    "born",
    "admitted",
    "seen",
    "on",
    "is",
    "a",
    "Dear",
    "Sincerely",
    "name",
    "Name",
    "I am",
    "my",
    // Numbers, days, places.
    "E004512",
    "MRN60221530",
    "05-91-11",
    "078-05-1120",
    "078 05 1120",
    "1954-03-11",
    "19540311",
    "03/11/1954",
    "11-MAR-54",
    "97M",
    "92 y/o",
    "61F",
    "93",
    "F",
    "555-014-2231",
    "(212) 555-0123",
    "4075550124",
    "12 Elm Street",
    "PO Box 12",
    "Richmond, VA 23220",
    "50667 Köln",
    "VA",
    "ann@example.org",
    "203.0.113.9",
    "10.1.4.22",
    "1FEXMKQBEAC870260",
    "KJX-4471",
    "7",
    "0",
    "2024-01-15T08:30:00Z",
    "08:30:00",
    "2231",
    "a3f9c0de",
    // Labels and signs.
    "MRN",
    "mrn",
    "DOB",
    "last_name",
    "first_name",
    "dob",
    "ssn",
    "phone",
    "address",
    "City",
    "Emergency Contact #1",
    "Acct #",
    "ID Number (insurance)",
    "patientMrn",
    "id",
    ":",
    "=",
    "?",
    "|",
    ",",
    ";",
    "^",
    "~",
    "&",
    "#",
    "!",
    "*",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "/",
    "\\",
    "\"",
    "'",
    "`",
    "@",
    "%",
    "+",
    "-",
    "_",
    ".",
    "....",
    "____",
    "--",
    "==",
    "│",
    "：",
    "’",
    "\u{fffd}",
    "\u{feff}",
    "$1",
    "\\N",
    "NULL",
    "\\.",
    // Formats.
    "MSH|^~\\&|",
    "PID|1||",
    "PV1|1|",
    "ZPI|",
    "PID-5",
    "PID.5.1",
    "P|1|",
    "\\rPID|",
    "\\x0dMSH|^~\\&|",
    "ISA*00*",
    "NM1*IL*1*",
    "REF*",
    "DMG*D8*",
    "N3*",
    "(0010,0010)",
    "0010,0020",
    "PN",
    "LO [",
    "VR=<PN>",
    "^DPT(",
    "^PATIENT(\"",
    "{\"patient\":",
    "\"resourceType\":\"Patient\"",
    "\"family\":",
    "<patient>",
    "</patient>",
    "<name>",
    "family=\"",
    "key:",
    "- ",
    "# ",
    "/fhir/Patient/",
    "/fhir/Patient?family=",
    "patients/_search?",
    "%2F",
    "SELECT mrn, last_name FROM",
    "select ",
    "INSERT INTO patients (mrn, last_name) VALUES",
    "VALUES (",
    "CREATE TABLE t (mrn text,",
    " in (",
    " BETWEEN ",
    " like '",
    "parameters: $1 = '",
    "COPY p (mrn, dob) FROM stdin;",
    "-[ RECORD 1 ]",
    "*** 1. row ***",
    "----+----",
    "-----",
    "==========",
    "____________",
    "(3 rows)",
    "00000000: 4d52",
    "00000010  4d 52 4e 20",
    "0x0000:",
    "0000020 4d52",
    "1) \"mrn\"",
    "2) \"E004512\"",
    "grep -i ",
    "Author:",
    "[generated in 0.1s] (",
    "export ",
    "put('mrn', '",
    "Select",
    "C> ",
    "$ ",
    "INFO",
    "ERROR",
    "mail ",
];

const BETWEEN: &[&str] = &["", "", " ", " ", " ", "  ", "   ", "\t", ", ", ": "];

/// A linear congruential generator (Knuth, MMIX).
struct Dice(u64);

impl Dice {
    fn of(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }

    fn line(&mut self) -> String {
        let mut line = BETWEEN[self.of(BETWEEN.len())].to_owned();
        for _ in 0..=self.of(12) {
            line.push_str(TOKENS[self.of(TOKENS.len())]);
            line.push_str(BETWEEN[self.of(BETWEEN.len())]);
        }
        line.push_str("\r\n");
        line
    }
}

type Make = fn(Arc<RuleSet>, (u16, u16)) -> Masker;

fn shown(masker: Masker, lines: &[String]) -> (String, Vec<String>) {
    let mut masker = masker.explain();
    let mut out: Vec<MaskedEvent> = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        masker.feed(ms(40 * (n as u64 / 5)), line.as_bytes(), &mut out);
    }
    let summary = masker.finish(ms(1_000_000), &mut out);
    (text(&out), summary.spans.iter().map(|span| format!("{span:?}")).collect())
}

#[test]
fn lines_of_anything_are_survived_and_no_gate_changes_what_is_said() {
    let rounds = std::env::var("ANTEROOM_MIXTURES").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(400);
    let (gated, open) = (Arc::new(RuleSet::builtin()), Arc::new(RuleSet::builtin().without_gates()));
    for round in 0..rounds {
        let mut dice = Dice(round);
        let lines: Vec<String> = (0..30).map(|_| dice.line()).collect();
        // A narrow one folds lines, another is full of them.
        let size = [(200, 50), (37, 9)][dice.of(2)];
        let kinds: [(&str, Make); 2] =
            [("terminal", |rules, (cols, rows)| Masker::new(rules, cols, rows)), ("no terminal", |rules, _| Masker::plain(rules))];
        for (kind, masker) in kinds {
            let with = shown(masker(Arc::clone(&gated), size), &lines);
            let without = shown(masker(Arc::clone(&open), size), &lines);
            let only = |one: &[String], other: &[String]| one.iter().filter(|span| !other.contains(span)).cloned().collect::<Vec<_>>();
            let differs = (only(&without.1, &with.1), only(&with.1, &without.1));
            assert!(
                with == without,
                "round {round}, {kind}: only without gates {:?}, only with them {:?}\n{}",
                differs.0,
                differs.1,
                lines.concat()
            );
        }
    }
}
