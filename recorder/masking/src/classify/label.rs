//! Labels in running text and forms without a sign: "MRN 123456", "DOB 03/11/1954", "born on 3 May 1950", "Last Name      Whitfield".

use aho_corasick::Match;

use super::{Found, Rule, keyed::name_comes_first, value::at_start};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
};

/// How the value is tied to its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// A word: "is", "of".
    Word,
    /// One or two blanks: "MRN 123456".
    Space,
    /// A form's second column.
    Gap,
}

pub(super) fn find(line: &str, rules: &RuleSet, found: &mut Vec<Found>) {
    let mut previous = 0;
    for hit in rules.label_finder.find_iter(line) {
        let label = rules.labels[hit.pattern().as_usize()];
        if hit.start() < previous || !left_boundary(line, hit, rules) {
            continue;
        }
        let Some((tie, at)) = tie(line, hit.end()) else { continue };
        if let Some(length) = value_length(line, hit, label, tie, at, rules) {
            previous = at + length;
            let value = Found::new(at..at + length, label.kind, Rule::Label);
            name_comes_first(line, hit.start(), &value, rules, found);
            found.push(value);
        }
    }
}

/// The label begins a word, and the word before does not make it another thing's ("test name", "provider phone").
fn left_boundary(line: &str, hit: Match, rules: &RuleSet) -> bool {
    let before = &line[..hit.start()];
    let Some(last) = before.chars().next_back() else { return true };
    let Some(first) = line[hit.start()..].chars().next() else { return false };
    if last.is_alphanumeric() {
        // patientMrn: a capital after a small letter begins a word.
        return last.is_lowercase() && first.is_uppercase();
    }
    if !matches!(last, '_' | '-' | '.' | ' ') || before.ends_with("  ") {
        return true;
    }
    let word = before.trim_end_matches(['_', '-', '.', ' ']).rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let glued = last != ' ';
    // Behind a sign like "_" the words before must be of labels too.
    rules.vocabulary.label(&format!("{word} {}", &line[hit.start()..hit.end()])).is_some() || (!glued && !rules.vocabulary.knows(word))
}

fn tie(line: &str, end: usize) -> Option<(Tie, usize)> {
    let mut rest = &line[end..];
    // "address1", "phone 2": a number belongs to the label.
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 2 {
        return None;
    }
    if digits > 0 && !rest[digits..].starts_with(|c: char| c.is_alphanumeric()) {
        rest = &rest[digits..];
    }
    for suffix in [" number", " no.", " no", " num", " id", " #", "#", "(s)"] {
        if rest.get(..suffix.len()).is_some_and(|r| r.eq_ignore_ascii_case(suffix))
            && !rest[suffix.len()..].starts_with(|c: char| c.is_alphanumeric() && !suffix.ends_with('#'))
        {
            rest = &rest[suffix.len()..];
            break;
        }
    }
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let at = |rest: &str| line.len() - rest.len();
    // Dot leaders of a form.
    let led = rest.trim_start_matches([' ', '\t']);
    if led.starts_with("..") || led.starts_with("__") {
        let value = led.trim_start_matches(['.', '_', ' ', '\t']);
        return (!value.starts_with([':', '='])).then(|| (Tie::Gap, at(value)));
    }
    let trimmed = rest.trim_start_matches([' ', '\t']);
    let gap = rest.len() - trimmed.len();
    if trimmed.starts_with([':', '=']) || gap == 0 {
        return None;
    }
    for word in ["is ", "was ", "of ", "on ", "IS ", "at ", "- ", "# "] {
        if let Some(value) = trimmed.strip_prefix(word) {
            return Some((Tie::Word, at(value.trim_start())));
        }
    }
    Some((if gap <= 1 { Tie::Space } else { Tie::Gap }, at(trimmed)))
}

fn value_length(line: &str, hit: Match, label: Label, tie: Tie, at: usize, rules: &RuleSet) -> Option<usize> {
    let rest = &line[at..];
    let tells = label.kind.is_code() || matches!(label.kind, Kind::Ssn | Kind::Birth | Kind::Phone | Kind::Email | Kind::Date);
    match tie {
        // Only codes and dates say of themselves that they are a value.
        Tie::Space | Tie::Word if !label.strong || !tells => return None,
        Tie::Gap => {
            // A form's row begins with its label.
            let begins = line[..hit.start()].trim_start_matches([' ', '│', '|', '*']).is_empty() || line[..hit.start()].ends_with("  ");
            if !label.strong || !begins {
                return None;
            }
        }
        _ => {}
    }
    let length = at_start(label.kind, rest, true, rules)?;
    let value = &rest[..length];
    // Words of labels are a header's next cell.
    let header = !value.contains(|c: char| c.is_ascii_digit())
        && (value.split_whitespace().all(|word| rules.vocabulary.knows(word)) || !value.contains(char::is_uppercase));
    // "visit 1", "encounter 12 closed": a count.
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let least = if label.kind == Kind::Device { 6 } else { 4 };
    let short = label.kind.is_code() && label.kind != Kind::Other && digits < least && tie != Tie::Gap;
    (!header && !short).then_some(length)
}
