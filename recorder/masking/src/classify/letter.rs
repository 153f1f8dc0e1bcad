//! Letters and notes: salutations, subject lines, address blocks, and a name that stands before what says whose it is.

use std::ops::Range;

use super::{
    Found, Rule,
    shapes::{is_name_word, is_particle, may_be_name},
    value,
};
use crate::{kind::Kind, rules::RuleSet, words::Signs};

/// Nobody's name is longer.
pub(super) const MAX_PERSON_BYTES: usize = 256;

/// Findings in this line, and in the lines above it.
pub(super) fn find(line: &str, above: &[&str], rules: &RuleSet, found: &mut Vec<Found>, back: &mut Vec<(u32, Found)>) {
    let text = line.trim_start();
    let start = line.len() - text.len();
    if let Some(rest) = ["Dear ", "DEAR ", "Hello ", "Hi "].iter().find_map(|word| text.strip_prefix(word)) {
        salutation(line, line.len() - rest.len(), rules, found);
    }
    if let Some(rest) =
        ["Re:", "RE:", "re:", "Regarding:", "Subject:", "SUBJECT:", "cc:", "Concerning:"].iter().find_map(|word| text.strip_prefix(word))
    {
        let name = rest.trim_start();
        let name =
            ["Mr. ", "Mrs. ", "Ms. ", "Mr ", "Mrs ", "Ms ", "Miss "].iter().find_map(|title| name.strip_prefix(title)).unwrap_or(name);
        let from = line.len() - name.len();
        if let Some(length) = person_at(name, rules)
            && !text.starts_with("cc")
        {
            found.push(Found::new(from..from + length, Kind::Name, Rule::Letter));
        }
    }
    listed(line, above.last().copied().unwrap_or_default(), rules, found);
    // The last line of an address: what is above it is a street, and above that a name.
    let last_line =
        found.iter().any(|found| found.kind == Kind::City && found.range.start == start && matches!(found.rule, Rule::Pattern(_)));
    if last_line {
        let mut street = false;
        for (distance, above) in (1u32..).zip(above.iter().rev().take(3)) {
            let trimmed = above.trim();
            let from = above.len() - above.trim_start().len();
            if trimmed.is_empty() {
                break;
            }
            if value::is_street(trimmed)
                || trimmed.starts_with(|c: char| c.is_ascii_digit())
                || trimmed.to_ascii_lowercase().starts_with("apt")
            {
                back.push((distance, Found::new(from..from + trimmed.len(), Kind::Address, Rule::Letter)));
                street = true;
            } else {
                let name = ["Mr. ", "Mrs. ", "Ms. ", "Mr ", "Mrs ", "Ms ", "Miss ", "To: ", "Parent of "]
                    .iter()
                    .find_map(|title| trimmed.strip_prefix(title))
                    .unwrap_or(trimmed);
                let from = from + (trimmed.len() - name.len());
                if street && person_at(name, rules).is_some_and(|length| length == name.len()) {
                    back.push((distance, Found::new(from..from + name.len(), Kind::Name, Rule::Letter)));
                }
                break;
            }
        }
    }
}

/// `1) "mrn"` and below it `2) "E004512"`: a list of keys and values (redis-cli's HGETALL).
fn listed(line: &str, above: &str, rules: &RuleSet, found: &mut Vec<Found>) {
    let item = |line: &str| {
        let text = line.trim_start();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: usize = text.get(..digits)?.parse().ok()?;
        let start = line.len() - text[digits..].strip_prefix(") \"")?.len();
        let end = line.trim_end().strip_suffix('"')?.len();
        (start < end).then_some((number, start..end))
    };
    if !line.ends_with('"') || !above.ends_with('"') {
        return;
    }
    let (Some((key, name)), Some((value, range))) = (item(above), item(line)) else { return };
    if value == key + 1
        && let Some(label) = rules.vocabulary.label(&above[name]).filter(|label| label.strong)
        && value::fills(label.kind, &line[range.clone()], true, rules)
    {
        found.push(Found::new(range, label.kind, Rule::Label));
    }
}

fn salutation(line: &str, start: usize, rules: &RuleSet, found: &mut Vec<Found>) {
    let rest = &line[start..];
    let end = rest.find([',', ':', ';']).unwrap_or(rest.len());
    let mut name = rest[..end].trim_end();
    if !rules.mask_providers && ["Dr", "Doctor", "Prof", "Colleague", "Sir", "Nurse"].iter().any(|title| name.starts_with(title)) {
        return;
    }
    let mut from = start;
    for title in [
        "Mr. and Mrs. ",
        "Mr. & Mrs. ",
        "Mr. ",
        "Mrs. ",
        "Ms. ",
        "Mr ",
        "Mrs ",
        "Ms ",
        "Miss ",
        "Mx. ",
        "Parent of ",
        "Parents of ",
        "Family of ",
        "Guardian of ",
        "Dr. ",
    ] {
        if let Some(rest) = name.strip_prefix(title) {
            from += title.len();
            name = rest;
        }
    }
    let words = name.split(' ').count();
    if !name.is_empty() && words <= 4 && name.split(' ').all(|word| is_name_word(word, rules) || word.trim_end_matches('.').len() == 1) {
        found.push(Found::new(from..from + name.len(), Kind::Name, Rule::Letter));
    }
}

/// Length of a person's name at the start: "Marguerite A. Whitfield", "WHITFIELD, MARGUERITE". No organisation, no title of a thing.
pub(super) fn person_at(text: &str, rules: &RuleSet) -> Option<usize> {
    person_of(text, 2, rules)
}

/// As [`person_at`], of so many words at least.
pub(super) fn person_of(text: &str, least: usize, rules: &RuleSet) -> Option<usize> {
    let text = &text[..text.floor_char_boundary(MAX_PERSON_BYTES)];
    let mut end = 0;
    let mut words = 0;
    let mut comma = false;
    let mut telling = false;
    for (at, word) in words_of(text) {
        let letters = word.find(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.'))).unwrap_or(word.len());
        let (name, rest) = word.split_at(letters);
        let core = name.trim_end_matches(['.', '\'', '-']);
        let core = core.strip_suffix("'s").or_else(|| core.strip_suffix("’s")).unwrap_or(core);
        let initial = words > 0 && core.chars().count() == 1 && core.starts_with(char::is_uppercase);
        let sure = is_name_word(core, rules);
        // "Joan Banks" is a name for the other word's sake.
        if !(sure || initial || may_be_name(core, rules) || is_particle(core)) || is_organisation(core) {
            break;
        }
        telling |= sure && !is_particle(core);
        words += usize::from(!is_particle(core));
        end = at + core.len();
        // A sentence ends, a bracket closes; "St." and "A." go on.
        let stops = (!rest.is_empty() && rest != ",") || (name.ends_with('.') && core.chars().count() > 3) || core.len() + 1 < name.len();
        if stops || words == 4 {
            break;
        }
        if rest == "," {
            if comma || words > 2 {
                break;
            }
            comma = true;
        }
    }
    (words >= least && telling && !text[..end].split(' ').next_back().is_some_and(is_particle)).then_some(end)
}

/// Words, with the comma behind them: "VILLANUEVA,ELENI MEI-LING" are three.
fn words_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let mut comma = false;
    text.split_inclusive([' ', ',']).filter_map(move |word| {
        let start = at;
        at += word.len();
        let word = word.trim_end_matches(' ');
        // One blank behind a comma; any other second blank ends the field, as an empty word.
        let skipped = word.is_empty() && comma;
        comma = word.ends_with(',');
        (!skipped).then_some((start, word))
    })
}

fn is_organisation(word: &str) -> bool {
    const WORDS: [&str; 22] = [
        "Hospital",
        "Clinic",
        "Center",
        "Centre",
        "Inc",
        "LLC",
        "Ltd",
        "Health",
        "Healthcare",
        "Medical",
        "Department",
        "University",
        "Institute",
        "Associates",
        "Group",
        "Insurance",
        "Pharmacy",
        "Laboratory",
        "Laboratories",
        "Care",
        "Services",
        "System",
    ];
    WORDS.contains(&word)
}

/// The name that ends right before `at`, where a label says it is a patient's: "WHITFIELD, MARGUERITE (MRN: ...", "John Smith, DOB ...".
pub(super) fn name_before(line: &str, at: usize, rules: &RuleSet) -> Option<Range<usize>> {
    let before = line[..at].trim_end_matches([' ', '(', '[', ',', ';', '-', '–', '|', '/', '<', '"', '{', '\'']);
    // Something must part the two, and not much.
    if before.len() == at || at - before.len() > 6 {
        return None;
    }
    let end = before.len();
    // DOE^JOHN^A
    let caret = before
        .rfind(|c: char| !(c.is_alphabetic() || matches!(c, '^' | '\'' | '-' | '.')))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    if before[caret..].contains('^') && before[caret..].starts_with(char::is_uppercase) {
        return Some(caret..end);
    }
    let mut start = end;
    let mut words = 0;
    let mut comma = false;
    let mut telling = false;
    while words < 5 {
        let rest = before[..start].trim_end_matches(' ');
        let (rest, with_comma) = match rest.strip_suffix(',') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        if words > 0 && (before[..start].len() - rest.len() > 2 || before[..start].len() == rest.len()) {
            break;
        }
        let word_start = rest
            .rfind(|c: char| !(c.is_alphabetic() || matches!(c, '\'' | '’' | '-' | '.')))
            .map_or(0, |at| at + rest[at..].chars().next().map_or(1, char::len_utf8));
        let word = &rest[word_start..];
        let core = word.trim_end_matches('.');
        let initial = core.len() == 1 && core.starts_with(char::is_uppercase);
        let sure = is_name_word(core, rules) && !word.ends_with('.');
        let plausible = initial || sure || may_be_name(core, rules) || (words > 0 && is_particle(core));
        // A quote that ends belongs to another value.
        if !plausible || is_organisation(core) || is_title(core) || word.ends_with('\'') {
            break;
        }
        if with_comma && comma {
            break;
        }
        comma |= with_comma;
        telling |= sure;
        start = word_start;
        words += 1;
    }
    // A first word of one letter is no name; a doctor's is not the patient's.
    let titled = ["Dr", "Dr.", "Doctor", "Nurse", "by", "Prof", "Prof."].iter().any(|title| before[..start].trim_end().ends_with(title));
    (words >= 2 && telling && !titled).then_some(start..end)
}

/// " 3. Delacroix, Jean-Luc   92M  MRN E004514": a list's field that is a whole name, in a line that names a patient. "First Last" is
/// taken only from the line's first field: further on it may be a diagnosis or a doctor.
pub(super) fn fields_with_names(line: &str, signs: Signs, rules: &RuleSet, found: &mut Vec<Found>) {
    if !line.contains("  ") && !line.contains('\t') {
        return;
    }
    let fields = if signs.has_any(b"^,") { 16 } else { 1 };
    for (index, field) in super::table::gaps(line, fields).into_iter().enumerate() {
        let text = &line[field.clone()];
        let name = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ')' | ' ' | '-' | '*' | '\t'));
        let start = field.end - name.len();
        let name = name.trim_end();
        let comma = name.contains(", ") || name.contains('^');
        if (comma || index == 0) && person_at(name, rules).is_some_and(|length| length == name.trim_end_matches('.').len()) {
            found.push(Found::new(start..start + name.len(), Kind::Name, Rule::Row));
        }
    }
}

fn is_title(word: &str) -> bool {
    matches!(word, "Dr" | "Mr" | "Mrs" | "Ms" | "Miss" | "Prof" | "Doctor" | "Nurse" | "Patient" | "MD" | "RN" | "DO" | "NP" | "PA")
}
