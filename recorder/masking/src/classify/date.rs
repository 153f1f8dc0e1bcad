//! Days as people, databases and messages write them.

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
    let mut parts = text.split(['-', '/', '.', ' ']);
    let (Some(first), Some(second), Some(third), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else { return None };
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

/// A date with its time: ISO 8601, US and European numbers, HL7 TS, "3 Feb 1980", "February 3, 1980".
pub(super) fn date(text: &str) -> Option<usize> {
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

/// `datetime.date(1954, 3, 11)`.
pub(super) fn numbers_of_date(text: &str) -> Option<usize> {
    if text.as_bytes().iter().take(5).take_while(|b| b.is_ascii_digit()).count() != 4 {
        return None;
    }
    let end = text.find(')')?;
    let fits = text[..end].bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b' ')) && text[..end].matches(',').count() >= 2;
    fits.then_some(end)
}

/// Of a day without a time.
pub(super) const MAX_DAY_BYTES: usize = 20;

/// "06-Feb-2", "19": the beginning of a date that fills its field.
pub(super) fn begun_date(field: &str) -> Option<usize> {
    let text = field.trim_end();
    if text.len() > MAX_DAY_BYTES {
        return None;
    }
    let parts = text.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty());
    let fits = parts.clone().all(|part| part.bytes().all(|b| b.is_ascii_digit()) || month_length(part) == Some(part.len()));
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (fits && (2..=8).contains(&digits) && parts.count() >= 2).then_some(text.len())
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

pub(super) fn month_length(text: &str) -> Option<usize> {
    let word = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let lower = text[..word].to_ascii_lowercase();
    let months = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    (word >= 3 && months.iter().any(|month| month.starts_with(&lower) || (lower == "sept" && *month == "september"))).then_some(word)
}
