//! What somebody searches for: `grep -i 'Whitfield' patients.csv`. The pattern was typed, so no label is near it; what the command looks in
//! and how the pattern is written have to say it.

use std::ops::Range;

use super::{Found, Rule, shapes::is_name_word, value};
use crate::{kind::Kind, rules::RuleSet};

const COMMANDS: [&str; 10] = ["grep ", "egrep ", "fgrep ", "zgrep ", "rg ", "ag ", "ack ", "awk ", "sed ", "findstr "];

/// Does a word end like a command's name? Asked of every line.
fn may_be_in(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b' ', bytes).any(|blank| {
        matches!(
            &bytes[..blank],
            [.., b'r', b'e', b'p'] | [.., b'g'] | [.., b'a', b'c' | b'w', b'k'] | [.., b's', b'e', b'd'] | [.., b's', b't', b'r']
        )
    })
}

/// `open`: still being typed; what the command looks in may not be there yet.
pub(super) fn find(line: &str, open: bool, rules: &RuleSet, found: &mut Vec<Found>) {
    if !may_be_in(line.as_bytes()) {
        return;
    }
    let Some(start) = COMMANDS.iter().find_map(|command| {
        let at = line.find(command)?;
        (at == 0 || matches!(line.as_bytes()[at - 1], b' ' | b'|' | b'(' | b'`' | b'/')).then_some(at + command.len())
    }) else {
        return;
    };
    let rest = &line[start..];
    let about_patients = open
        || [
            "patient",
            "hl7",
            "adt",
            "demog",
            "admission",
            "census",
            "mpi",
            "pid",
            "person",
            "member",
            "claim",
            "837",
            "835",
            "834",
            "registration",
            "ehr",
            "emr",
            "dicom",
            "ccda",
            "fhir",
            "chart",
            "encounter",
            "insur",
            "mrn",
            "oru",
            "orm",
            "siu",
            "export",
        ]
        .iter()
        .any(|word| line.as_bytes().windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes())));
    let mut at = 0;
    for piece in arguments(rest) {
        let text = &rest[piece.clone()];
        if text.starts_with('-') && !text.contains('=') {
            continue;
        }
        at += 1;
        // The first argument is the pattern, the next ones are files.
        if at > 1 {
            break;
        }
        let core = text.trim_matches(['^', '$', '.', '*', '\\', '/', '{', '}', ' ', '(', ')', '|']);
        let begin = start
            + piece.start
            + (text.len() - text.trim_start_matches(['^', '$', '.', '*', '\\', '/', '{', '}', ' ', '(', ')', '|']).len());
        if let Some(kind) = searched(core, about_patients, rules) {
            found.push(Found::new(begin..begin + core.len(), kind, Rule::Typed));
        }
    }
}

fn searched(text: &str, about_patients: bool, rules: &RuleSet) -> Option<Kind> {
    if text.len() < 3 || text.len() > 60 {
        return None;
    }
    if value::is_ssn_text(text) {
        return Some(Kind::Ssn);
    }
    if value::is_phone(text) {
        return Some(Kind::Phone);
    }
    let words: Vec<&str> = text.split([' ', ',', '^', '|', '\\', '.']).filter(|word| !word.is_empty()).collect();
    let names = !words.is_empty() && words.len() <= 3 && words.iter().all(|word| is_name_word(word, rules));
    let mixed = words.iter().all(|word| word.chars().skip(1).any(char::is_lowercase));
    if names && ((words.len() > 1 && (text.contains([',', '^']) || about_patients)) || (about_patients && (mixed || text.len() >= 4))) {
        return Some(Kind::Name);
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if about_patients && value::whole_date(text).is_some() {
        return Some(Kind::Birth);
    }
    (about_patients && value::is_code_alone(text, 5) && digits >= 5 && !text.contains(['.', ':', '/', '_'])).then_some(Kind::Mrn)
}

/// Words and quoted strings of a command up to the next one.
fn arguments(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut at = 0;
    while at < bytes.len() && parts.len() < 12 {
        match bytes[at] {
            b' ' => at += 1,
            b'|' | b';' | b'&' => break,
            quote @ (b'"' | b'\'') => {
                let end = bytes[at + 1..].iter().position(|b| *b == quote).map_or(bytes.len(), |end| at + 1 + end);
                parts.push(at + 1..end);
                at = end + 1;
            }
            _ => {
                let end = bytes[at..].iter().position(|b| *b == b' ').map_or(bytes.len(), |end| at + end);
                parts.push(at..end);
                at = end;
            }
        }
    }
    parts
}
