//! Tables: a header names the columns, the rows obey it.
//!
//! *Ruled*: a line of dashes under the header (psql, mysql, sqlite, sqlcmd, markdown). *Spaced*: header words two spaces apart (`column -t`).
//! *Delimited*: CSV, TSV, psql unaligned, pg_dump's COPY.

use std::{ops::Range, sync::Arc};

pub(super) use super::cells::{delimited, gaps};
use super::{
    Found, Rule,
    cell::{Meaning, labels, meanings},
    cells::{byte_at, display_gaps, pieces},
    value::{fills, whole_date},
};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The header's words, to know the line when it comes again.
    header: String,
    columns: Vec<Column>,
    form: Form,
    /// Told by its rows: no header was seen.
    guessed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    /// Display columns of the header cell, for ruled and spaced tables.
    at: Range<usize>,
    means: Meaning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Bars between columns at fixed places.
    Bars,
    /// Only blanks between columns.
    Blanks,
    Delimited(char),
}

/// What a line is to a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Row,
    /// Header or rule: nothing of a patient in it.
    Frame,
    /// Not part of the table: it is over.
    Outside,
}

impl Table {
    pub(super) fn has_identifiers(&self) -> bool {
        self.columns.iter().any(|column| column.means.label().is_some())
    }

    pub(super) fn is_delimited(&self) -> bool {
        matches!(self.form, Form::Delimited(_))
    }

    /// A row of this table after its header scrolled away: the same bars at the same places, or as many cells of the right shapes.
    pub(super) fn fits(&self, line: &str) -> bool {
        match self.form {
            Form::Bars => {
                self.columns.len() > 1 && line.contains(['|', '│']) && bars_match(&self.columns, line) && line.trim() != self.header
            }
            Form::Blanks => {
                let cells = self.spaced_cells(line);
                self.columns.len() >= 3 && self.is_aligned(line) && self.plausible(line, &cells, 0) >= 2
            }
            Form::Delimited(by) => {
                let cells = delimited(line, by);
                cells.len() == self.columns.len() && cells.len() >= 3 && self.plausible(line, &cells, 0) > 0
            }
        }
    }

    /// How many cells say by their form that they belong to their columns, which begin with column `first`; 0 if one cannot.
    fn plausible(&self, line: &str, cells: &[Range<usize>], first: usize) -> u32 {
        let mut telling = 0;
        for (column, cell) in self.columns.iter().skip(first).zip(cells) {
            let Some(label) = column.means.label() else { continue };
            let text = line.get(cell.clone()).unwrap_or_default().trim_matches(['"', '\'', ' ']);
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let fits = text.is_empty()
                || matches!(text, "NULL" | "\\N" | "null" | "None")
                || match label.kind {
                    Kind::Birth | Kind::Date => whole_date(text.split([' ', 'T']).next().unwrap_or(text)).is_some(),
                    Kind::Name => digits == 0 && text.starts_with(char::is_alphabetic),
                    Kind::Email => text.contains('@'),
                    Kind::Address | Kind::City => true,
                    _ => digits > 0,
                };
            if !fits {
                return 0;
            }
            telling += u32::from(!text.is_empty() && !matches!(label.kind, Kind::Name | Kind::Address | Kind::City));
        }
        telling
    }

    /// Between two columns is a blank; a word running through it belongs to another text.
    fn is_aligned(&self, line: &str) -> bool {
        self.columns.iter().skip(1).all(|column| {
            let at = byte_at(line, column.at.start.saturating_sub(1));
            line.as_bytes().get(at).is_none_or(|b| *b == b' ')
        })
    }

    /// Cells at the places of the header's, as far as the line goes.
    fn spaced_cells(&self, line: &str) -> Vec<Range<usize>> {
        let ends = self.columns.iter().skip(1).map(|next| byte_at(line, next.at.start)).chain([line.len()]);
        self.columns
            .iter()
            .zip(ends)
            .map(|(column, end)| (byte_at(line, column.at.start), end))
            .map(|(start, end)| start..end.max(start))
            .collect()
    }

    /// Is it told by its rows alone?
    pub(super) fn is_guessed(&self) -> bool {
        self.guessed
    }

    /// `open`: the line is still being written; what is missing may come.
    pub(super) fn row(&self, line: &str, open: bool, rules: &RuleSet, found: &mut Vec<Found>) -> Part {
        match self.form {
            Form::Bars => self.barred_row(line, open, rules, found),
            Form::Blanks => self.spaced_row(line, rules, found),
            Form::Delimited(by) => self.delimited_row(line, by, (open, false), rules, found),
        }
    }

    /// A row of which [`Table::fits`] is true.
    pub(super) fn fitting_row(&self, line: &str, rules: &RuleSet, found: &mut Vec<Found>) {
        match self.form {
            Form::Delimited(by) => self.delimited_row(line, by, (false, true), rules, found),
            _ => self.row(line, false, rules, found),
        };
    }

    fn barred_row(&self, line: &str, open: bool, rules: &RuleSet, found: &mut Vec<Found>) -> Part {
        if self.columns.len() == 1 {
            // Without bars only the end can be told: psql's "(3 rows)" or a line that begins at the margin.
            if !line.starts_with([' ', '|', '│']) {
                return Part::Outside;
            }
            self.cell(0, line, 0..line.len(), rules, found);
            return Part::Row;
        }
        if bars_match(&self.columns, line) || (open && line.starts_with([' ', '|', '│']) && bars_match_so_far(&self.columns, line)) {
            for (index, column) in self.columns.iter().enumerate() {
                let start = byte_at(line, column.at.start);
                let end = self.columns.get(index + 1).map_or(line.len(), |next| byte_at(line, next.at.start.saturating_sub(1)));
                if start >= line.len() {
                    break;
                }
                self.cell(index, line, start..end.max(start), rules, found);
            }
            return Part::Row;
        }
        // Misaligned (a width told differently, a cut line): count the bars.
        let inner = line.trim_matches([' ', '|', '│']);
        let offset = line.len() - line.trim_start_matches([' ', '|', '│']).len();
        let cells: Vec<Range<usize>> = pieces(inner, |c| c == '|' || c == '│');
        if cells.len() < 2 {
            return Part::Outside;
        }
        for (index, cell) in cells.into_iter().enumerate().take(self.columns.len()) {
            self.cell(index, line, offset + cell.start..offset + cell.end, rules, found);
        }
        Part::Row
    }

    fn spaced_row(&self, line: &str, rules: &RuleSet, found: &mut Vec<Found>) -> Part {
        if line.trim().is_empty() || line.starts_with('(') {
            return Part::Outside;
        }
        if !self.is_aligned(line) {
            // Shifted against the header (wide characters, a prefix): as many cells as columns will do.
            let cells = gaps(line);
            if cells.len() != self.columns.len() {
                return Part::Outside;
            }
            for (index, cell) in cells.into_iter().enumerate() {
                self.cell(index, line, cell, rules, found);
            }
            return Part::Row;
        }
        for (index, cell) in self.spaced_cells(line).into_iter().enumerate() {
            self.cell(index, line, cell, rules, found);
        }
        Part::Row
    }

    fn delimited_row(&self, line: &str, by: char, (open, sure): (bool, bool), rules: &RuleSet, found: &mut Vec<Found>) -> Part {
        if line == "\\." {
            return Part::Outside;
        }
        let mut cells = delimited(line, by);
        // Too many cells: one has a delimiter in it, with a blank behind ("Whitfield, Ann" unquoted).
        while cells.len() > self.columns.len()
            && let Some(at) =
                (1..cells.len()).find(|at| line[cells[*at].clone()].starts_with(' ') && !line[cells[*at].clone()].trim().is_empty())
        {
            let end = cells.remove(at).end;
            cells[at - 1].end = end;
        }
        // Too few: another text, unless the rest is still to come, or the row was cut by a pane or an editor's margin.
        let mut first = 0;
        if cells.len() < self.columns.len() && !(open && cells.len() > 1) {
            let missing = self.columns.len() - cells.len();
            let whole = cells.get(..cells.len() - 1).unwrap_or_default();
            if cells.len() >= 3 && self.plausible(line, whole, 0) > 0 {
                // From the left.
            } else if cells.len() >= 3 && self.plausible(line, cells.get(1..).unwrap_or_default(), missing + 1) > 0 {
                first = missing;
            } else {
                return Part::Outside;
            }
        }
        // Prose has commas too, with a blank behind each.
        if !sure && by == ',' && !line.contains('"') && line.matches(", ").count() + 1 == cells.len() {
            return Part::Outside;
        }
        for (index, cell) in cells.into_iter().enumerate().take(self.columns.len() - first) {
            self.cell(first + index, line, cell, rules, found);
        }
        Part::Row
    }

    fn cell(&self, column: usize, line: &str, range: Range<usize>, rules: &RuleSet, found: &mut Vec<Found>) {
        let means = self.columns[column].means;
        let Some(text) = line.get(range.clone()).filter(|_| means != Meaning::Closed) else { return };
        let mut open = text.trim_start_matches([' ', '|', '│', '"', '\'', '\t']);
        // The brackets of a row of VALUES.
        if !text.contains(')') {
            open = open.trim_start_matches(['(', '\'', '"']);
        }
        let skip = text.len() - open.len();
        // psql marks a cell that goes on in the next line with a plus.
        let mut value = open.trim_end_matches([' ', '|', '│', '"', '\'', '\t', '+', ';']);
        if !value.contains('(') {
            value = value.trim_end_matches([')', '\'', '"']);
        }
        if let Some(kind) = means.of(value, rules) {
            let start = range.start + skip;
            found.push(Found::new(start..start + value.len(), kind, Rule::Column));
        }
    }
}

/// A line of dashes. `-[ RECORD 1 ]--` is not one.
pub(super) fn is_rule(line: &str) -> bool {
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
pub(super) fn ruled(header: &str, rule: &str, rules: &RuleSet) -> Option<Table> {
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
    if columns.is_empty() || header.trim().is_empty() {
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
    let names: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, at)| {
            let start = byte_at(header, at.start);
            let end = match columns.get(index + 1) {
                Some(next) if form == Form::Blanks => byte_at(header, next.start),
                Some(_) => byte_at(header, at.end),
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

/// Header words two spaces or more apart, at least two of them strong labels.
pub(super) fn spaced_header(line: &str, rules: &RuleSet) -> Option<Table> {
    // Signs that no header has are in nearly every line of a log, so they are looked for first.
    if line.bytes().any(|b| matches!(b, b':' | b'=' | b'|' | b'"' | b',')) || !line.contains("  ") || line.contains('│') {
        return None;
    }
    let columns = display_gaps(line);
    if columns.len() < 2 {
        return None;
    }
    let names: Vec<String> = columns.iter().map(|at| line[byte_at(line, at.start)..byte_at(line, at.end)].to_owned()).collect();
    // A version, a date, a size: this is a row. A hyphen: a program's options.
    if names.iter().any(|name| name.starts_with('-')) || names.iter().any(|name| name.bytes().filter(u8::is_ascii_digit).count() > 2) {
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

/// A CSV, TSV or unaligned header.
pub(super) fn delimited_header(line: &str, rules: &RuleSet) -> Option<Table> {
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
    let by = ['\t', ',', '|', ';', '^', '~', '!', '#'].into_iter().find(|by| line.contains(*by) && !odd(by))?;
    let cells = delimited(line, by);
    if cells.len() < 2 || cells.len() > 512 {
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
pub(super) fn copy_header(line: &str, rules: &RuleSet) -> Option<Table> {
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

/// `last_name | Whitfield` of an expanded record, or of one without its marker.
pub(super) fn record_row(line: &str, expanded: bool, rules: &RuleSet, found: &mut Vec<Found>, weak: &mut Vec<Found>) -> bool {
    let Some(bar) = line.find(['|', '│']) else { return false };
    let key = line[..bar].trim();
    let after = bar + line[bar..].chars().next().map_or(1, char::len_utf8);
    if key.is_empty() || (!expanded && line[after..].contains(['|', '│'])) {
        return expanded && key.is_empty();
    }
    let Some(label) = rules.vocabulary.label(key) else { return expanded };
    let text = &line[after..];
    let value = text.trim_matches([' ', '+']);
    let header = !expanded
        && value
            .split([' ', '_'])
            .all(|word| rules.vocabulary.knows(word) || !word.contains(|c: char| c.is_uppercase() || c.is_ascii_digit()));
    let shaped = label.strong
        || (expanded && label.kind == Kind::Name && value.split(' ').filter(|word| word.starts_with(char::is_uppercase)).count() >= 2);
    if header || (!shaped && !expanded) {
        return expanded;
    }
    if fills(label.kind, value, true, rules) {
        let start = after + (text.len() - text.trim_start_matches([' ', '+']).len());
        let value = Found::new(start..start + value.len(), label.kind, Rule::Column);
        // A weak key waits for the record to name a patient.
        if shaped { found.push(value) } else { weak.push(value) }
    }
    true
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
pub(super) fn of_row(by: char, kinds: &[Option<Kind>]) -> Option<Table> {
    let means = |kind: &Option<Kind>| kind.map_or(Meaning::Open, |kind| Meaning::Known(Label { kind, strong: true }));
    (kinds.len() >= 3).then(|| Table {
        header: String::new(),
        columns: kinds.iter().map(|kind| Column { at: 0..0, means: means(kind) }).collect(),
        form: Form::Delimited(by),
        guessed: true,
    })
}

fn bars_match(columns: &[Column], line: &str) -> bool {
    columns.iter().skip(1).all(|column| {
        let at = byte_at(line, column.at.start.saturating_sub(1));
        line[at..].starts_with(['|', '│', '┃'])
    })
}

/// As [`bars_match`], for a line that may go on: bars it is too short for are not missing.
fn bars_match_so_far(columns: &[Column], line: &str) -> bool {
    columns.iter().skip(1).all(|column| {
        let at = byte_at(line, column.at.start.saturating_sub(1));
        at >= line.len() || line[at..].starts_with(['|', '│', '┃'])
    })
}

/// A table as it is kept between lines.
pub(super) type Shared = Arc<Table>;
