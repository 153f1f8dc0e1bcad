//! Shapes of values: where a value that begins here ends, if it begins here at all.

use crate::{kind::Kind, rules::RuleSet, vocabulary::normalise};

/// A value ends here at the latest: beyond it is no name, address or number, and whoever repeats a label would have the rest of a line read
/// again for each.
pub(super) const MAX_VALUE_BYTES: usize = 4096;

/// Length of the value of this kind at the start of `text`, which is the rest of a line after a label. `strong`: the label alone says that
/// an identifier follows.
pub(super) fn at_start(kind: Kind, text: &str, strong: bool, rules: &RuleSet) -> Option<usize> {
    let text = &text[..text.floor_char_boundary(MAX_VALUE_BYTES)];
    let field = || &text[..field_end(text)];
    let length = match kind {
        Kind::Name => name(field(), strong, rules)?,
        Kind::Birth | Kind::Date => date(text)?,
        Kind::Ssn => number(text, "-. Xx*", 4)?,
        Kind::Phone => number(text, "-. ()+xX/", 7)?,
        Kind::Email => text.find([' ', ',', ';', '|', '>', ')', '"', '\'']).unwrap_or(text.len()),
        Kind::Address => address(field(), strong)?,
        Kind::City => words(field(), strong, 4)?,
        Kind::Zip => code(text, 3, false).filter(|end| *end <= 10)?,
        Kind::Age => age(text)?,
        // A picture's file, an address of a portal.
        Kind::Other => {
            let end = text.find([' ', '"', '\'', ',', ';', '\t', ')', '>', ']']).unwrap_or(text.len());
            text[..end].contains(|c: char| c.is_ascii_digit() || c == '.').then_some(end)?
        }
        // "VA KJX-4471": the state before a plate.
        Kind::Vehicle if text.get(..2).is_some_and(is_state) && text[2..].starts_with(' ') => 3 + code(&text[3..], 2, strong)?,
        // "GTH 3567": a plate's letters and digits.
        Kind::Vehicle if strong && plate(text).is_some() => plate(text)?,
        _ => code(text, if strong { 2 } else { 4 }, strong)?,
    };
    let value = &text[..length];
    let refused = value.trim().is_empty()
        || is_null(value, rules)
        || (kind == Kind::Email && !value.contains('@'))
        || (!value.contains(|c: char| c.is_ascii_digit()) && rules.columns.contains_key(&normalise(value)));
    (!refused).then_some(length)
}

/// Is a whole cell or quoted string a value of this kind? Structure vouches for it, so only what cannot be one is refused.
pub(super) fn fills(kind: Kind, cell: &str, strong: bool, rules: &RuleSet) -> bool {
    let cell = cell.trim();
    if cell.is_empty() || is_null(cell, rules) || !cell.contains(char::is_alphanumeric) {
        return false;
    }
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    match kind {
        Kind::Birth | Kind::Date => digits >= 2,
        Kind::Age => age_in_years(cell).is_some(),
        Kind::Phone | Kind::Ssn => digits >= 4,
        Kind::Email => cell.contains('@'),
        Kind::Name | Kind::City => digits == 0 || (strong && digits < 3 && cell.len() > 3),
        Kind::Address => strong || digits > 0,
        _ => digits > 0 || (strong && cell.len() >= 4 && !cell.contains(' ')),
    }
}

pub(super) fn is_null(value: &str, rules: &RuleSet) -> bool {
    let value = value.trim();
    // Nearly every value is longer than those, and one byte a letter in small and capital letters alike.
    if value.is_ascii() && value.len() > rules.longest_null {
        return false;
    }
    rules.nulls.contains(&value.to_lowercase())
}

/// A field ends at two spaces, a tab or a character that closes it.
fn field_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut round: i32 = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\t' | b'|' | b';' | b'"' | b'<' | b'>' | b'{' | b'}' | b'[' | b']' => return at,
            b'(' => round += 1,
            b')' if round == 0 => return at,
            b')' => round -= 1,
            b' ' if bytes.get(at + 1) == Some(&b' ') => return at,
            _ => {}
        }
    }
    text.len()
}

/// A name: capitalised words, "Last, First M.", or HL7 carets. After a strong label lower-case words too, if they fill the field.
fn name(field: &str, strong: bool, rules: &RuleSet) -> Option<usize> {
    let mut end = 0;
    let mut count = 0;
    let mut capitals = 0;
    let mut rest = field;
    let mut at = 0;
    while count < 6 {
        let word_len = rest.find(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.' | '\u{fffd}'))).unwrap_or(rest.len());
        let word = &rest[..word_len];
        let Some(first) = word.chars().next() else { break };
        let after = &rest[word_len..];
        // "DOB:" or "id=" begins the next field; digits do not belong to a name.
        if !first.is_alphabetic()
            || after.trim_start().starts_with([':', '='])
            || after.starts_with(|c: char| c.is_ascii_digit() || c == '_' || c == '/' || c == '@')
        {
            break;
        }
        let lower = word.to_lowercase();
        let lower = lower.trim_end_matches('.');
        if count > 0 && rules.columns.get(lower).is_some_and(|label| label.strong) {
            break;
        }
        if first.is_uppercase() {
            capitals += 1;
        } else if !strong
            || (capitals > 0
                && !matches!(lower, "van" | "von" | "der" | "den" | "de" | "la" | "le" | "del" | "di" | "da" | "bin" | "al" | "el" | "ter"))
        {
            break;
        }
        count += 1;
        at += word_len;
        end = at;
        let gap = after.len() - after.trim_start_matches([' ', ',', '^']).len();
        if gap == 0 || gap > 2 {
            break;
        }
        at += gap;
        rest = &after[gap..];
    }
    let fills_field = field[end..].trim().is_empty() || field[end..].trim_start().starts_with([',', '(', '\'']);
    let fits = if strong { capitals > 0 || (count > 0 && count <= 4 && fills_field) } else { capitals >= 2 && capitals == count };
    (fits && end >= 2 || (strong && end == 1)).then_some(end)
}

/// Words without digits up to the field's end.
fn words(field: &str, strong: bool, most: usize) -> Option<usize> {
    let end = field.find([',', '(', ':', '=']).unwrap_or(field.len());
    let value = field[..end].trim_end();
    let fits = !value.is_empty()
        && value.split(' ').count() <= most
        && value.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '-' | '\''))
        && (strong || value.starts_with(char::is_uppercase));
    fits.then_some(value.len())
}

fn address(field: &str, strong: bool) -> Option<usize> {
    let value = field.trim_end().trim_end_matches([',', '.']);
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let words = value.split(' ').count();
    // An IP or MAC address, a URL, a pointer, an e-mail address: somebody else's business.
    let technical = value.contains("://")
        || value.starts_with("0x")
        || value.contains('@')
        || value.starts_with('/')
        || !value.contains(|c: char| c.is_alphabetic())
        || (words == 1 && value.contains([':', '/', '.']));
    (!technical && words >= 2 && (digits > 0 || strong)).then_some(value.len())
}

/// An identifying code: letters, digits and inner punctuation, with enough digits.
fn code(text: &str, least_digits: usize, groups: bool) -> Option<usize> {
    let token = |text: &str| {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | '*'))).unwrap_or(text.len());
        text[..end].trim_end_matches(['.', '-', '/', '_']).len()
    };
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let mut end = token(text);
    if digits(&text[..end]) < least_digits || text[end..].starts_with('(') {
        return None;
    }
    // "4111 1111 1111 1111", "1EG4 TE5 MK73": groups of capitals and digits go on.
    while groups && text[end..].starts_with(' ') {
        let next = token(&text[end + 1..]);
        let group = &text[end + 1..end + 1 + next];
        if next < 2
            || digits(group) == 0
            || group.contains(|c: char| c.is_ascii_lowercase() || c == '/' || c == '.' || c == '-')
            || text[end + 1 + next..].starts_with([':', '='])
        {
            break;
        }
        end += 1 + next;
    }
    Some(end)
}

fn plate(text: &str) -> Option<usize> {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = text.get(letters..)?.strip_prefix(' ')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    ((1..=4).contains(&letters) && (2..=5).contains(&digits)).then_some(letters + 1 + digits)
}

/// Digits and the given separators, at least `least` digits (or stars standing for them).
fn number(text: &str, separators: &str, least: usize) -> Option<usize> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || separators.contains(c))).unwrap_or(text.len());
    // Two spaces end the field; a separator at the end is punctuation.
    let end = text[..end].find("  ").unwrap_or(end);
    let mut value = text[..end].trim_end_matches(|c: char| !c.is_ascii_digit() && c != '*');
    // "555-123-4567 2024-01-01": what follows a whole number is another one.
    if let Some(space) = value.match_indices(' ').map(|(at, _)| at).find(|at| value[..*at].bytes().filter(u8::is_ascii_digit).count() >= 9)
    {
        value = &value[..space];
    }
    let digits = value.bytes().filter(|b| b.is_ascii_digit() || *b == b'*').count();
    let extension = text[value.len()..].trim_start();
    let mut length = value.len();
    for mark in ["ext. ", "ext ", "ext.", "x"] {
        if digits >= 7 && extension.get(..mark.len()).is_some_and(|e| e.eq_ignore_ascii_case(mark)) {
            let more = extension[mark.len()..].bytes().take_while(u8::is_ascii_digit).count();
            if more > 0 {
                length = text.len() - extension.len() + mark.len() + more;
                break;
            }
        }
    }
    (digits >= least).then_some(length)
}

/// "94", "94 years", "94-year-old", "094Y" (DICOM PS3.5 6.2, AS): over 89 only. "94d" is how long something runs.
fn age(text: &str) -> Option<usize> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let years: u32 = text[..end].parse().ok()?;
    let unit = text[end..].bytes().take_while(u8::is_ascii_alphabetic).count();
    let of_years = matches!(text[end..end + unit].to_ascii_lowercase().as_str(), "" | "y" | "yr" | "yrs" | "yo" | "years" | "year" | "j");
    let goes_on = text[end + unit..].starts_with([':', '.', '/', '%']) && text[end + unit + 1..].starts_with(|c: char| c.is_ascii_digit());
    ((90..=130).contains(&years) && of_years && !goes_on).then_some(end)
}

/// A whole cell that is an age over 89.
pub(super) fn age_in_years(cell: &str) -> Option<u32> {
    age(cell)?;
    let digits = cell.bytes().take_while(u8::is_ascii_digit).count();
    cell[..digits].parse().ok()
}

/// A date that is all of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: u32,
}

/// The whole text is a calendar day without a time: 1954-03-11, 03/11/1954, 11.03.1954, 19540311, 11-Mar-1954.
pub(super) fn whole_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if !(8..=11).contains(&bytes.len()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_digit) {
        let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
        return ((1880..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Date { year });
    }
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ']).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let month =
        second.parse::<u32>().map_or_else(|_| month_length(second).is_some_and(|length| length == second.len()), |month| month <= 31);
    let year = match (first.len(), third.len()) {
        (4, 1..=2) => first.parse().ok()?,
        (1..=2, 4) => third.parse().ok()?,
        _ => return None,
    };
    let day = if first.len() == 4 { third } else { first };
    (month && (1880..=2100).contains(&year) && day.parse::<u32>().is_ok_and(|day| (1..=31).contains(&day))).then_some(Date { year })
}

/// The whole text is a phone number with its separators (ITU-T E.123).
pub(super) fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')' | '+' | 'x'));
    let groups = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count();
    // 3-4, 3-3-4, +1-3-3-4; a date has other groups, a version dots and short ones.
    plain
        && (7..=16).contains(&digits)
        && whole_date(text).is_none()
        && (text.starts_with('+') || text.starts_with('(') || ((2..=4).contains(&groups) && (digits >= 10 || digits == 7)))
        && text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).all(|group| group.len() <= 8)
        && text.split(|c: char| !c.is_ascii_digit()).rfind(|group| !group.is_empty()).is_some_and(|last| last.len() >= 2)
}

/// AAA-GG-SSSS.
pub(super) fn is_ssn_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 11 && bytes.iter().enumerate().all(|(at, b)| if at == 3 || at == 6 { *b == b'-' } else { b.is_ascii_digit() })
}

/// "12 Elm Street", "PO Box 12", "4400 W. 5th Ave Apt 3": a number, and words of which one is a street's (USPS Publication 28, C1).
pub(super) fn is_street(text: &str) -> bool {
    const SUFFIXES: [&str; 44] = [
        "street",
        "st",
        "avenue",
        "ave",
        "road",
        "rd",
        "boulevard",
        "blvd",
        "lane",
        "ln",
        "drive",
        "dr",
        "court",
        "ct",
        "way",
        "place",
        "pl",
        "terrace",
        "ter",
        "circle",
        "cir",
        "parkway",
        "pkwy",
        "highway",
        "hwy",
        "trail",
        "trl",
        "square",
        "sq",
        "loop",
        "run",
        "path",
        "pike",
        "row",
        "alley",
        "ridge",
        "crossing",
        "plaza",
        "point",
        "pointe",
        "hill",
        "grove",
        "close",
        "crescent",
    ];
    let lower = text.to_ascii_lowercase();
    if ["po box", "p.o. box", "p o box"].iter().any(|start| lower.starts_with(start)) {
        return true;
    }
    let number = lower.bytes().take_while(u8::is_ascii_digit).count();
    (1..=6).contains(&number)
        && lower[number..].starts_with([' ', 'a', 'b', '-'])
        && lower.split([' ', ',', '.', '#']).skip(1).any(|word| SUFFIXES.contains(&word))
        && lower.split(' ').count() <= 10
}

/// USPS abbreviations of states and territories.
pub(super) fn is_state(text: &str) -> bool {
    const STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR VI GU";
    text.len() == 2 && STATES.split(' ').any(|known| known == text)
}

/// The whole text is one code with at least so many digits.
pub(super) fn is_code_alone(text: &str, least_digits: usize) -> bool {
    text.len() <= 32
        && text.bytes().filter(u8::is_ascii_digit).count() >= least_digits
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.' | b':'))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}

/// A date with its time: ISO 8601, US and European numbers, HL7 TS, "3 Feb 1980", "February 3, 1980".
fn date(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let run = |at: usize| bytes[at.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let first = run(0);
    let end = match first {
        // "20240101-20240115": a range, as DICOM queries and X12 (RD8) have it.
        8 if bytes.get(8) == Some(&b'-') && run(9) == 8 => 17,
        // FileMan's, behind a label that asks for a date.
        7 if super::mumps::is_fileman_date(&text[..7]) => 7,
        8..=14 if bytes.get(first).is_none_or(|b| !b.is_ascii_alphabetic()) => first,
        1 | 2 | 4 if matches!(bytes.get(first), Some(b'-' | b'/' | b'.')) => {
            let second = run(first + 1);
            let after = first + 1 + second;
            if (1..=2).contains(&second) && bytes.get(after) == bytes.get(first) {
                let third = run(after + 1);
                if !matches!(third, 1 | 2 | 4) {
                    return None;
                }
                after + 1 + third
            } else if second == 0 {
                // 03-Feb-1980
                let month = month_length(text.get(first + 1..)?)?;
                let year_at = first + 1 + month + 1;
                let year = run(year_at);
                if !matches!(year, 2 | 4) {
                    return None;
                }
                year_at + year
            } else if first == 4 && second == 2 {
                after
            } else {
                return None;
            }
        }
        1 | 2 if bytes.get(first) == Some(&b' ') => {
            let month = month_length(text.get(first + 1..)?)?;
            let gap = text[first + 1 + month..].bytes().take_while(|b| matches!(b, b' ' | b',' | b'.')).count();
            let year_at = first + 1 + month + gap;
            if run(year_at) != 4 {
                return None;
            }
            year_at + 4
        }
        0 => {
            let month = month_length(text)?;
            let gap = text[month..].bytes().take_while(|b| matches!(b, b' ' | b'.')).count();
            let day_at = month + gap;
            let day = run(day_at);
            if !(1..=2).contains(&day) {
                return None;
            }
            let mut year_at = day_at + day;
            year_at +=
                text.get(year_at..)?.bytes().take_while(|b| matches!(b, b' ' | b',' | b's' | b't' | b'h' | b'n' | b'd' | b'r')).count();
            if run(year_at) == 4 { year_at + 4 } else { day_at + day }
        }
        4 => 4,
        _ => return None,
    };
    Some(end + time_length(&text[end..]))
}

/// "T08:30:00Z", " 08:30:00.123 +01:00", " 8:30 AM" after a date.
fn time_length(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['T', ' ']) else { return 0 };
    let clock = rest.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.')).count();
    if clock < 4 || !rest[..clock].contains(':') {
        return 0;
    }
    let zone = rest[clock..].bytes().take_while(|b| matches!(b, b'Z' | b'+' | b'-' | b':') || b.is_ascii_digit()).count();
    1 + clock + zone
}

fn month_length(text: &str) -> Option<usize> {
    let word = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let lower = text[..word].to_ascii_lowercase();
    let months = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    (word >= 3 && months.iter().any(|month| month.starts_with(&lower) || (lower == "sept" && *month == "september"))).then_some(word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn value(kind: Kind, text: &'static str) -> &'static str {
        let rules = RuleSet::builtin();
        at_start(kind, text, true, &rules).map_or("", |end| &text[..end])
    }

    #[test]
    fn dates_as_people_write_them() {
        for (text, expected) in [
            ("1980-02-03 and", "1980-02-03"),
            ("02/03/1980,", "02/03/1980"),
            ("3 Feb 1980", "3 Feb 1980"),
            ("Feb 3, 1980 at", "Feb 3, 1980"),
            ("03-FEB-1980", "03-FEB-1980"),
            ("19800203", "19800203"),
            ("1980-02-03T08:30:00Z x", "1980-02-03T08:30:00Z"),
            ("unknown", ""),
        ] {
            assert_eq!(value(Kind::Birth, text), expected);
        }
    }

    #[test]
    fn a_name_ends_where_the_next_field_begins() {
        for (text, expected) in [
            ("SMITH, JOHN A  DOB: 1", "SMITH, JOHN A"),
            ("John Smith MRN: 12", "John Smith"),
            ("Smith", "Smith"),
            ("O'Brien-Müller, Zoë (brother)", "O'Brien-Müller, Zoë"),
            ("john smith", "john smith"),
            ("unknown", ""),
            ("first_name", ""),
        ] {
            assert_eq!(value(Kind::Name, text), expected, "{text}");
        }
    }

    #[test]
    fn codes_have_digits() {
        assert_eq!(value(Kind::Mrn, "E-004512, seen"), "E-004512");
        assert_eq!(value(Kind::Account, "4111 1111 1111 1111 exp"), "4111 1111 1111 1111");
        assert_eq!(value(Kind::Mrn, "varchar(20)"), "");
    }
}
