//! MUMPS globals: VistA's files as `ZWR`, `%G` and `%GO` print them, `^DPT(123,0)="DOE,JOHN^M^2450101^..."`, and other systems' globals by
//! their subscripts. Pieces are told apart by carets (VA FileMan, Programmer Manual, "Global File Structure").

use std::ops::Range;

use super::{Found, Rule, value};
use crate::{kind::Kind, rules::RuleSet};

/// VistA's Patient file (#2, ^DPT): node, then pieces that identify, from 1.
const PATIENT: [(&str, &[(usize, Kind)]); 16] = [
    ("0", &[(1, Kind::Name), (3, Kind::Birth), (9, Kind::Ssn)]),
    (".11", &[(1, Kind::Address), (2, Kind::Address), (3, Kind::Address), (4, Kind::City), (6, Kind::Zip), (12, Kind::Zip)]),
    (".121", &[(1, Kind::Address), (2, Kind::Address), (3, Kind::Address), (4, Kind::City), (6, Kind::Zip), (10, Kind::Phone)]),
    (".13", &[(1, Kind::Phone), (2, Kind::Phone), (3, Kind::Email), (4, Kind::Phone), (5, Kind::Phone)]),
    (".21", CONTACT),
    (".211", CONTACT),
    (
        ".22",
        &[(1, Kind::Zip), (2, Kind::Zip), (3, Kind::Zip), (4, Kind::Zip), (5, Kind::Zip), (6, Kind::Zip), (7, Kind::Zip), (8, Kind::Zip)],
    ),
    (".24", &[(1, Kind::Name), (2, Kind::Name), (3, Kind::Name)]),
    (".31", &[(3, Kind::HealthPlan)]),
    (".311", &[(3, Kind::Address), (4, Kind::Address), (5, Kind::Address), (6, Kind::City), (8, Kind::Zip), (9, Kind::Phone)]),
    (".33", CONTACT),
    (".331", CONTACT),
    (".34", CONTACT),
    (".35", &[(1, Kind::Date)]),
    ("MPI", &[(1, Kind::Mrn)]),
    (".01", &[(1, Kind::Name)]),
];

/// Next of kin, emergency contact, designee: name, relation, three lines of street, city, state, ZIP, phone.
const CONTACT: &[(usize, Kind)] =
    &[(1, Kind::Name), (3, Kind::Address), (4, Kind::Address), (5, Kind::Address), (6, Kind::City), (8, Kind::Zip), (9, Kind::Phone)];

/// Cross-references of ^DPT: the second subscript is the value.
const INDEXES: [(&str, Kind); 9] = [
    ("B", Kind::Name),
    ("SSN", Kind::Ssn),
    ("BS", Kind::Ssn),
    ("BS5", Kind::Ssn),
    ("ADOB", Kind::Birth),
    ("AICN", Kind::Mrn),
    ("NOP", Kind::Name),
    ("APHONE", Kind::Phone),
    ("ACFL", Kind::Mrn),
];

/// Subscripts of one reference; the standard asks for 255 characters at least, implementations take up to 1,019.
const MAX_SUBSCRIPTS_BYTES: usize = 2048;

/// True for a line with a global in it.
pub(super) fn find(line: &str, rules: &RuleSet, found: &mut Vec<Found>) -> bool {
    let bytes = line.as_bytes();
    let mut any = false;
    for caret in memchr::memchr_iter(b'^', bytes) {
        if caret > 0 && bytes[caret - 1].is_ascii_alphanumeric() {
            continue;
        }
        let length = bytes[caret + 1..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'%').count();
        let open = caret + 1 + length;
        if length == 0 || !bytes[caret + 1].is_ascii_alphabetic() && bytes[caret + 1] != b'%' || bytes.get(open) != Some(&b'(') {
            continue;
        }
        any = true;
        global(line, caret + 1..open, rules, found);
    }
    any
}

fn global(line: &str, name: Range<usize>, rules: &RuleSet, found: &mut Vec<Found>) {
    let (subscripts, close) = subscripts(line, name.end + 1);
    let quoted = |at: usize| subscripts.get(at).map(|range: &Range<usize>| line[range.clone()].trim_matches('"'));
    let name = &line[name];
    // VistA's New Person file (#200) is of its users.
    if name == "VA" && quoted(0) == Some("200") && !rules.mask_providers {
        return;
    }
    let patient_file = matches!(name, "DPT" | "AUPNPAT" | "PATIENT" | "PAT" | "PT");
    if patient_file {
        // `^PATIENT("E004512","NAME")`: a record's number is its first subscript.
        if let Some(range) = subscripts.first()
            && quoted(0).is_some_and(|text| line[range.clone()].starts_with('"') && value::is_code_alone(text, 4))
        {
            push(line, range.clone(), Kind::Mrn, rules, found);
        }
        for (index, kind) in INDEXES {
            if quoted(0) == Some(index)
                && let Some(range) = subscripts.get(1)
            {
                push(line, range.clone(), kind, rules, found);
            }
        }
    }
    // The value, when the line has one: `="..."`.
    let Some(rest) = line.get(close..).map(str::trim_start).and_then(|rest| rest.strip_prefix('=')) else { return };
    let value_start = line.len() - rest.trim_start().len();
    let value = value_of(line, value_start);
    let node = subscripts.last().map(|range| line[range.clone()].trim_matches('"'));
    let nodes = PATIENT.iter().find(|known| name == "DPT" && subscripts.len() == 2 && Some(known.0) == node);
    if let Some((_, pieces)) = nodes {
        for (number, range) in pieces_of(line, value.clone()).enumerate() {
            if let Some((_, kind)) = pieces.iter().find(|piece| piece.0 == number + 1) {
                push(line, range, *kind, rules, found);
            }
        }
        return;
    }
    // Patient Movement (#405): admissions, transfers, discharges.
    if name == "DGPM" && node == Some("0") {
        if let Some(range) = pieces_of(line, value).next().filter(|range| is_fileman_date(&line[range.clone()])) {
            push(line, range, Kind::Date, rules, found);
        }
        return;
    }
    // `^PATIENT(5,"NAME")="..."`, `^PAT("DOB",5)=...`: a subscript that is a label. A patient file's "NAME" is the patient's.
    let mut labels = subscripts
        .iter()
        .filter(|range| line[(*range).clone()].starts_with('"'))
        .filter_map(|range| rules.vocabulary.label(line[range.clone()].trim_matches('"')));
    if let Some(label) = labels.rfind(|label| label.strong || patient_file || rules.vocabulary.only_persons(name)) {
        let date = label.kind == Kind::Birth || label.kind == Kind::Date;
        if date && is_fileman_date(&line[value.clone()]) || value::fills(label.kind, &line[value.clone()], true, rules) {
            return found.push(Found::new(value, label.kind, Rule::Mumps));
        }
    }
    // Any other global: a piece that is written as FileMan writes names, and what goes with it.
    let pieces: Vec<Range<usize>> = pieces_of(line, value).collect();
    let person = pieces.iter().any(|range| is_fileman_name(&line[range.clone()]));
    if person {
        for range in pieces {
            let text = &line[range.clone()];
            let kind = if is_fileman_name(text) {
                Kind::Name
            } else if is_fileman_date(text) {
                Kind::Birth
            } else if text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit()) {
                Kind::Ssn
            } else if value::is_phone(text) {
                Kind::Phone
            } else {
                continue;
            };
            found.push(Found::new(range, kind, Rule::Mumps));
        }
    }
}

fn push(line: &str, range: Range<usize>, kind: Kind, rules: &RuleSet, found: &mut Vec<Found>) {
    let text = &line[range.clone()];
    let start = range.start + (text.len() - text.trim_start_matches('"').len());
    let value = text.trim_matches('"');
    if value.contains(char::is_alphanumeric) && !value::is_null(value, rules) {
        found.push(Found::new(start..start + value.len(), kind, Rule::Mumps));
    }
}

/// Subscripts up to the closing parenthesis, and the byte behind it.
fn subscripts(line: &str, start: usize) -> (Vec<Range<usize>>, usize) {
    let bytes = line.as_bytes();
    let mut parts = Vec::new();
    let mut quoted = false;
    let mut begin = start;
    let end = bytes.len().min(start + MAX_SUBSCRIPTS_BYTES);
    for (at, byte) in bytes.iter().enumerate().take(end).skip(start) {
        match byte {
            b'"' => quoted = !quoted,
            b',' | b')' if !quoted => {
                if parts.len() < 16 {
                    parts.push(begin..at);
                }
                begin = at + 1;
                if *byte == b')' {
                    return (parts, at + 1);
                }
            }
            _ => {}
        }
    }
    let end = line.floor_char_boundary(end);
    if begin < end {
        parts.push(begin..end);
    }
    (parts, end)
}

/// A quoted string without its quotes (a doubled quote is one, ISO 11756), or a number.
fn value_of(line: &str, start: usize) -> Range<usize> {
    let line = &line[..line.floor_char_boundary(start + super::value::MAX_VALUE_BYTES)];
    let bytes = line.as_bytes();
    if bytes.get(start) != Some(&b'"') {
        let end = line[start..].find([' ', '\t']).map_or(line.len(), |end| start + end);
        // %G prints values without quotes.
        let end = if line[start..].contains('^') { line.trim_end().len() } else { end };
        return start..end.max(start);
    }
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] == b'"' {
            if bytes.get(at + 1) == Some(&b'"') {
                at += 2;
                continue;
            }
            break;
        }
        at += 1;
    }
    start + 1..at.min(line.len())
}

fn pieces_of(line: &str, within: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = within.start;
    line[within].split('^').map(move |piece| {
        let range = start..start + piece.len();
        start = range.end + 1;
        range
    })
}

/// FileMan's internal date: years since 1700, month, day (VA FileMan, "Date/Time Formats"): 2450101 is 1 January 1945.
pub(super) fn is_fileman_date(text: &str) -> bool {
    let date = text.split('.').next().unwrap_or(text);
    date.len() == 7
        && date.starts_with(['1', '2', '3'])
        && date.bytes().all(|b| b.is_ascii_digit())
        && date[3..5].parse::<u8>().is_ok_and(|month| month <= 12)
        && date[5..7].parse::<u8>().is_ok_and(|day| day <= 31)
}

/// "DOE,JOHN Q": capitals and one comma without a blank (VistA Standardized Name).
fn is_fileman_name(text: &str) -> bool {
    let Some((last, first)) = text.split_once(',') else { return false };
    let capitals = |part: &str| part.chars().all(|c| c.is_uppercase() || matches!(c, ' ' | '-' | '\'' | '.'));
    last.len() >= 2
        && !first.is_empty()
        && !first.starts_with(' ')
        && capitals(last)
        && capitals(first)
        && first.contains(char::is_alphabetic)
}
