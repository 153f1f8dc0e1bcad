//! What is said of a patient in a line that names one.

use super::{Found, Look, Rule, letter, value, verdicts::names_patient};
use crate::{kind::Kind, rules::RuleSet};

/// Looked for in every line of a table of patients: made once.
static ON: std::sync::LazyLock<memchr::memmem::Finder<'static>> = std::sync::LazyLock::new(|| memchr::memmem::Finder::new(" on "));

/// In a line that names a patient, "92M" is an age and 01/05/2024 a day of the patient's. Clocks of logs are written otherwise.
pub(super) fn find(look: &Look<'_>, rules: &RuleSet, found: &mut Vec<Found>) {
    let Look { line, words, signs } = *look;
    if !found.iter().any(|found| {
        names_patient(found) || (matches!(found.rule, Rule::Pattern(_) | Rule::Letter | Rule::Learned) && found.kind == Kind::Name)
    }) {
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
        if alone(start, end) && line.get(start..end).is_some_and(|text| value::whole_date(text).is_some()) {
            found.push(Found::new(start..end, Kind::Date, Rule::Label));
        }
    }
    // "admitted on Feb 19, 2023 and discharged on 2023-02-28", "Ann Whitfield, 1959-07-11": days of prose, with their year.
    let day = |at: usize| {
        let text = &line[at..];
        let length = value::at_start(Kind::Date, text, true, rules)?;
        let day = text[..length].split(['T']).next().unwrap_or_default();
        let year = day.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 4);
        (year && day.len() >= 8 && !text[..length].contains(':')).then_some(at..at + length)
    };
    for at in ON.find_iter(bytes) {
        found.extend(day(at + ON.needle().len()).map(|range| Found::new(range, Kind::Date, Rule::Label)));
    }
    for index in 0..found.len() {
        let end = found[index].range.end;
        if found[index].kind == Kind::Name && line.get(end..).is_some_and(|rest| rest.starts_with(", ")) {
            found.extend(day(end + 2).map(|range| Found::new(range, Kind::Birth, Rule::Label)));
        }
    }
    let aged = |at: usize, start: usize| {
        let years = line.get(start..at).and_then(|text| text.parse::<u32>().ok());
        let end = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'o'));
        (years.is_some_and(|years| (90..=120).contains(&years)) && alone(start, end)).then(|| Found::new(start..at, Kind::Age, Rule::Label))
    };
    if signs.is_ascii() {
        // The number stands alone, so it begins a word.
        for word in words.iter().filter(|word| word.has_digit && word.end - word.start >= 3) {
            let digits = bytes[word.start..].iter().take(4).take_while(|b| b.is_ascii_digit()).count();
            if (2..=3).contains(&digits) && bytes.get(word.start + digits).is_some_and(|b| b"MFmfy".contains(b)) {
                found.extend(aged(word.start + digits, word.start));
            }
        }
        return;
    }
    for (at, _) in line.match_indices(['M', 'F', 'm', 'f', 'y']).filter(|(at, _)| *at >= 2) {
        let digits = bytes[..at].iter().rev().take(3).take_while(|b| b.is_ascii_digit()).count();
        found.extend(aged(at, at - digits));
    }
}
