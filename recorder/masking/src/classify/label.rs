//! Labelled values: "MRN: 123", "dob=1980-02-03", "last_name = 'Smith'", `"ssn": "..."`, `<given>..</given>`, psql's expanded rows.

use aho_corasick::Match;

use super::{
    Found, Rule,
    value::{at_start, fills},
};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
};

/// What the lines before say about this one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    /// In a psql record (`\x`): `label | value`.
    pub(super) expanded: bool,
    /// A patient was named a few lines ago: weak labels are believed.
    pub(super) patient: bool,
}

/// How the value is tied to its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// `:` `=` and the like.
    Sign,
    /// The bar of an expanded row: the value is the rest of the line.
    Bar,
    /// Only a space: "MRN 123456".
    Space,
    /// `<label>value<` and `<label value="value"`.
    Element,
}

pub(super) fn find(line: &str, rules: &RuleSet, around: Around, found: &mut Vec<Found>) {
    for hit in rules.label_finder.find_iter(line) {
        let label = rules.labels[hit.pattern().as_usize()];
        let Some(qualified) = left_boundary(line, hit, rules) else { continue };
        let Some((tie, at)) = tie(line, hit.end(), around) else { continue };
        if let Some(value) = value_at(line, label, qualified, tie, at, rules, around) {
            found.push(Found::new(value, label.kind, Rule::Label));
        }
    }
}

/// `Some(true)`: the label stands alone or behind a word that speaks of a person.
fn left_boundary(line: &str, hit: Match, rules: &RuleSet) -> Option<bool> {
    let before = &line[..hit.start()];
    let Some(last) = before.chars().next_back() else { return Some(true) };
    let first = line[hit.start()..].chars().next()?;
    if last.is_alphanumeric() {
        // patientMrn: a capital after a small letter begins a word.
        if !(last.is_lowercase() && first.is_uppercase()) {
            return None;
        }
    } else if !matches!(last, '_' | '-' | '.' | ' ') {
        return Some(true);
    }
    let word_end = before.trim_end_matches(['_', '-', '.', ' ']);
    if word_end.len() < before.len() && before.ends_with("  ") {
        return Some(true);
    }
    let word_start =
        word_end.rfind(|c: char| !c.is_alphanumeric()).map_or(0, |at| at + word_end[at..].chars().next().map_or(1, char::len_utf8));
    let word = &word_end[word_start..];
    Some(word.is_empty() || rules.qualifiers.contains(&word.to_lowercase()) || word.ends_with(|c: char| c.is_ascii_digit()))
}

/// What follows the label: the sign that ties a value to it, and where the value begins.
fn tie(line: &str, end: usize, around: Around) -> Option<(Tie, usize)> {
    let mut rest = &line[end..];
    // "address1", "phone 2": a number belongs to the label.
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 2 {
        return None;
    }
    if digits > 0 && !rest[digits..].starts_with(|c: char| c.is_alphanumeric()) {
        rest = &rest[digits..];
    }
    for suffix in [
        "'s", "_number", " number", "_num", "_no", " no.", " no", " num", "_id", " id", "_nbr", " #", "#", "(s)", "_value", "_text",
        "_enc", "_str",
    ] {
        if rest.get(..suffix.len()).is_some_and(|r| r.eq_ignore_ascii_case(suffix))
            && !rest[suffix.len()..].starts_with(|c: char| c.is_alphanumeric())
        {
            rest = &rest[suffix.len()..];
            break;
        }
    }
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    // A remark in parentheses: "DOB (mm/dd/yyyy):".
    let spaced = rest.trim_start_matches(' ');
    if spaced.starts_with('(')
        && let Some(close) = spaced.find(')')
        && close <= 24
        && spaced[close + 1..].trim_start_matches(' ').starts_with([':', '='])
    {
        rest = &spaced[close + 1..];
    }
    let at = |rest: &str| line.len() - rest.len();
    if let Some(element) = rest.strip_prefix('>') {
        let opens = line[..end].rfind('<').is_some_and(|open| !line[open..end].contains([' ', '>', '/']));
        return opens.then(|| (Tie::Element, at(element)));
    }
    if line[..end].rfind('<').is_some_and(|open| !line[open..end].contains([' ', '>']))
        && let Some(value) = rest.find("value=\"").filter(|value| !rest[..*value].contains('>'))
    {
        return Some((Tie::Element, at(&rest[value + 7..])));
    }
    // Closing quotes of a key, dot leaders of a form.
    let closed = rest.trim_start_matches(['"', '\'', '`', '\\', ']']);
    let led = if closed.trim_start_matches([' ', '\t']).starts_with(['.', '_', '*']) {
        closed.trim_start_matches([' ', '.', '_', '\t', '*'])
    } else {
        closed
    };
    let trimmed = led.trim_start_matches([' ', '\t']);
    if around.expanded
        && let Some(value) = trimmed.strip_prefix(['|', '│'])
    {
        return Some((Tie::Bar, at(value)));
    }
    for sign in ["::", ":=", "==", "=>", "->", "!=", "<>", ":", "=", "＝", "：", "is ", "IS ", "like ", "LIKE ", "ilike ", "ILIKE "] {
        if let Some(value) = trimmed.strip_prefix(sign) {
            return Some((Tie::Sign, at(value)));
        }
    }
    if led.len() == rest.len() && trimmed.len() < rest.len() && rest.len() - trimmed.len() <= 2 {
        return Some((Tie::Space, at(trimmed)));
    }
    None
}

fn value_at(
    line: &str,
    label: Label,
    qualified: bool,
    tie: Tie,
    at: usize,
    rules: &RuleSet,
    around: Around,
) -> Option<std::ops::Range<usize>> {
    let strong = label.strong || (around.patient && qualified);
    if !label.strong && !qualified {
        return None;
    }
    let rest = &line[at..];
    let start = at + (rest.len() - rest.trim_start_matches([' ', '\t', '=']).len());
    let rest = &line[start..];
    match tie {
        Tie::Element => {
            let end = rest.find(['<', '"']).unwrap_or(rest.len());
            return fills(label.kind, &rest[..end], strong, rules).then(|| trimmed(line, start, start + end));
        }
        Tie::Bar => return fills(label.kind, rest, true, rules).then(|| trimmed(line, start, line.len())),
        Tie::Space => {
            // Only codes and dates say of themselves that they are a value.
            let tells = label.strong
                && (label.kind.is_code() || matches!(label.kind, Kind::Ssn | Kind::Birth | Kind::Phone | Kind::Email | Kind::Date));
            if !tells {
                return None;
            }
        }
        Tie::Sign => {}
    }
    // A quoted value ends at its quote; one without end (still being typed, cut by the screen) goes to the line's.
    let opened = rest.trim_start_matches(['\\', 'E', 'N', '%', '(', '[', ' ']);
    if let Some(quote) = opened.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')) {
        let from = line.len() - opened.len() + 1;
        let end = line[from..].find(quote).map_or(line.len(), |length| from + length);
        let inner = line[from..end].trim_end_matches('\\');
        return fills(label.kind, inner, strong, rules).then(|| from..from + inner.len());
    }
    at_start(label.kind, rest, strong, rules).map(|length| start..start + length)
}

fn trimmed(line: &str, start: usize, end: usize) -> std::ops::Range<usize> {
    start..start + line[start..end].trim_end().len()
}
