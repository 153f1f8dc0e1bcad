//! What a line that names a patient says besides: days, ages over 89, other fields with names. Clocks of logs are written otherwise.

use std::ops::Range;

use super::{Found, Look, Rule, letter, value, verdicts::names_patient};
use crate::{kind::Kind, rules::RuleSet};

/// Words before a day of somebody's: "admitted on", "between ... and ...", "from ... to ...".
const BEFORE_DAYS: [&str; 26] = [
    "on",
    "from",
    "to",
    "and",
    "between",
    "since",
    "until",
    "till",
    "through",
    "dated",
    "born",
    "seen",
    "admitted",
    "discharged",
    "visit",
    "appointment",
    "died",
    "deceased",
    "expired",
    "transferred",
    "readmitted",
    "in",
    "of",
    "for",
    "before",
    "after",
];

pub(super) fn is_name(found: &Found) -> bool {
    names_patient(found) || (matches!(found.rule, Rule::Pattern(_) | Rule::Letter | Rule::Learned | Rule::Row) && found.kind == Kind::Name)
}

pub(super) fn find(look: &Look<'_>, rules: &RuleSet, found: &mut Vec<Found>) {
    let Look { line, words, signs } = *look;
    if !found.iter().any(is_name) {
        return;
    }
    letter::fields_with_names(line, signs, rules, found);
    let bytes = line.as_bytes();
    let alone = |start: usize, end: usize| {
        start.checked_sub(1).is_none_or(|at| !bytes[at].is_ascii_alphanumeric() && !matches!(bytes[at], b'/' | b'-' | b'.' | b'_' | b':'))
            && bytes.get(end).is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'/' | b'-' | b'_' | b':'))
    };
    for slash in memchr::memchr_iter(b'/', bytes) {
        let start = slash - bytes[..slash].iter().rev().take(2).take_while(|b| b.is_ascii_digit()).count();
        let end = slash + 1 + bytes[slash + 1..].iter().take(7).take_while(|b| b.is_ascii_digit() || **b == b'/').count();
        if alone(start, end) && line.get(start..end).is_some_and(is_slashed) {
            found.push(Found::new(start..end, Kind::Date, Rule::Label));
        }
    }
    days(line, true, rules, found);
    for hyphen in memchr::memchr_iter(b'-', bytes) {
        let start = hyphen - bytes[..hyphen].iter().rev().take(2).take_while(|b| b.is_ascii_digit()).count();
        let end = hyphen + 1 + bytes[hyphen + 1..].iter().take(5).take_while(|b| b.is_ascii_digit() || **b == b'-').count();
        // "3-11-54": a day, or a number written in pairs.
        if alone(start, end) && line.get(start..end).is_some_and(|text| is_slashed(&text.replace('-', "/"))) {
            found.push(Found::new(start..end, Kind::Date, Rule::Label));
        }
    }
    for index in 0..found.len() {
        let end = found[index].range.end;
        let after = line.get(end..).unwrap_or_default();
        let gap = after.len() - after.trim_start_matches([',', ' ', '(', '/', '|', '-']).len();
        if found[index].kind == Kind::Name && (1..=4).contains(&gap) {
            found.extend(day(line, end + gap, rules).map(|range| Found::new(range, Kind::Birth, Rule::Label)));
        }
    }
    // "97M", "92 y": the age, and the first letter behind it.
    let aged = |at: usize| {
        let gap = usize::from(bytes[at - 1] == b' ');
        let digits = bytes[..at - gap].iter().rev().take(3).take_while(|b| b.is_ascii_digit()).count();
        let start = at - gap - digits;
        let years = line.get(start..at - gap).and_then(|text| text.parse::<u32>().ok());
        let unit = bytes[at..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let of_years =
            matches!(&bytes[at..at + unit], b"M" | b"F" | b"m" | b"f" | b"y" | b"yo" | b"yr" | b"yrs" | b"years" | b"year" | b"YO" | b"Y");
        let old = years.is_some_and(|years| (90..=120).contains(&years)) && of_years && alone(start, at + unit);
        old.then(|| Found::new(start..at - gap, Kind::Age, Rule::Label))
    };
    if signs.is_ascii() {
        // The number stands alone, so it begins a word.
        for word in words.iter().filter(|word| word.has_digit && word.end - word.start >= 2) {
            let digits = bytes[word.start..word.end].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
            let at = word.start + digits + usize::from(word.end == word.start + digits && bytes.get(word.end) == Some(&b' '));
            if (2..=3).contains(&digits) && bytes.get(at).is_some_and(|b| b"MFmfyY".contains(b)) {
                found.extend(aged(at));
            }
        }
        return;
    }
    for at in 2..bytes.len() {
        if b"MFmfyY".contains(&bytes[at]) && (bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b' ') {
            found.extend(aged(at));
        }
    }
}

/// 01/05/2024, 5/1/24.
fn is_slashed(text: &str) -> bool {
    let mut parts = text.split('/').map(|part| (part.len(), part.parse::<u32>().unwrap_or(99)));
    let short = matches!((parts.next(), parts.next(), parts.next(), parts.next()),
        (Some((1..=2, first)), Some((1..=2, second)), Some((2, _)), None) if (1..=31).contains(&first) && (1..=31).contains(&second));
    short || value::whole_date(text).is_some()
}

/// Days of prose with their year: behind a word that says that something happened on them, or, in a line with somebody's name (`named`), so
/// long ago that it is a birthday ("PT: Whitfield, Ann / F / 11-Mar-1954").
pub(super) fn days(line: &str, named: bool, rules: &RuleSet, found: &mut Vec<Found>) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let first = bytes[start];
        let length = bytes[start..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/')).count();
        at = start + length.max(1);
        let begins = first.is_ascii_digit() || matches!(first, b'J' | b'F' | b'M' | b'A' | b'S' | b'O' | b'N' | b'D');
        if !begins || start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || matches!(bytes[start - 1], b'_' | b':' | b'=' | b'@')) {
            continue;
        }
        let before = line[..start].strip_suffix(' ').unwrap_or_default();
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let told = BEFORE_DAYS.contains(&word);
        if !(told || named) {
            continue;
        }
        let Some(range) = day(line, start, rules) else { continue };
        let year =
            || line[range.clone()].split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 4).and_then(|year| year.parse().ok());
        // "11-MAR-54": no log's clock is written so.
        let short = range.len() <= 9 && line[range.clone()].bytes().filter(|b| *b == b'-').count() == 2;
        if told || short {
            found.push(Found::new(range, Kind::Date, Rule::Label));
        } else if year().is_some_and(|year| super::shapes::BIRTH_YEARS.contains(&year)) {
            found.push(Found::new(range, Kind::Birth, Rule::Label));
        }
    }
}

/// A day with its year and without a clock.
fn day(line: &str, at: usize, rules: &RuleSet) -> Option<Range<usize>> {
    let text = line.get(at..).filter(|text| text.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase()))?;
    let length = value::at_start(Kind::Date, text, true, rules)?;
    let written = &text[..length];
    let year = written.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 4)
        || is_slashed(written)
        || written.split('-').count() == 3;
    let clock =
        written.contains(':') || text[length..].starts_with([':', 'T']) || text[length..].starts_with(|c: char| c.is_ascii_alphanumeric());
    (year && !clock && length >= 6).then_some(at..at + length)
}
