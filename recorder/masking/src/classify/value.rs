//! Shapes of values: where a value that begins here ends, if it begins here at all.

use super::date::{MAX_DAY_BYTES, begun_date, date, numbers_of_date};
pub(super) use super::{
    date::{Date, whole_date},
    forms::{is_code_alone, is_ip, is_phone, is_plate, is_private_ip, is_ssn_text, is_state, is_street, is_uuid, is_vin},
};
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
        Kind::Birth | Kind::Date => {
            // A day ends soon: asked of every word beside a name.
            let begun = || {
                let near = &text[..text.floor_char_boundary(2 * MAX_DAY_BYTES)];
                begun_date(&near[..field_end(near)])
            };
            numbers_of_date(text).or_else(|| date(text)).or_else(|| if strong { begun() } else { None })?
        }
        // The French one has 13 digits and a key of two, in groups.
        Kind::Ssn => french(text).or_else(|| number(text, "-. Xx*", 4))?,
        // A form that is still being painted, a page cut by its margin: the label says what it will be.
        Kind::Phone => number(text, "-. ()+xX/", 7).or_else(|| {
            let field = field();
            number(field, "-. ()+", 3).filter(|length| strong && length + 1 >= field.len() && is_begun_phone(text))
        })?,
        Kind::Email => text.find([' ', ',', ';', '|', '>', ')', '"', '\'']).unwrap_or(text.len()),
        Kind::Address => address(field(), strong)?,
        Kind::City => words(field(), strong, 4)?,
        Kind::Zip => {
            let code = code(text, 3, false).filter(|end| *end <= 10 && !text[..*end].contains(['.', '/']))?;
            // "50667 Köln": in much of the world the town goes with it.
            let end = if strong { field().len().max(code) } else { code };
            let town = words(text[code..end].strip_prefix(' ').unwrap_or_default(), true, 3).filter(|_| strong);
            town.filter(|_| text[code + 1..].starts_with(char::is_uppercase)).map_or(code, |town| code + 1 + town)
        }
        Kind::Age => age(text)?,
        // A picture's file, an address of a portal.
        Kind::Other => {
            let end = text.find([' ', '"', '\'', ',', ';', '\t', ')', '>', ']']).unwrap_or(text.len());
            let telling = text[..end].contains(|c: char| c.is_ascii_digit() || c == '.');
            (telling && (strong || !is_private_ip(&text[..end]))).then_some(end)?
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
        // Synthetic patients are numbered: "José Eduardo181".
        Kind::Name | Kind::City => {
            digits == 0 || (strong && cell.starts_with(char::is_alphabetic) && digits <= 4 && cell.len() > digits + 1)
        }
        Kind::Address => strong || digits > 0,
        // An account without a digit is a login.
        Kind::Account => digits > 0,
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
    let mut particles = 0;
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
        } else if !super::shapes::is_particle(lower) && (!strong || capitals > 0) {
            break;
        } else {
            particles += usize::from(super::shapes::is_particle(lower));
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
    let fits =
        if strong { capitals > 0 || (count > 0 && count <= 4 && fills_field) } else { capitals >= 2 && capitals + particles == count };
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
        // The next pair of a list.
        || ["=", "': ", "\": ", ": '", ": \""].iter().any(|sign| value.contains(sign))
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
    // "1813/tcp": a port.
    let port = text[..end].ends_with("/tcp") || text[..end].ends_with("/udp");
    if digits(&text[..end]) < least_digits || text[end..].starts_with('(') || port {
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

/// "642-555-", "(642", "+1 64": an area and what follows. "4-1242" is an extension of the house.
fn is_begun_phone(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.starts_with(['(', '+']) || (digits >= 3 && matches!(text.as_bytes().get(digits), None | Some(b'-' | b'.' | b' ')))
}

/// "2 54 03 75 116 001 42": sex, year, month, department, commune, order, key (INSEE, NIR).
fn french(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == ' ')).unwrap_or(text.len());
    let value = text[..end].trim_end();
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (value.starts_with(['1', '2']) && value.as_bytes().get(1) == Some(&b' ') && matches!(digits, 13 | 15)).then_some(value.len())
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
