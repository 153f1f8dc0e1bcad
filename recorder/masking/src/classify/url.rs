//! Addresses that name a patient: `/fhir/Patient/p-88123`, `/patients/99812/labs` (FHIR R4 RESTful API, section 3.1.0.1.2), and searches
//! for one: `/fhir/Patient?family=Whitfield&birthdate=1954-03-11` (section 3.1.1, search parameters of Patient), `?patient=99812`.

use super::{Found, Rule, value::fills};
use crate::{kind::Kind, rules::RuleSet};

/// Looked for in every line: made once.
static PATIENT: std::sync::LazyLock<memchr::memmem::Finder<'static>> = std::sync::LazyLock::new(|| memchr::memmem::Finder::new("atient"));

/// Search parameters of FHIR R4's Patient, RelatedPerson and Person.
const PARAMETERS: [(&str, Kind); 18] = [
    ("_id", Kind::Mrn),
    ("identifier", Kind::Mrn),
    ("family", Kind::Name),
    ("given", Kind::Name),
    ("name", Kind::Name),
    ("phonetic", Kind::Name),
    ("birthdate", Kind::Birth),
    ("death-date", Kind::Date),
    ("phone", Kind::Phone),
    ("email", Kind::Email),
    ("telecom", Kind::Phone),
    ("address", Kind::Address),
    ("address-city", Kind::City),
    ("address-postalcode", Kind::Zip),
    ("patient", Kind::Mrn),
    ("subject", Kind::Mrn),
    ("q", Kind::Name),
    ("query", Kind::Name),
];

pub(super) fn find(line: &str, rules: &RuleSet, found: &mut Vec<Found>) {
    let bytes = line.as_bytes();
    for hit in PATIENT.find_iter(bytes) {
        if hit == 0 || !matches!(bytes[hit - 1], b'P' | b'p') {
            continue;
        }
        let mut at = hit + 6;
        at += usize::from(bytes.get(at) == Some(&b's'));
        let search = bytes[at..].starts_with(b"/_search");
        at += if search { 8 } else { 0 };
        if bytes.get(at) == Some(&b'?') && line[..hit].ends_with(['P', 'p']) {
            parameters(line, at + 1, rules, found);
            continue;
        }
        let encoded = bytes[at..].starts_with(b"%2F");
        if bytes.get(at) != Some(&b'/') && !encoded {
            continue;
        }
        at += if encoded { 3 } else { 1 };
        let length = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')).count();
        let id = &line[at..at + length];
        // "src/patient/mod.rs" is a path of somebody's program.
        let file = id.rfind('.').is_some_and(|dot| id[dot..].bytes().skip(1).all(|b| b.is_ascii_alphabetic()));
        if id.bytes().any(|b| b.is_ascii_digit()) && !file && id.len() >= 2 {
            found.push(Found::new(at..at + length, Kind::Mrn, Rule::Label));
        }
    }
}

/// The parameters of a search among patients, up to the address's end.
fn parameters(line: &str, from: usize, rules: &RuleSet, found: &mut Vec<Found>) {
    let end = line[from..].find([' ', '"', '\'', '#', '>', '<', '`']).map_or(line.len(), |end| from + end);
    let mut start = from;
    for pair in line[from..end].split('&') {
        let pair_end = start + pair.len();
        if let Some((key, value)) = pair.split_once('=') {
            // "family:exact", "birthdate=ge1950-01-01", "identifier=http://hospital|E004512".
            let key = key.split([':', '.']).next().unwrap_or_default();
            let text = match key {
                "birthdate" | "death-date" => value.trim_start_matches(|c: char| c.is_ascii_lowercase()),
                "patient" | "subject" => value.trim_start_matches("Patient/").trim_start_matches("Patient%2F"),
                _ => value.rsplit('|').next().and_then(|last| last.rsplit("%7C").next()).unwrap_or(value),
            };
            let range = pair_end - text.len()..pair_end;
            let kind = PARAMETERS.iter().find(|(name, _)| key.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind);
            if let Some(kind) = kind.filter(|kind| is_value(*kind, text, rules)) {
                found.push(Found::new(range, kind, Rule::Label));
            }
        }
        start = pair_end + 1;
    }
}

fn is_value(kind: Kind, text: &str, rules: &RuleSet) -> bool {
    let encoded = text.contains(['%', '+']);
    (kind == Kind::Name && encoded && text.len() > 2) || fills(kind, &text.replace("%40", "@"), true, rules)
}
