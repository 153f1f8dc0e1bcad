//! What begins a table: the line that names its columns.

use std::ops::Range;

use super::{
    Column, Form, Table,
    cells::{Ruler, delimited},
};
use crate::{
    classify::cell::{Meaning, labels, meanings},
    kind::Kind,
    rules::{Label, RuleSet},
};

/// A line of dashes. `-[ RECORD 1 ]--` is not one.
pub(in crate::classify) fn is_rule(line: &str) -> bool {
    let trimmed = line.trim();
    // Reports on line printers ruled with what they had.
    if trimmed.len() >= 10 && trimmed.starts_with(['_', '*', '~']) && trimmed.bytes().all(|b| b == trimmed.as_bytes()[0] || b == b' ') {
        return true;
    }
    trimmed.len() >= 3
        && trimmed.starts_with(['-', '+', '|', '─', '┌', '├', '└', '═', '╞', '╟', '╔', '╠'])
        && trimmed.contains(['-', '─', '═'])
        && trimmed.chars().all(|c| matches!(c, '-' | '+' | '|' | ' ' | ':' | '=' | '\u{2500}'..='\u{257f}'))
}

/// The table that `rule` and the line above it begin.
pub(in crate::classify) fn ruled(header: &str, rule: &str, rules: &RuleSet) -> Option<Table> {
    let mut columns: Vec<Range<usize>> = Vec::new();
    let mut bars = false;
    let mut inside = false;
    let mut many = false;
    for (at, c) in rule.chars().enumerate() {
        let dash = matches!(c, '-' | '=' | ':' | '_' | '*' | '~' | '─' | '═' | '━');
        if dash && !inside {
            columns.push(at..at + 1);
        } else if dash && let Some(last) = columns.last_mut() {
            last.end = at + 1;
        } else if c != ' ' {
            bars = true;
        }
        inside = dash;
    }
    if columns.is_empty() || columns.len() > MAX_COLUMNS || header.trim().is_empty() {
        return None;
    }
    // One rule under a header of many cells: the header says where they are.
    if columns.len() == 1 && !bars {
        let cells = display_gaps(header);
        if cells.len() >= 3 {
            columns = cells;
            many = true;
        }
    }
    let form = if !many && (bars || columns.len() == 1) { Form::Bars } else { Form::Blanks };
    let ruler = Ruler::of(header);
    let names: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, at)| {
            let start = ruler.byte_at(at.start);
            let end = match columns.get(index + 1) {
                Some(next) if form == Form::Blanks => ruler.byte_at(next.start),
                Some(_) => ruler.byte_at(at.end),
                None => header.len(),
            };
            header.get(start..end.max(start)).unwrap_or_default().trim_matches([' ', '|', '│', '"']).to_owned()
        })
        .collect();
    let means = meanings(&names, rules);
    if columns.len() == 1 && means[0].label().is_none_or(|label| !label.strong) {
        return None;
    }
    Some(Table {
        header: header.trim().to_owned(),
        columns: columns.into_iter().zip(means).map(|(at, means)| Column { at, means }).collect(),
        form,
        guessed: false,
    })
}

/// Cells of a header two blanks or more apart, in display columns.
fn display_gaps(line: &str) -> Vec<Range<usize>> {
    let mut columns: Vec<Range<usize>> = Vec::new();
    let mut blanks = 2;
    for (at, c) in line.chars().enumerate() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        match columns.last_mut() {
            Some(last) if blanks < 2 => last.end = at + 1,
            _ => columns.push(at..at + 1),
        }
        blanks = 0;
    }
    columns
}

/// Header words two spaces or more apart, at least two of them strong labels.
pub(in crate::classify) fn spaced_header(line: &str, rules: &RuleSet) -> Option<Table> {
    // Signs that no header has are in nearly every line of a log, so they are looked for first.
    if line.bytes().any(|b| matches!(b, b':' | b'=' | b'|' | b'"' | b',')) || !line.contains("  ") || line.contains('│') {
        return None;
    }
    let columns = display_gaps(line);
    if !(2..=MAX_COLUMNS).contains(&columns.len()) {
        return None;
    }
    let ruler = Ruler::of(line);
    let names: Vec<String> = columns.iter().map(|at| line[ruler.byte_at(at.start)..ruler.byte_at(at.end)].to_owned()).collect();
    // A version, a date, a size: this is a row. A hyphen: a program's options.
    if names.iter().any(|name| name.starts_with('-') || name.bytes().filter(u8::is_ascii_digit).count() > 2) {
        return None;
    }
    let labels = labels(&names, rules);
    if is_record(&names, &labels, rules) {
        return None;
    }
    // Two columns have to be labels both, three or more are a header for one strong one if every word is of a header.
    let strong = labels.iter().flatten().filter(|label| label.strong && label.kind != Kind::Age).count();
    let header = strong >= 2
        || (strong == 1
            && names.len() > 2
            && names.iter().all(|name| !name.contains(|c: char| c.is_ascii_digit()) && name.split(' ').count() <= 3));
    header.then(|| Table {
        header: String::new(),
        columns: columns.into_iter().zip(meanings(&names, rules)).map(|(at, means)| Column { at, means }).collect(),
        form: Form::Blanks,
        guessed: false,
    })
}

/// A line with more cells is no header.
const MAX_COLUMNS: usize = 512;

/// What columns are told apart by.
pub(in crate::classify) const DELIMITERS: &[u8] = b"\t,|;^~!#";

/// A CSV, TSV or unaligned header.
pub(in crate::classify) fn delimited_header(line: &str, rules: &RuleSet) -> Option<Table> {
    // Nearly every line of a log has a character that no column name has.
    let named = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80 || b" _-.#/()\"'\t,|;^~!".contains(&b);
    if line.starts_with(|c: char| c.is_ascii_digit()) || !line.bytes().all(named) {
        return None;
    }
    // A statement lists columns too.
    const VERBS: [&str; 8] = ["insert", "select", "update", "create", "replace", "copy", "merge", "alter"];
    let word = line.split(' ').next().unwrap_or_default();
    if VERBS.iter().any(|verb| word.eq_ignore_ascii_case(verb)) {
        return None;
    }
    // psql's fieldsep and SQLite's separator may be any.
    let odd = |by: &char| matches!(by, '!' | '#') && line.matches(*by).count() < 2;
    let by = DELIMITERS.iter().map(|by| char::from(*by)).find(|by| line.contains(*by) && !odd(by))?;
    let cells = delimited(line, by);
    if !(2..=MAX_COLUMNS).contains(&cells.len()) {
        return None;
    }
    let mut names = Vec::with_capacity(cells.len());
    for cell in cells {
        let text = line[cell].trim_matches(['"', '\'', ' ', '\u{feff}']);
        let word = text.len() <= 48 && text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let plain = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '-' | '.' | '#' | '/' | '(' | ')'));
        // A sentence and a value have more words, or a number.
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if !word || !plain || text.contains("  ") || digits > 2 || text.split(' ').count() > 4 {
            return None;
        }
        names.push(text.to_owned());
    }
    table_of(&names, by, rules)
}

/// `COPY public.patients (mrn, last_name) FROM stdin;` (pg_dump): tab-separated rows follow.
pub(in crate::classify) fn copy_header(line: &str, rules: &RuleSet) -> Option<Table> {
    let rest = line.strip_prefix("COPY ")?;
    let (open, close) = (rest.find('(')?, rest.find(')')?);
    if !rest[close..].contains("FROM stdin") {
        return None;
    }
    let names: Vec<String> = rest.get(open + 1..close)?.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect();
    table_of(&names, '\t', rules)
}

/// "Last Name  Whitfield  First Name  Ann": each label has its value beside it, so this is no header.
fn is_record(names: &[String], labels: &[Option<Label>], rules: &RuleSet) -> bool {
    let is_value = |at: usize| {
        names.get(at).is_some_and(|name| {
            labels[at].is_none()
                && name.contains(|c: char| c.is_uppercase() || c.is_ascii_digit())
                && !name.split([' ', '_', '-']).all(|word| rules.vocabulary.knows(word))
        })
    };
    let labelled = labels.iter().enumerate().filter(|(_, label)| label.is_some_and(|label| label.strong));
    let (all, with_value) = labelled.fold((0, 0), |(all, with), (at, _)| (all + 1, with + usize::from(is_value(at + 1))));
    all > 0 && all == with_value && all * 2 >= names.len().saturating_sub(1)
}

fn table_of(names: &[String], by: char, rules: &RuleSet) -> Option<Table> {
    let labels = labels(names, rules);
    if is_record(names, &labels, rules) {
        return None;
    }
    labels.iter().any(Option::is_some).then(|| Table {
        header: String::new(),
        columns: meanings(names, rules).into_iter().map(|means| Column { at: 0..0, means }).collect(),
        form: Form::Delimited(by),
        guessed: false,
    })
}

/// What a row without a header says about the rows that follow.
pub(in crate::classify) fn of_row(by: char, kinds: &[Option<Kind>]) -> Option<Table> {
    let means = |kind: &Option<Kind>| kind.map_or(Meaning::Open, |kind| Meaning::Known(Label { kind, strong: true }));
    (kinds.len() >= 3).then(|| Table {
        header: String::new(),
        columns: kinds.iter().map(|kind| Column { at: 0..0, means: means(kind) }).collect(),
        form: Form::Delimited(by),
        guessed: true,
    })
}
