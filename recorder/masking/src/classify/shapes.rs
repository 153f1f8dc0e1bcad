//! Rows without any header: what they are is told by their cells together. One date is anybody's; a date of long ago beside two capitalised
//! words is a person.

use std::ops::Range;

use super::{
    Found, Rule, table,
    value::{self, Date},
};
use crate::{
    kind::Kind,
    rules::RuleSet,
    words::{Signs, Word},
};

/// Years that are more likely of a birth than of a system's event.
pub(super) const BIRTH_YEARS: std::ops::RangeInclusive<u32> = 1890..=2012;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// "Whitfield"
    Word,
    /// "Grant", "Faith"
    Common,
    /// "Faith Park", "Banks, Hope"
    CommonName,
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
    /// A vehicle identification number (ISO 3779) or a plate.
    Vehicle,
    Ip,
    /// A page of somebody's.
    Url,
    Sex,
    /// "61F"
    AgeSex,
    /// One capital letter: a middle name's, or a flag.
    Letter,
    /// "INFO", a hash, a path: a machine wrote this line about itself.
    Machine,
    Other,
}

/// A row told apart by bars, tabs, commas, semicolons, other signs or wide gaps. Returns what its columns seem to be, for the next rows,
/// whose cells may say less.
pub(super) fn find(line: &str, signs: Signs, rules: &RuleSet, found: &mut Vec<Found>) -> Option<table::Shared> {
    // HL7 v2's header is of systems.
    if line.contains("|^~") {
        return None;
    }
    for by in b"|\t;,#^~" {
        if signs.has(*by) && memchr::memchr_iter(*by, line.as_bytes()).nth(1).is_some() {
            let by = char::from(*by);
            let cells = table::delimited(line, by);
            if cells.len() <= 64
                && let Some(kinds) = person(line, &cells, rules, found)
            {
                return table::of_row(by, &kinds).map(std::sync::Arc::new);
            }
        }
    }
    if line.contains("  ") {
        let mut cells = table::gaps(line, usize::MAX);
        // "61F 212.555.0123": an age and a sex are as wide as their column.
        for at in (0..cells.len().min(64)).rev() {
            let text = &line[cells[at].clone()];
            let first = text.find(' ').unwrap_or(text.len());
            if first < text.len() && is_age_sex(&text[..first]) && !value::is_null(&text[..first], rules) {
                let (start, end) = (cells[at].start, cells[at].end);
                cells[at] = start..start + first;
                cells.insert(at + 1, start + first + 1..end);
            }
        }
        if (3..=64).contains(&cells.len()) {
            person(line, &cells, rules, found);
        }
    }
    None
}

/// What a cell identifies by its own form, in a table of patients whose column says nothing. `place`: a word may be a town.
pub(super) fn alone(text: &str, place: bool, rules: &RuleSet) -> Option<Kind> {
    if value::is_uuid(text.trim()) {
        return Some(Kind::Mrn);
    }
    match shape(text.trim(), rules) {
        Shape::FullName => Some(Kind::Name),
        Shape::Word | Shape::Words if place => Some(Kind::City),
        Shape::OldDate | Shape::Date => Some(Kind::Date),
        Shape::Phone => Some(Kind::Phone),
        Shape::Ssn => Some(Kind::Ssn),
        Shape::Email => Some(Kind::Email),
        Shape::Street => Some(Kind::Address),
        Shape::Vehicle => Some(Kind::Vehicle),
        Shape::Ip | Shape::Url => Some(Kind::Other),
        // Shorter ones are codes of diagnoses, procedures and wards.
        Shape::Code if text.bytes().filter(u8::is_ascii_digit).count() >= 6 => Some(Kind::Mrn),
        _ => None,
    }
}

/// Could a line be such a row? Cheap: most lines of a log are not.
pub(super) fn may_be(line: &str, words: &[Word], signs: Signs) -> bool {
    let bytes = line.as_bytes();
    // Without a name it takes a social security number, whose groups have three, two and four digits.
    let name = |word: &Word| word.capital && (word.end - word.start > 1 || matches!(bytes.get(word.end), Some(b'\'' | b'-' | b'.')));
    let ssn = |three: &[Word]| three.iter().zip([3, 2, 4]).all(|(word, length)| word.has_digit && word.end - word.start == length);
    if signs.is_ascii() && !words.iter().any(name) && !words.windows(3).any(ssn) {
        return false;
    }
    if !signs.has_any(b"|\t,;#^") {
        return gaps_at_least_two(bytes);
    }
    let signs = memchr::memchr3_iter(b'|', b'\t', b',', bytes).take(2).count();
    signs >= 2 || signs + memchr::memchr3_iter(b';', b'#', b'^', bytes).take(2).count() >= 2 || gaps_at_least_two(bytes)
}

fn gaps_at_least_two(bytes: &[u8]) -> bool {
    let first = table::blanks(bytes, 0);
    let second = table::GAP.find(&bytes[first..]).map(|gap| table::blanks(bytes, first + gap));
    second.is_some_and(|second| table::GAP.find(&bytes[second..]).is_some())
}

/// The kinds of a row's cells, if it is a person's.
pub(super) fn person(line: &str, cells: &[Range<usize>], rules: &RuleSet, found: &mut Vec<Found>) -> Option<Vec<Option<Kind>>> {
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
    let labelled = cells.iter().any(|cell| is_labelled(&line[cell.clone()]));
    let numbered = labelled || shapes.contains(&Shape::Code);
    let tells = |shape: &Shape| {
        use Shape::{Code, CommonName, Email, FullName, OldDate, Phone, Ssn, Street, Words};
        matches!(shape, Code | CommonName | Email | FullName | OldDate | Phone | Ssn | Street | Words)
    };
    if !labelled && !shapes.iter().any(tells) {
        return None;
    }
    // Beside a name in the next cell a common word is one too; two of them beside a record's number and a birth date are somebody.
    let both = |at: usize| shapes.get(at..at + 2).is_some_and(|two| two.iter().all(|shape| *shape == Shape::Common));
    let sure = numbered && (labelled || shapes.contains(&Shape::OldDate));
    let common: Vec<bool> = (0..shapes.len())
        .map(|at| {
            let beside = |other: Option<usize>| other.and_then(|other| shapes.get(other)) == Some(&Shape::Word);
            let pair = sure && (both(at) || at.checked_sub(1).is_some_and(both));
            shapes[at] == Shape::CommonName && sure
                || shapes[at] == Shape::Common && (pair || beside(at.checked_sub(1)) || beside(Some(at + 1)))
        })
        .collect();
    for (shape, common) in shapes.iter_mut().zip(common) {
        if common {
            *shape = if *shape == Shape::Common { Shape::Word } else { Shape::Words };
        }
    }
    let count = |wanted: Shape| shapes.iter().filter(|shape| **shape == wanted).count();
    let has = |wanted: Shape| count(wanted) > 0;
    if has(Shape::Machine) {
        return None;
    }
    // "de la Cruz", "St. Clair": a family name may have several words.
    let name = |shape: &Shape| matches!(shape, Shape::Word | Shape::Words);
    let pair = shapes.windows(2).any(|two| two.iter().all(name) && two.contains(&Shape::Word));
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
        // A record's number first, a name, and a day or a sex.
        || (pair && has(Shape::Code) && has(Shape::Date))
        || (pair && count(Shape::Code) >= 2)
        || ((has(Shape::Words) || has(Shape::FullName)) && has(Shape::Code) && has(Shape::AgeSex))
        || (pair && shapes.iter().take(2).any(|shape| *shape == Shape::Code) && has(Shape::Sex))
        || (has(Shape::Word) && has(Shape::OldDate) && has(Shape::Code) && has(Shape::Sex));
    if !person {
        return None;
    }
    let signs = cells.windows(2).all(|two| !line[two[0].end..two[1].start].bytes().all(|b| b == b' '));
    let mut kinds = vec![None; cells.len()];
    for (at, (cell, shape)) in cells.iter().zip(&shapes).enumerate() {
        let next = shapes.get(at + 1);
        let before = at.checked_sub(1).and_then(|before| shapes.get(before));
        // Beside a pair of words a lone one is a ward or a state of affairs.
        let beside = |other: Option<&Shape>| matches!(other, Some(Shape::Word | Shape::Words));
        let lone = *shape == Shape::Word && pair && !beside(before) && !beside(next);
        let kind = match shape {
            Shape::Word | Shape::Words if matches!(next, Some(Shape::State | Shape::Zip)) || before == Some(&Shape::Street) => Kind::City,
            // With signs between them cells are a table's: a lone name there is a town or somebody's.
            Shape::Word if lone && !signs => continue,
            Shape::Word if lone => Kind::City,
            Shape::Word | Shape::Words | Shape::FullName => Kind::Name,
            // Neither a sex nor a flag.
            Shape::Letter if named && at > 0 && !matches!(&line[cell.clone()], "Y" | "N" | "T" | "A" | "I") => Kind::Name,
            Shape::OldDate => Kind::Birth,
            Shape::Date => Kind::Date,
            Shape::Phone => Kind::Phone,
            Shape::Ssn => Kind::Ssn,
            Shape::Email => Kind::Email,
            Shape::Street => Kind::Address,
            Shape::Vehicle => Kind::Vehicle,
            Shape::Ip | Shape::Url => Kind::Other,
            Shape::Zip if has(Shape::Street) || has(Shape::State) => Kind::Zip,
            Shape::Zip | Shape::Code => Kind::Mrn,
            Shape::AgeSex if value::age_in_years(&line[cell.start..cell.end - 1]).is_some() => Kind::Age,
            _ if line[cell.clone()].bytes().all(|b| b.is_ascii_digit()) && is_age_over_89(&line[cell.clone()]) && has(Shape::OldDate) => {
                Kind::Age
            }
            _ => continue,
        };
        if *shape == Shape::AgeSex {
            found.push(Found::new(cell.start..cell.end - 1, Kind::Age, Rule::Row));
            continue;
        }
        // What else stands in a town's column may be a state of affairs.
        if lone {
            found.push(Found::new(cell.clone(), kind, Rule::Row));
            continue;
        }
        kinds[at] = Some(kind);
        found.push(Found::new(cell.clone(), kind, Rule::Row));
    }
    Some(kinds)
}

fn is_age_over_89(text: &str) -> bool {
    text.len() <= 3 && value::age_in_years(text).is_some()
}

/// "MRN53476686": a number that says itself what it is.
fn is_labelled(text: &str) -> bool {
    text.strip_prefix("MRN").is_some_and(|code| code.len() >= 5 && code.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

/// "61F"
fn is_age_sex(text: &str) -> bool {
    matches!(text.as_bytes(), [age @ .., b'M' | b'F'] if (1..=3).contains(&age.len()) && age.iter().all(u8::is_ascii_digit))
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
    if text.contains("://") {
        return if digits > 0 || text.contains('@') { Shape::Url } else { Shape::Other };
    }
    if digits == 0 {
        return words_shape(text, rules);
    }
    if is_age_sex(text) {
        return Shape::AgeSex;
    }
    if value::is_ip(text) {
        return if value::is_private_ip(text) { Shape::Other } else { Shape::Ip };
    }
    if value::is_vin(text) || value::is_plate(text) {
        return Shape::Vehicle;
    }
    if let Some(Date { year, .. }) = value::whole_date(text) {
        return if BIRTH_YEARS.contains(&year) { Shape::OldDate } else { Shape::Date };
    }
    if value::is_ssn_text(text) || (bytes.len() == 11 && value::is_ssn_text(&text.replace(' ', "-"))) {
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
        [number, check] => number.len() >= 5 && check.len() <= 4,
        groups => groups.iter().all(|group| group.len() == 2),
    }
}

fn words_shape(text: &str, rules: &RuleSet) -> Shape {
    if matches!(text, "M" | "F" | "U" | "O" | "Male" | "Female" | "male" | "female") {
        return Shape::Sex;
    }
    if text.len() == 1 && text.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Shape::Letter;
    }
    if text.len() == 2 && value::is_state(text) {
        return Shape::State;
    }
    if text.contains('@') && text.contains('.') && !text.contains(' ') {
        return Shape::Email;
    }
    if let Some((last, first)) = text.split_once(", ").or_else(|| text.split_once('^')).or_else(|| text.split_once(',')) {
        let first = first.split('^').next().unwrap_or(first);
        // "Select PATIENT NAME: DOE" is more than a family's name.
        let plain = |part: &str| {
            part.split(' ').count() <= 3 && part.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '\'' | '’' | '-' | '.'))
        };
        if !plain(last) || !plain(first) {
            return Shape::Other;
        }
        // "de la Cruz", "Steele Sr"
        let family = last.split(' ').find(|word| !is_particle(word)).unwrap_or(last);
        let words = (family, first.split(' ').next().unwrap_or(first));
        return match (is_name_word(words.0, rules), is_name_word(words.1, rules)) {
            (true, true) => Shape::FullName,
            // "Whitfield, M."
            (true, false) if is_initial(words.1) => Shape::FullName,
            _ if !may_be_name(words.0, rules) || !(may_be_name(words.1, rules) || is_name_word(words.1, rules)) => Shape::Other,
            (false, false) => Shape::CommonName,
            _ => Shape::FullName,
        };
    }
    let mut count = 0;
    let mut telling = false;
    for word in text.split(' ') {
        let initial = count > 0 && word.trim_end_matches('.').len() == 1;
        let sure = is_name_word(word, rules);
        // "de la Cruz" is one name.
        if is_particle(word) {
            continue;
        }
        if !initial && !sure && !may_be_name(word, rules) {
            return Shape::Other;
        }
        telling |= sure;
        count += 1;
    }
    match count {
        1 if !telling => Shape::Common,
        2 | 3 if !telling => Shape::CommonName,
        1 => Shape::Word,
        2..=4 => Shape::Words,
        _ => Shape::Other,
    }
}

/// "de la Cruz", "van den Berg", "DE LA CRUZ": small words inside names.
pub(super) fn is_particle(word: &str) -> bool {
    let bytes = word.as_bytes();
    let mut small = [0; 5];
    if !(2..=small.len()).contains(&bytes.len()) {
        return false;
    }
    for (to, from) in small.iter_mut().zip(bytes) {
        *to = from.to_ascii_lowercase();
    }
    let known = matches!(
        &small[..bytes.len()],
        b"de"
            | b"la"
            | b"le"
            | b"del"
            | b"della"
            | b"di"
            | b"da"
            | b"das"
            | b"dos"
            | b"do"
            | b"du"
            | b"des"
            | b"van"
            | b"von"
            | b"der"
            | b"den"
            | b"ter"
            | b"ten"
            | b"te"
            | b"zu"
            | b"zur"
            | b"bin"
            | b"ibn"
            | b"bint"
            | b"al"
            | b"el"
    );
    known && (small[..bytes.len()] == *bytes || bytes.iter().all(u8::is_ascii_uppercase))
}

/// A capitalised word that is a common one too: "Grant", "Faith", "Banks". Beside a sure name it is one.
pub(super) fn may_be_name(word: &str, rules: &RuleSet) -> bool {
    let first = word.chars().next().is_some_and(char::is_uppercase);
    let letters = word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'));
    first && letters && word.chars().count() >= 3 && !rules.vocabulary.knows(word)
}

/// "Q", "Q.": a middle initial.
pub(super) fn is_initial(text: &str) -> bool {
    let letter = text.strip_suffix('.').unwrap_or(text);
    letter.chars().count() == 1 && letter.starts_with(char::is_uppercase)
}

/// A capitalised word that is no word of labels and no common one.
pub(super) fn is_name_word(word: &str, rules: &RuleSet) -> bool {
    let letters = word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.'));
    let first = word.chars().next().is_some_and(|c| c.is_uppercase() || (c.is_alphabetic() && !c.is_lowercase()));
    if !letters || !first || word.chars().nth(1).is_none() {
        return false;
    }
    let lower = word.to_lowercase();
    !is_joined(word) && !rules.common.contains(lower.as_str()) && !rules.vocabulary.knows(&lower)
}

/// "HomePhone", "JavaScript": words run together. "McAllister", "DeShawn" and "MacDonald" are names.
fn is_joined(word: &str) -> bool {
    let bytes = word.as_bytes();
    (4..bytes.len()).any(|at| bytes[at - 1].is_ascii_lowercase() && bytes[at].is_ascii_uppercase())
}
