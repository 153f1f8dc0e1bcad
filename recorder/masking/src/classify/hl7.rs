//! HL7 v2 (v2.5.1 section 2.5: segments, fields, delimiters), as messages and pretty printed ("PID-5: ...").

use std::ops::Range;

use super::{
    Found, Rule,
    value::{self, fills},
};
use crate::{
    kind::Kind,
    rules::{Hl7Field, Hl7Type, RuleSet},
};

/// Looked for in every line: made once.
static MSH: std::sync::LazyLock<memchr::memmem::Finder<'static>> = std::sync::LazyLock::new(|| memchr::memmem::Finder::new("MSH"));

/// MSH-1 and MSH-2 (2.5.1 section 2.14.9.1, 2.14.9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delimiters {
    field: u8,
    component: u8,
    repetition: u8,
}

impl Default for Delimiters {
    fn default() -> Self {
        Self { field: b'|', component: b'^', repetition: b'~' }
    }
}

impl Delimiters {
    /// Does the line look like a segment of the message these delimiters came from?
    pub(super) fn begins(self, line: &str) -> bool {
        let bytes = line.as_bytes();
        bytes.get(3) == Some(&self.field) && bytes[..3].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    }
}

/// How programs that show a message in one line spell its carriage returns.
const RETURNS: [&str; 15] =
    ["\\r", "\\n", "^M", "<CR>", "<cr>", "\\x0d", "\\x0D", "\\X0D\\", "\\u000d", "\\u000D", "&#13;", "&#xD;", "\\015", "%0D", "{CR}"];

/// Segments that carry no identifier but end the one before them.
const OTHER_SEGMENTS: [&[u8; 3]; 16] =
    [b"MSH", b"EVN", b"OBR", b"OBX", b"ORC", b"NTE", b"AL1", b"DG1", b"PD1", b"PR1", b"RXA", b"RXE", b"SCH", b"AIG", b"AIL", b"MSA"];

/// Provider fields (XCN), masked only when the rules say so: PV1 3.4.3, OBR 4.5.3, ORC 4.5.1.
const PROVIDERS: [(&[u8; 3], &[usize]); 3] = [(b"PV1", &[7, 8, 9, 17, 52]), (b"OBR", &[10, 16, 28, 32]), (b"ORC", &[10, 11, 12, 19])];

pub(super) fn find(line: &str, delimiters: &mut Option<Delimiters>, rules: &RuleSet, found: &mut Vec<Found>) {
    let bytes = line.as_bytes();
    if let Some(at) = MSH.find(bytes) {
        // Its delimiters are those of everything behind it.
        segment_at(bytes, at, delimiters, rules);
    }
    let field = delimiters.unwrap_or_default().field;
    if memchr::memchr(field, bytes).is_some() {
        let mut open: Option<([u8; 3], usize)> = None;
        for at in memchr::memchr_iter(field, bytes).filter_map(|at| at.checked_sub(3)) {
            let Some(id) = segment_at(bytes, at, delimiters, rules) else { continue };
            if let Some((id, start)) = open.replace((id, at)) {
                segment(line, id, start..segment_end(line, start, at), delimiters.unwrap_or_default(), rules, found);
            }
        }
        if let Some((id, start)) = open {
            segment(line, id, start..segment_end(line, start, line.len()), delimiters.unwrap_or_default(), rules, found);
        }
    }
    pretty(line, delimiters.unwrap_or_default(), rules, found);
    laboratory(line, rules, found);
}

fn segment_at(bytes: &[u8], at: usize, delimiters: &mut Option<Delimiters>, rules: &RuleSet) -> Option<[u8; 3]> {
    let id: [u8; 3] = bytes.get(at..at + 3)?.try_into().ok()?;
    if !id[0].is_ascii_uppercase() || !id.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
        return None;
    }
    let next = *bytes.get(at + 3)?;
    let spelled = || RETURNS.iter().any(|end| bytes[..at].ends_with(end.as_bytes()));
    if !(at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || spelled()) {
        return None;
    }
    if &id == b"MSH" {
        let encoding = bytes.get(at + 4..at + 8)?;
        let punctuation = |b: &u8| b.is_ascii_punctuation();
        if !punctuation(&next) || !encoding.iter().take(3).all(punctuation) {
            return None;
        }
        *delimiters = Some(Delimiters { field: next, component: encoding[0], repetition: encoding[1] });
        return Some(id);
    }
    let known = rules.hl7.contains_key(&id) || OTHER_SEGMENTS.contains(&&id) || id[0] == b'Z';
    (next == delimiters.unwrap_or_default().field && known).then_some(id)
}

/// A segment in a log line ends before a spelled-out carriage return or the quote that holds the message.
fn segment_end(line: &str, start: usize, limit: usize) -> usize {
    let bytes = &line.as_bytes()[start..limit];
    let quoted = line[..start].ends_with('"');
    // "^M" is also what begins a component.
    let ends = |at: &usize| RETURNS.iter().any(|end| *end != "^M" && bytes[*at..].starts_with(end.as_bytes()));
    let first = memchr::memchr3_iter(b'\\', b'<', b'&', bytes).find(ends);
    let second = memchr::memchr2_iter(b'%', b'{', bytes).find(ends);
    let quote = if quoted { memchr::memchr(b'"', bytes) } else { None };
    first.into_iter().chain(second).chain(quote).min().map_or(limit, |end| start + end)
}

fn segment(line: &str, id: [u8; 3], range: Range<usize>, delimiters: Delimiters, rules: &RuleSet, found: &mut Vec<Found>) {
    let known = rules.hl7.get(&id);
    let providers = if rules.mask_providers { PROVIDERS.iter().find(|(segment, _)| **segment == id) } else { None };
    if known.is_none() && providers.is_none() {
        return;
    }
    let text = &line[range.clone()];
    for (number, part) in split(text, 0..text.len(), delimiters.field).enumerate().skip(1) {
        if part.is_empty() {
            continue;
        }
        let rule = known.and_then(|fields| fields.iter().find(|f| f.number == number)).copied();
        let provider = providers.filter(|(_, fields)| fields.contains(&number)).map(|_| Hl7Field {
            number,
            data_type: Hl7Type::Xpn,
            kind: Kind::Name,
        });
        let Some(rule) = rule.or(provider) else { continue };
        field(line, range.start + part.start..range.start + part.end, delimiters, (id, rule), found);
    }
}

/// What of a field's repetitions and components identifies.
fn field(line: &str, within: Range<usize>, delimiters: Delimiters, (id, rule): ([u8; 3], Hl7Field), found: &mut Vec<Found>) {
    for repetition in split(line, within, delimiters.repetition) {
        let components: Vec<Range<usize>> = split(line, repetition, delimiters.component).collect();
        for (kind, wanted) in identifying(rule) {
            let (Some(first), Some(last)) =
                (components.get(wanted.start), components.get(wanted.end.min(components.len()).wrapping_sub(1)))
            else {
                continue;
            };
            let value = line[first.start..last.end].trim_end_matches([char::from(delimiters.component), ' ']);
            // `""` asks the receiver to delete a value (2.5.1 section 2.5.3).
            if value.contains(|c: char| c.is_alphanumeric()) {
                found.push(Found::new(first.start..first.start + value.len(), kind, Rule::Hl7(id, rule.number)));
            }
        }
    }
}

/// The field that an element of HL7 v2.xml is: `PID.5`.
pub(super) fn field_of_element(name: &str, rules: &RuleSet) -> Option<Hl7Field> {
    let (segment, number) = name.split_once('.')?;
    let id = <[u8; 3]>::try_from(segment.as_bytes()).ok()?;
    let number: usize = number.parse().ok()?;
    rules.hl7.get(&id)?.iter().find(|field| field.number == number).copied()
}

/// What a component (from 1) of a field identifies.
pub(super) fn component(field: Hl7Field, number: usize) -> Option<Kind> {
    let at = number.checked_sub(1)?;
    identifying(field).into_iter().find(|(_, wanted)| wanted.contains(&at)).map(|(kind, _)| kind)
}

/// Components, from 0, that identify; with their kind.
fn identifying(field: Hl7Field) -> Vec<(Kind, Range<usize>)> {
    match field.data_type {
        Hl7Type::St => vec![(field.kind, 0..usize::MAX)],
        Hl7Type::Cx | Hl7Type::Ts | Hl7Type::Dln => vec![(field.kind, 0..1)],
        Hl7Type::Xpn => vec![(field.kind, 0..6)],
        Hl7Type::Xad => vec![(field.kind, 0..3), (Kind::Zip, 4..5), (field.kind, 7..8), (field.kind, 8..9)],
        Hl7Type::Xtn => vec![(field.kind, 0..1), (Kind::Email, 3..4), (field.kind, 5..7), (field.kind, 11..12)],
    }
}

fn split(text: &str, within: Range<usize>, by: u8) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = Some(within.start);
    std::iter::from_fn(move || {
        let start = next?;
        let end = text.as_bytes()[start..within.end].iter().position(|b| *b == by).map_or(within.end, |at| start + at);
        next = (end < within.end).then_some(end + 1);
        Some(start..end)
    })
}

/// "PID-5 (Patient Name): SMITH^JOHN", "PID.5.1 = SMITH", "PID-7   19540311", as interface engines and viewers print messages.
fn pretty(line: &str, delimiters: Delimiters, rules: &RuleSet, found: &mut Vec<Found>) {
    let bytes = line.as_bytes();
    let mut taken = 0;
    for at in memchr::memchr3_iter(b'-', b'.', b'_', bytes).filter_map(|at| at.checked_sub(3)) {
        let number = bytes.get(at + 4).is_some_and(u8::is_ascii_digit);
        if at < taken || !number || !bytes[at].is_ascii_uppercase() || (at > 0 && bytes[at - 1].is_ascii_alphanumeric()) {
            continue;
        }
        let Some(id) = bytes.get(at..at + 3).and_then(|id| <[u8; 3]>::try_from(id).ok()) else { continue };
        let Some(fields) = rules.hl7.get(&id) else { continue };
        let digits = |at: usize| bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let end = at + 4 + digits(at + 4);
        let Some(rule) = line[at + 4..end].parse().ok().and_then(|number: usize| fields.iter().find(|f| f.number == number)) else {
            continue;
        };
        // A component of its own: "PID.5.1", "PID-3-4", "PID-3[1].4".
        let part = match bytes.get(end) {
            Some(b'.' | b'-' | b'_') if digits(end + 1) > 0 => end + 1 + digits(end + 1),
            _ => end,
        };
        let rest = &line[part..];
        let gap = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let blank = gap >= 2 || rest.starts_with('\t');
        // Between number and sign may stand the field's name.
        let named = |between: &str| {
            let between = between.trim();
            between.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, ' ' | '/' | '-' | '(' | ')' | '\'' | '#' | '[' | ']' | '1'))
        };
        let sign = rest.bytes().take(49).position(|b| matches!(b, b':' | b'=' | b'>')).filter(|sign| !blank || named(&rest[..*sign]));
        let after = match sign {
            Some(sign) => part + sign + 1,
            None if blank && !rest.trim_start().starts_with('(') => part,
            None => continue,
        };
        let value = line[after..].trim_start_matches([' ', '"', '\'', '\t']);
        let start = line.len() - value.len();
        let value = &value[..value.floor_char_boundary(value::MAX_VALUE_BYTES)];
        let end_of = value.find(['"', '<', '\t']).unwrap_or(value.len());
        let value = value[..end_of].trim_end();
        // Another field in the same line begins the next value.
        let value = match value.match_indices(' ').find(|(at, _)| is_field(&value.as_bytes()[at + 1..])) {
            Some((next, _)) => value[..next].trim_end_matches([' ', ',', ';']),
            None => value,
        };
        taken = start + value.len();
        let kind = match line[end..part].get(1..).and_then(|number| number.parse().ok()) {
            Some(number) => component(*rule, number),
            None => Some(rule.kind),
        };
        let Some(kind) = kind else { continue };
        if part == end && value.contains([char::from(delimiters.component), char::from(delimiters.repetition)]) {
            field(line, start..taken, delimiters, (id, *rule), found);
        } else if fills(kind, value, true, rules) {
            found.push(Found::new(start..taken, kind, Rule::Hl7(id, rule.number)));
        }
    }
}

/// The patient record of analysers (CLSI LIS02-A2, once ASTM E1394, section 7): `P|1|PRACTICE|LABORATORY||Whitfield^Ann||19540311|F`, perhaps
/// with a frame's number before it.
fn laboratory(line: &str, rules: &RuleSet, found: &mut Vec<Found>) {
    const FIELDS: [(usize, Hl7Type, Kind); 11] = [
        (2, Hl7Type::Cx, Kind::Mrn),
        (3, Hl7Type::Cx, Kind::Mrn),
        (4, Hl7Type::Cx, Kind::Mrn),
        (5, Hl7Type::Xpn, Kind::Name),
        (6, Hl7Type::Xpn, Kind::Name),
        (7, Hl7Type::Ts, Kind::Birth),
        (10, Hl7Type::Xad, Kind::Address),
        (12, Hl7Type::Xtn, Kind::Phone),
        (23, Hl7Type::Ts, Kind::Date),
        (24, Hl7Type::Ts, Kind::Date),
        (30, Hl7Type::Cx, Kind::Mrn),
    ];
    let text = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let start = line.len() - text.len();
    let numbered = text.strip_prefix("P|").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if start > 2 || !numbered || text.matches('|').count() < 5 {
        return;
    }
    for (number, part) in split(line, start..line.len(), b'|').enumerate() {
        let rule = FIELDS.iter().find(|field| field.0 == number);
        let Some((number, data_type, kind)) = rule.copied().filter(|_| !value::is_null(&line[part.clone()], rules)) else { continue };
        field(line, part, Delimiters::default(), (*b"P  ", Hl7Field { number, data_type, kind }), found);
    }
}

/// A line of such a print.
pub(super) fn is_pretty(line: &str) -> bool {
    is_field(line.trim_start().as_bytes())
}

/// Does "PID-5", "PV1.19.1" begin here?
fn is_field(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, c, b'-' | b'.' | b'_', digit, ..] if a.is_ascii_uppercase() && [b, c].iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) && digit.is_ascii_digit())
}
