//! Addresses that name a patient: `/fhir/Patient/p-88123`, `/patients/99812/labs` (FHIR R4 RESTful API, section 3.1.0.1.2).

use super::{Found, Rule};
use crate::kind::Kind;

/// Looked for in every line: made once.
static PATIENT: std::sync::LazyLock<memchr::memmem::Finder<'static>> = std::sync::LazyLock::new(|| memchr::memmem::Finder::new("atient"));

pub(super) fn find(line: &str, found: &mut Vec<Found>) {
    let bytes = line.as_bytes();
    for hit in PATIENT.find_iter(bytes) {
        if hit == 0 || !matches!(bytes[hit - 1], b'P' | b'p') {
            continue;
        }
        let mut at = hit + 6;
        at += usize::from(bytes.get(at) == Some(&b's'));
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
