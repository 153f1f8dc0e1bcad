//! Prose that was filled to a width: what stands at the end of one line goes on at the beginning of the next ("Please call Ms." / "Whitfield
//! at 555-0100"). The two ends are read together.

use super::{Found, label, near, pattern, prose};
use crate::{rules::RuleSet, words::words};

/// Lines of filled text: shorter ones end where they end.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=240;
/// So much of each line's end is read.
const EDGE: usize = 64;
/// Words behind which a value comes.
const ASKING: [&str; 34] = [
    "is",
    "at",
    "to",
    "number",
    "no",
    "mrn",
    "dob",
    "phone",
    "call",
    "on",
    "born",
    "and",
    "between",
    "from",
    "id",
    "account",
    "ssn",
    "fax",
    "cell",
    "mr",
    "mrs",
    "ms",
    "miss",
    "patient",
    "for",
    "of",
    "named",
    "insurance",
    "chart",
    "record",
    "member",
    "policy",
    "security",
    "birth",
];

/// `near`: a patient was spoken of lately.
pub(super) fn find(previous: &str, line: &str, near: bool, rules: &RuleSet, found: &mut Vec<Found>, back: &mut Vec<(u32, Found)>) {
    let head = line.trim_start();
    if !WIDTHS.contains(&previous.len()) || !may_go_on(previous, head) {
        return;
    }
    let mut from = previous.floor_char_boundary(previous.len().saturating_sub(EDGE));
    from += previous[from..].find(' ').map_or(0, |blank| blank + 1);
    let tail = &previous[from..];
    let head = &head[..head.floor_char_boundary(EDGE)];
    let joined = format!("{tail} {head}");
    let mut both = Vec::new();
    let mut of_both = Vec::new();
    words(&joined, &mut of_both);
    label::find(&joined, rules, &mut both);
    pattern::find(&joined, false, rules, &mut both);
    prose::find(&joined, &of_both, rules, &mut both);
    if near || both.iter().any(near::is_name) {
        near::days(&joined, false, rules, &mut both);
    }
    let border = tail.len() + 1;
    let indent = line.len() - line.trim_start().len();
    for Found { range, kind, rule } in both {
        if range.end <= border {
            continue;
        }
        found.push(Found::new(indent + range.start.max(border) - border..indent + range.end - border, kind, rule));
        if range.start < tail.len() {
            back.push((1, Found::new(from + range.start..previous.len(), kind, rule)));
        }
    }
}

/// Cheap: asked of every line.
fn may_go_on(previous: &str, head: &str) -> bool {
    // Lines of logs begin with a date, a number or a bracket; filled text has single blanks.
    let text = previous.trim_start();
    if !text.starts_with(char::is_alphabetic) {
        return false;
    }
    let Some(first) = head.chars().next().filter(|c| c.is_alphanumeric() || matches!(c, '(' | '+')) else { return false };
    let Some(last) =
        previous.as_bytes().last().filter(|b| b.is_ascii_alphanumeric() || matches!(b, b',' | b'.' | b')' | b'-') || !b.is_ascii())
    else {
        return false;
    };
    let word = previous.rsplit(' ').next().unwrap_or_default();
    // Others begin with a month: their times tell.
    let clock =
        |text: &str| text.as_bytes().windows(5).take(40).any(|w| w[2] == b':' && [w[0], w[1], w[3], w[4]].iter().all(u8::is_ascii_digit));
    let digits = (last.is_ascii_digit() || *last == b',' || *last == b')' || *last == b'-') && (first.is_ascii_digit() || first == '(');
    let names = word.starts_with(char::is_uppercase) && first.is_uppercase() && !matches!(last, b')' | b'-');
    let asks = || ASKING.iter().any(|asking| word.trim_end_matches('.').eq_ignore_ascii_case(asking));
    (digits || names || asks()) && !clock(head) && !clock(previous) && !text.contains("  ") && text.split(' ').count() >= 6
}
