//! Rows without any header: what they are is told by their cells together. One date is anybody's; a date of long ago beside two capitalised
//! words is a person.

use std::ops::Range;

use super::{
    Found, Rule, table,
    value::{self, Date},
};
use crate::{kind::Kind, rules::RuleSet};

/// Years that are more likely of a birth than of a system's event.
const BIRTH_YEARS: std::ops::RangeInclusive<u32> = 1890..=2012;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// "Whitfield"
    Word,
    /// "Grant", "Faith"
    Common,
    /// "Marguerite Whitfield"
    Words,
    /// "WHITFIELD, MARGUERITE", "WHITFIELD^MARGUERITE"
    FullName,
    OldDate,
    Date,
    Phone,
    Ssn,
    Email,
    Street,
    State,
    Zip,
    Code,
    Sex,
    /// "INFO", a hash, a path: a machine wrote this line about itself.
    Machine,
    Other,
}

/// A row told apart by bars, tabs, commas, semicolons or wide gaps.
pub(super) fn find(line: &str, rules: &RuleSet, found: &mut Vec<Found>) {
    for by in ['|', '\t', ';', ','] {
        if line.matches(by).take(2).count() == 2 {
            let cells = table::delimited(line, by);
            if cells.len() <= 64 && person(line, &cells, rules, found) {
                return;
            }
        }
    }
    if line.contains("  ") {
        let cells = table::gaps(line, usize::MAX);
        if (3..=64).contains(&cells.len()) {
            person(line, &cells, rules, found);
        }
    }
}

/// Could a line be such a row? Cheap: most lines of a log are not.
pub(super) fn may_be(line: &str) -> bool {
    let bytes = line.as_bytes();
    let signs = memchr::memchr3_iter(b'|', b'\t', b',', bytes).take(2).count() + memchr::memchr_iter(b';', bytes).take(2).count();
    signs >= 2 || gaps_at_least_two(bytes)
}

fn gaps_at_least_two(bytes: &[u8]) -> bool {
    let first = table::blanks(bytes, 0);
    let second = table::GAP.find(&bytes[first..]).map(|gap| table::blanks(bytes, first + gap));
    second.is_some_and(|second| table::GAP.find(&bytes[second..]).is_some())
}

fn person(line: &str, cells: &[Range<usize>], rules: &RuleSet, found: &mut Vec<Found>) -> bool {
    let cells: Vec<Range<usize>> = cells
        .iter()
        .map(|cell| {
            let text = &line[cell.clone()];
            let trimmed = text.trim_matches([' ', '"', '\'', '|', '│', '+']);
            let start = cell.start + (text.len() - text.trim_start_matches([' ', '"', '\'', '|', '│', '+']).len());
            start..start + trimmed.len()
        })
        .collect();
    let mut shapes: Vec<Shape> = cells.iter().map(|cell| shape(&line[cell.clone()], rules)).collect();
    // Beside a name in the next cell a common word is one too.
    for at in 0..shapes.len() {
        let beside = |other: Option<usize>| other.and_then(|other| shapes.get(other)) == Some(&Shape::Word);
        if shapes[at] == Shape::Common && (beside(at.checked_sub(1)) || beside(Some(at + 1))) {
            shapes[at] = Shape::Word;
        }
    }
    let labelled = cells.iter().any(|cell| is_labelled(&line[cell.clone()]));
    let count = |wanted: Shape| shapes.iter().filter(|shape| **shape == wanted).count();
    let has = |wanted: Shape| count(wanted) > 0;
    if has(Shape::Machine) {
        return false;
    }
    let pair = shapes.windows(2).any(|two| two == [Shape::Word, Shape::Word]);
    let contact = [Shape::Phone, Shape::Ssn, Shape::Email, Shape::Street].into_iter().filter(|shape| has(*shape)).count();
    let named = has(Shape::FullName) || has(Shape::Words) || has(Shape::Word);
    let person = (contact >= 1 && named && (pair || has(Shape::FullName) || has(Shape::Words) || has(Shape::OldDate) || contact >= 2))
        || (has(Shape::Ssn) && has(Shape::OldDate))
        || (pair && has(Shape::OldDate))
        || (has(Shape::FullName) && (has(Shape::OldDate) || has(Shape::Code)))
        || (has(Shape::Words) && has(Shape::OldDate))
        // Somebody's name with several long numbers.
        || (has(Shape::Words) && count(Shape::Code) >= 3)
        || (has(Shape::Words) && count(Shape::Code) >= 2 && has(Shape::Zip))
        || (labelled && (pair || has(Shape::Words)))
        || (has(Shape::Word) && has(Shape::OldDate) && has(Shape::Code) && has(Shape::Sex));
    if !person {
        return false;
    }
    for (at, (cell, shape)) in cells.iter().zip(&shapes).enumerate() {
        let next = shapes.get(at + 1);
        let before = at.checked_sub(1).and_then(|before| shapes.get(before));
        // Beside a pair of words a lone one is a ward or a state of affairs.
        let lone = *shape == Shape::Word && pair && before != Some(&Shape::Word) && next != Some(&Shape::Word);
        let kind = match shape {
            Shape::Word | Shape::Words if matches!(next, Some(Shape::State | Shape::Zip)) => Kind::City,
            Shape::Word if lone => continue,
            Shape::Word | Shape::Words | Shape::FullName => Kind::Name,
            Shape::OldDate => Kind::Birth,
            Shape::Date => Kind::Date,
            Shape::Phone => Kind::Phone,
            Shape::Ssn => Kind::Ssn,
            Shape::Email => Kind::Email,
            Shape::Street => Kind::Address,
            Shape::Zip if has(Shape::Street) || has(Shape::State) => Kind::Zip,
            Shape::Zip | Shape::Code => Kind::Mrn,
            Shape::State | Shape::Sex | Shape::Common | Shape::Other | Shape::Machine => continue,
        };
        found.push(Found::new(cell.clone(), kind, Rule::Row));
    }
    true
}

/// "MRN53476686": a number that says itself what it is.
fn is_labelled(text: &str) -> bool {
    text.strip_prefix("MRN").is_some_and(|code| code.len() >= 5 && code.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

fn shape(text: &str, rules: &RuleSet) -> Shape {
    let bytes = text.as_bytes();
    if text.is_empty() || text.len() > 80 || value::is_null(text, rules) {
        return Shape::Other;
    }
    if matches!(text, "INFO" | "WARN" | "WARNING" | "ERROR" | "DEBUG" | "TRACE" | "FATAL" | "NOTICE") || text.starts_with('/') {
        return Shape::Machine;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let hexadecimal = bytes.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b) || *b == b'-');
    if bytes.len() >= 7 && hexadecimal && digits > 0 && letters > 0 {
        return Shape::Machine;
    }
    if digits == 0 {
        return words_shape(text, rules);
    }
    if let Some(Date { year, .. }) = value::whole_date(text) {
        return if BIRTH_YEARS.contains(&year) { Shape::OldDate } else { Shape::Date };
    }
    if value::is_ssn_text(text) {
        return Shape::Ssn;
    }
    if value::is_phone(text) {
        return Shape::Phone;
    }
    if text.contains('@') && text.contains('.') && !text.contains(' ') {
        return Shape::Email;
    }
    if value::is_street(text) {
        return Shape::Street;
    }
    if matches!(bytes.len(), 5 | 10) && digits >= 5 && letters == 0 && (bytes.len() == 5 || bytes[5] == b'-') {
        return Shape::Zip;
    }
    let code = bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') && !bytes.iter().any(u8::is_ascii_lowercase);
    if code && ((letters > 0 && letters <= 5 && digits >= 4) || (letters == 0 && digits >= 6 && is_grouped(text))) {
        return Shape::Code;
    }
    Shape::Other
}

/// A number alone, with its check digit ("2264077-7"), or in pairs ("50-26-11").
fn is_grouped(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    match groups.as_slice() {
        [_] => true,
        [number, check] => number.len() >= 5 && check.len() == 1,
        groups => groups.iter().all(|group| group.len() == 2),
    }
}

fn words_shape(text: &str, rules: &RuleSet) -> Shape {
    if matches!(text, "M" | "F" | "U" | "O" | "Male" | "Female" | "male" | "female") {
        return Shape::Sex;
    }
    if text.len() == 2 && value::is_state(text) {
        return Shape::State;
    }
    if text.contains('@') && text.contains('.') && !text.contains(' ') {
        return Shape::Email;
    }
    if let Some((last, first)) = text.split_once(", ").or_else(|| text.split_once('^')).or_else(|| text.split_once(',')) {
        let first = first.split('^').next().unwrap_or(first);
        if is_name_word(last.split(' ').next_back().unwrap_or(last), rules)
            && first.split(' ').next().is_some_and(|word| is_name_word(word, rules))
        {
            return Shape::FullName;
        }
        return Shape::Other;
    }
    let mut count = 0;
    let mut telling = false;
    for word in text.split(' ') {
        let initial = count > 0 && word.trim_end_matches('.').len() == 1;
        let sure = is_name_word(word, rules);
        let particle = count > 0 && matches!(word, "de" | "la" | "del" | "van" | "von" | "der" | "den" | "DE" | "LA" | "VON" | "DER");
        if !initial && !sure && !particle && !may_be_name(word, rules) {
            return Shape::Other;
        }
        telling |= sure;
        count += 1;
    }
    match count {
        1 if !telling => Shape::Common,
        2..=4 if !telling => Shape::Other,
        1 => Shape::Word,
        2..=4 => Shape::Words,
        _ => Shape::Other,
    }
}

/// A capitalised word that is a common one too: "Grant", "Faith", "Banks". Beside a sure name it is one.
pub(super) fn may_be_name(word: &str, rules: &RuleSet) -> bool {
    let first = word.chars().next().is_some_and(char::is_uppercase);
    let letters = word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'));
    first && letters && word.chars().count() >= 3 && !rules.vocabulary.knows(word)
}

/// A capitalised word that is no word of labels and no common one.
pub(super) fn is_name_word(word: &str, rules: &RuleSet) -> bool {
    let letters = word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.'));
    let first = word.chars().next().is_some_and(|c| c.is_uppercase() || (c.is_alphabetic() && !c.is_lowercase()));
    if !letters || !first || word.chars().nth(1).is_none() {
        return false;
    }
    let lower = word.to_lowercase();
    !rules.common.contains(lower.as_str()) && !rules.vocabulary.knows(&lower)
}
