//! SQL statements: the values in them, and what they say about the rows that follow ("select mrn, last_name ..." names the columns of a
//! result that is shown without a header).

use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::{Found, Rule, keyed::Keys, table, value::fills};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
};

/// Finds the words by which a line may be a statement.
#[derive(Debug)]
pub(super) struct Words {
    words: AhoCorasick,
    select: [memchr::memmem::Finder<'static>; 2],
}

const SELECT: usize = 0;
const VALUES: usize = 1;

impl Words {
    pub(super) fn new() -> Option<Self> {
        let words = ["select ", "values", " in (", " in(", " like ", " ilike ", " between ", " regexp ", " rlike ", " similar to "];
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()?;
        Some(Self { words, select: [memchr::memmem::Finder::new("elect "), memchr::memmem::Finder::new("ELECT ")] })
    }

    /// A value in a statement is quoted or in a list; a statement without one selects.
    fn may_be_in(&self, bytes: &[u8]) -> bool {
        memchr::memchr2(b'\'', b'(', bytes).is_some() || self.select.iter().any(|word| word.find(bytes).is_some())
    }
}

/// Bytes of statements that are read in one line, besides eight times the line: words in a row would have the rest read again for each.
const MAX_READ_BYTES: usize = 1 << 20;
/// Reading a select list costs so much more a byte.
const SELECT_COSTS: usize = 32;

/// Finds values in a statement; returns what its result's columns are, if it selects identifiers.
pub(super) fn find(line: &str, words: &Words, keys: &mut Keys, rules: &RuleSet, found: &mut Vec<Found>) -> Option<Vec<Option<Label>>> {
    let mut columns = None;
    if !words.may_be_in(line.as_bytes()) {
        return None;
    }
    let mut left = MAX_READ_BYTES + 8 * line.len();
    for hit in words.words.find_iter(line) {
        let rest = line.len() - hit.start();
        let cost = if hit.pattern().as_usize() == SELECT { rest * SELECT_COSTS } else { rest };
        let Some(still) = left.checked_sub(cost) else { continue };
        match hit.pattern().as_usize() {
            SELECT => {
                if columns.is_none() && !line[..hit.start()].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    columns = select(&line[hit.end()..], rules);
                    left = still;
                }
            }
            VALUES => {
                insert(line, hit.start(), rules, found);
                left = left.saturating_sub(line.len());
            }
            _ => {
                condition(line, hit.range(), keys, rules, found);
                left = still;
            }
        }
    }
    columns
}

/// `last_name IN ('A', 'B')`, `dob BETWEEN '...' AND '...'`, `mrn LIKE 'E%'`.
fn condition(line: &str, operator: Range<usize>, keys: &mut Keys, rules: &RuleSet, found: &mut Vec<Found>) {
    let before = line[..operator.start].trim_end();
    let before = before.strip_suffix(" NOT").or_else(|| before.strip_suffix(" not")).unwrap_or(before);
    let column = before.trim_end_matches([')', '"', '`']);
    let start = column.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '"'))).map_or(0, |at| at + 1);
    let Some(column) = column.get(start..) else { return };
    let Some(label) = keys.label(column, rules) else { return };
    let mut at = operator.end;
    // The list's end, or the statement's.
    let end = line[at..].find([')', ';']).map_or(line.len(), |end| at + end);
    while let Some(open) = line[at..end.max(at)].find('\'') {
        let start = at + open + 1;
        let close = line[start..].find('\'').map_or(line.len(), |close| start + close);
        let text = &line[start..close];
        let value = text.trim_matches(['%', '_', '^', '$', '.', '*']);
        if fills(label.kind, value, true, rules) {
            let from = start + (text.len() - text.trim_start_matches(['%', '_', '^', '$', '.', '*']).len());
            found.push(Found::new(from..from + value.len(), label.kind, Rule::Label));
        }
        at = (close + 1).min(line.len());
        if at >= end {
            break;
        }
    }
    // Numbers without quotes.
    if label.kind.is_code() && !line[operator.end..end.max(operator.end)].contains('\'') {
        for (start, number) in line[operator.end..end.max(operator.end)].match_indices(|c: char| c.is_ascii_digit()) {
            let _ = number;
            let start = operator.end + start;
            if line.as_bytes()[start - 1].is_ascii_alphanumeric() {
                continue;
            }
            let length = line[start..].bytes().take_while(u8::is_ascii_digit).count();
            if length >= 4 {
                found.push(Found::new(start..start + length, label.kind, Rule::Label));
            }
        }
    }
}

/// The labels of a select list, if one of them identifies.
fn select(list: &str, rules: &RuleSet) -> Option<Vec<Option<Label>>> {
    let lower = list.to_ascii_lowercase();
    let end = lower.find(" from ").or_else(|| lower.find(" from\t")).unwrap_or(list.len());
    let list = list[..end].trim_end_matches([';', '\'', '"', ' ']);
    let list = list.strip_prefix("distinct ").or_else(|| list.strip_prefix("DISTINCT ")).unwrap_or(list);
    let mut names = Vec::new();
    let (mut depth, mut quoted, mut start) = (0i32, false, 0);
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if (!quoted && depth <= 0) || at == list.len() => {
                names.push(column_name(list[start..at].trim(), rules));
                start = at + 1;
                if names.len() > 64 {
                    return None;
                }
            }
            _ => {}
        }
    }
    let labels = table::labels(&names, rules);
    labels.iter().any(Option::is_some).then_some(labels)
}

/// The name of a select item: its alias, its column, or the column inside its functions.
fn column_name(item: &str, rules: &RuleSet) -> String {
    let lower = item.to_ascii_lowercase();
    if let Some(alias) = lower.rfind(" as ") {
        return item[alias + 4..].trim().trim_matches(['"', '`', '[', ']', '\'']).to_owned();
    }
    let identifiers = || item.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).filter(|word| !word.is_empty());
    let named = identifiers().find(|word| rules.vocabulary.label(word.rsplit('.').next().unwrap_or(word)).is_some());
    named.or_else(|| identifiers().next_back()).unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned()
}

/// `INSERT INTO t (mrn, last_name) VALUES ('1', 'Smith'), (...)`: columns and values in one line.
fn insert(line: &str, values: usize, rules: &RuleSet, found: &mut Vec<Found>) {
    let head = &line[..values];
    let (Some(open), Some(close)) = (head.find('('), head.rfind(')')) else { return };
    let Some(inner) = head.get(open + 1..close) else { return };
    let names: Vec<String> = inner.split(',').map(|name| name.trim().trim_matches(['"', '`', '[', ']']).to_owned()).collect();
    let labels = table::labels(&names, rules);
    let mut at = values + 6;
    while let Some(open) = line.get(at..).and_then(|rest| rest.find('(')) {
        let start = at + open + 1;
        let mut quoted = false;
        let end = line[start..].bytes().position(|b| {
            quoted ^= b == b'\'';
            b == b')' && !quoted
        });
        let end = end.map_or(line.len(), |end| start + end);
        for (cell, label) in cells(line, start..end).zip(&labels) {
            let text = &line[cell.clone()];
            let quoted = text.trim_start_matches([' ', '(']);
            let quoted = quoted.strip_prefix("E'").or_else(|| quoted.strip_prefix("N'")).unwrap_or(quoted).trim_start_matches('\'');
            let skip = text.len() - quoted.len();
            let value = quoted.trim_end_matches([' ', '\'']);
            if let Some(label) = label
                && fills(label.kind, value, true, rules)
            {
                found.push(Found::new(cell.start + skip..cell.start + skip + value.len(), label.kind, Rule::Column));
            }
        }
        at = end;
    }
}

fn cells(line: &str, within: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = Some(within.start);
    std::iter::from_fn(move || {
        let start = next?;
        let mut quoted = false;
        let end = line[start..within.end].bytes().position(|b| {
            quoted ^= b == b'\'';
            b == b',' && !quoted
        });
        let end = end.map_or(within.end, |end| start + end);
        next = (end < within.end).then_some(end + 1);
        Some(start..end)
    })
}

/// A result without header of a statement that named its columns.
pub(super) fn row(line: &str, columns: &[Option<Label>], rules: &RuleSet, found: &mut Vec<Found>) -> bool {
    let cells = ['|', '\t', '│', ','].into_iter().find_map(|by| {
        let cells = table::delimited(line.trim_matches(['|', '│']), by);
        let offset = line.len() - line.trim_start_matches(['|', '│']).len();
        // Prose has a blank behind its commas.
        let prose = by == ',' && cells.iter().skip(1).all(|cell| line[offset + cell.start..].starts_with(' '));
        (cells.len() == columns.len() && cells.len() > 1 && !prose)
            .then(|| cells.into_iter().map(|cell| cell.start + offset..cell.end + offset).collect::<Vec<_>>())
    });
    let cells = match cells {
        Some(cells) => cells,
        // One column: the line is the value.
        None if columns.len() == 1 && line.split_whitespace().count() <= 5 && !line.ends_with([';', '>', '#', '$', ':']) => {
            std::iter::once(0..line.len()).collect()
        }
        None => return false,
    };
    // The header of the result, and not a row of it.
    if cells.iter().any(|cell| rules.vocabulary.label(line[cell.clone()].trim()).is_some()) {
        return false;
    }
    let mut any = false;
    for (cell, label) in cells.into_iter().zip(columns) {
        let Some(label) = label else { continue };
        let text = &line[cell.clone()];
        let trimmed = text.trim_matches([' ', '"', '\'', '|']);
        if fills(label.kind, trimmed, true, rules) && (label.kind != Kind::Name || !trimmed.contains(['(', '=', ';'])) {
            let start = cell.start + (text.len() - text.trim_start_matches([' ', '"', '\'', '|']).len());
            found.push(Found::new(start..start + trimmed.len(), label.kind, Rule::Column));
            any = true;
        }
    }
    any
}
