//! Tables: a header names the columns, the rows obey it.
//!
//! *Ruled*: a line of dashes under the header (psql, mysql, sqlite, sqlcmd, markdown). *Spaced*: header words two spaces apart (`column -t`).
//! *Delimited*: CSV, TSV, psql unaligned, pg_dump's COPY.

use std::{ops::Range, sync::Arc};

use super::{
    Found, Rule,
    value::{fills, whole_date},
};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
    vocabulary::normalise,
    words::Signs,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The header's words, to know the line when it comes again.
    header: String,
    columns: Vec<Column>,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    /// Display columns of the header cell, for ruled and spaced tables.
    at: Range<usize>,
    label: Option<Label>,
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
        self.columns.iter().any(|column| column.label.is_some())
    }

    pub(super) fn is_delimited(&self) -> bool {
        matches!(self.form, Form::Delimited(_))
    }

    /// Could a line with these signs be a row of this table? `barred`: there is a bar in it.
    pub(super) fn may_fit(&self, barred: bool, signs: Signs) -> bool {
        match self.form {
            Form::Bars => barred,
            Form::Blanks => false,
            Form::Delimited(by) => u8::try_from(by).is_ok_and(|by| signs.has(by)),
        }
    }

    /// A row of this table after its header scrolled away: the same bars at the same places, or as many cells of the right shapes.
    pub(super) fn fits(&self, line: &str) -> bool {
        match self.form {
            Form::Bars => {
                self.columns.len() > 1
                    && line.contains(['|', '│'])
                    && bars_match(&self.columns, Ruler::of(line))
                    && line.trim() != self.header
            }
            Form::Blanks => false,
            Form::Delimited(by) => {
                let cells = delimited(line, by);
                if cells.len() != self.columns.len() || cells.len() < 3 {
                    return false;
                }
                let mut telling = 0;
                let plausible =
                    self.columns.iter().zip(&cells).filter_map(|(column, cell)| Some((column.label?, cell))).all(|(label, cell)| {
                        let text = line[cell.clone()].trim_matches(['"', ' ']);
                        let digits = text.bytes().filter(u8::is_ascii_digit).count();
                        let fits = text.is_empty()
                            || match label.kind {
                                Kind::Birth | Kind::Date => whole_date(text.split([' ', 'T']).next().unwrap_or(text)).is_some(),
                                Kind::Name => digits == 0 && text.starts_with(char::is_alphabetic),
                                Kind::Email => text.contains('@'),
                                Kind::Address | Kind::City => true,
                                _ => digits > 0,
                            };
                        telling += u32::from(!text.is_empty() && !matches!(label.kind, Kind::Name | Kind::Address | Kind::City));
                        fits
                    });
                plausible && telling > 0
            }
        }
    }

    /// `open`: the line is still being written; what is missing may come.
    pub(super) fn row(&self, line: &str, open: bool, rules: &RuleSet, found: &mut Vec<Found>) -> Part {
        match self.form {
            Form::Bars => self.barred_row(line, open, rules, found),
            Form::Blanks => self.spaced_row(line, rules, found),
            Form::Delimited(by) => self.delimited_row(line, by, open, rules, found),
        }
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
        let ruler = Ruler::of(line);
        if bars_match(&self.columns, ruler) || (open && line.starts_with([' ', '|', '│']) && bars_match_so_far(&self.columns, ruler)) {
            for (index, column) in self.columns.iter().enumerate() {
                let start = ruler.byte_at(column.at.start);
                let end = self.columns.get(index + 1).map_or(line.len(), |next| ruler.byte_at(next.at.start.saturating_sub(1)));
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
        let ruler = Ruler::of(line);
        // Between two columns is a blank; a word running through it belongs to another text.
        let aligned = self.columns.iter().skip(1).all(|column| {
            let at = ruler.byte_at(column.at.start.saturating_sub(1));
            line.as_bytes().get(at).is_none_or(|b| *b == b' ')
        });
        if !aligned {
            // Shifted against the header (wide characters, a prefix): as many cells as columns will do.
            let cells = gaps(line, usize::MAX);
            if cells.len() != self.columns.len() {
                return Part::Outside;
            }
            for (index, cell) in cells.into_iter().enumerate() {
                self.cell(index, line, cell, rules, found);
            }
            return Part::Row;
        }
        for (index, column) in self.columns.iter().enumerate() {
            let start = ruler.byte_at(column.at.start);
            let end = self.columns.get(index + 1).map_or(line.len(), |next| ruler.byte_at(next.at.start));
            self.cell(index, line, start..end.max(start), rules, found);
        }
        Part::Row
    }

    fn delimited_row(&self, line: &str, by: char, open: bool, rules: &RuleSet, found: &mut Vec<Found>) -> Part {
        if line == "\\." {
            return Part::Outside;
        }
        let cells = delimited(line, by);
        // Too many cells: one has a delimiter in it. Too few: another text, unless the rest is still to come.
        if cells.len() < self.columns.len() && !(open && cells.len() > 1) {
            return Part::Outside;
        }
        // Prose has commas too, with a blank behind each.
        if by == ',' && !line.contains('"') && line.matches(", ").count() + 1 == cells.len() {
            return Part::Outside;
        }
        for (index, cell) in cells.into_iter().enumerate().take(self.columns.len()) {
            self.cell(index, line, cell, rules, found);
        }
        Part::Row
    }

    fn cell(&self, column: usize, line: &str, range: Range<usize>, rules: &RuleSet, found: &mut Vec<Found>) {
        let (Some(label), Some(text)) = (self.columns[column].label, line.get(range.clone())) else { return };
        let skip = text.len() - text.trim_start_matches([' ', '|', '│', '"', '\'', '\t']).len();
        // psql marks a cell that goes on in the next line with a plus.
        let value = text[skip..].trim_end_matches([' ', '|', '│', '"', '\'', '\t', '+']);
        if fills(label.kind, value, true, rules) {
            let start = range.start + skip;
            found.push(Found::new(start..start + value.len(), label.kind, Rule::Column));
        }
    }
}

/// A line of dashes. `-[ RECORD 1 ]--` is not one.
pub(super) fn is_rule(line: &str) -> bool {
    let trimmed = line.trim();
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
        let dash = matches!(c, '-' | '=' | ':' | '─' | '═' | '━');
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
    let labels = labels(&names, rules);
    if columns.len() == 1 && labels[0].is_none_or(|label| !label.strong) {
        return None;
    }
    Some(Table {
        header: header.trim().to_owned(),
        columns: columns.into_iter().zip(labels).map(|(at, label)| Column { at, label }).collect(),
        form,
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
pub(super) fn spaced_header(line: &str, rules: &RuleSet) -> Option<Table> {
    // Signs that no header has are in nearly every line of a log, so they are looked for first.
    if line.bytes().any(|b| matches!(b, b':' | b'=' | b'|' | b'"' | b',')) || !line.contains("  ") || line.contains('│') {
        return None;
    }
    let columns = display_gaps(line);
    if !(3..=MAX_COLUMNS).contains(&columns.len()) {
        return None;
    }
    let ruler = Ruler::of(line);
    let names: Vec<String> = columns.iter().map(|at| line[ruler.byte_at(at.start)..ruler.byte_at(at.end)].to_owned()).collect();
    let labels = labels(&names, rules);
    if is_record(&names, &labels, rules) {
        return None;
    }
    // One strong label is enough where every word is of a header.
    let strong = labels.iter().flatten().filter(|label| label.strong && label.kind != Kind::Age).count();
    let header = strong >= 2
        || (strong == 1 && names.iter().all(|name| !name.contains(|c: char| c.is_ascii_digit()) && name.split(' ').count() <= 3));
    header.then(|| Table {
        header: String::new(),
        columns: columns.into_iter().zip(labels).map(|(at, label)| Column { at, label }).collect(),
        form: Form::Blanks,
    })
}

/// A line with more cells is no header.
const MAX_COLUMNS: usize = 512;

/// What columns are told apart by.
pub(super) const DELIMITERS: &[u8] = b"\t,|;^~";

/// A CSV, TSV or unaligned header.
pub(super) fn delimited_header(line: &str, rules: &RuleSet) -> Option<Table> {
    // Nearly every line of a log has a character that no column name has.
    let named = |b: u8| b.is_ascii_alphanumeric() || b >= 0x80 || b" _-.#/()\"'\t,|;^~".contains(&b);
    if line.starts_with(|c: char| c.is_ascii_digit()) || !line.bytes().all(named) {
        return None;
    }
    let by = DELIMITERS.iter().map(|by| char::from(*by)).find(|by| line.contains(*by))?;
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
        columns: labels.into_iter().map(|label| Column { at: 0..0, label }).collect(),
        form: Form::Delimited(by),
    })
}

/// Which columns identify. Weak labels need company: a strong one, or weak ones of two kinds in a table that is not of machines.
pub(super) fn labels(names: &[String], rules: &RuleSet) -> Vec<Option<Label>> {
    let found: Vec<Option<Label>> = names.iter().map(|name| rules.vocabulary.label(name)).collect();
    let counts = |label: &&Label| label.kind != Kind::Age;
    let strong = found.iter().flatten().filter(counts).any(|label| label.strong);
    let mut kinds: Vec<_> = found.iter().flatten().filter(counts).map(|label| label.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    const MACHINES: [&str; 22] = [
        "port",
        "host",
        "node",
        "ip",
        "version",
        "driver",
        "image",
        "pod",
        "cluster",
        "namespace",
        "replicas",
        "endpoint",
        "protocol",
        "interface",
        "server",
        "cpu",
        "size",
        "ready",
        "restarts",
        "encoding",
        "owner",
        "schema",
    ];
    let machines = || names.iter().any(|name| normalise(name).split(' ').any(|word| MACHINES.contains(&word)));
    let company = strong || (kinds.len() >= 2 && !machines());
    found.into_iter().map(|label| label.filter(|label| label.strong || company)).collect()
}

/// Two blanks. Looked for in every line: made once.
pub(super) static GAP: std::sync::LazyLock<memchr::memmem::Finder<'static>> =
    std::sync::LazyLock::new(|| memchr::memmem::Finder::new("  "));

/// The first byte from `at` on that is no blank.
pub(super) fn blanks(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|b| **b == b' ').count()
}

/// Cells two blanks or more apart, at most so many.
pub(super) fn gaps(line: &str, most: usize) -> Vec<Range<usize>> {
    let bytes = line.as_bytes();
    let mut cells: Vec<Range<usize>> = Vec::new();
    let mut at = blanks(bytes, 0);
    while at < bytes.len() && cells.len() < most {
        let end = GAP.find(&bytes[at..]).map_or_else(|| line.trim_end_matches(' ').len(), |gap| at + gap);
        cells.push(at..end);
        at = blanks(bytes, end);
    }
    cells
}

fn bars_match(columns: &[Column], ruler: Ruler<'_>) -> bool {
    columns.iter().skip(1).all(|column| ruler.has_bar(column.at.start.saturating_sub(1)))
}

/// As [`bars_match`], for a line that may go on: bars it is too short for are not missing.
fn bars_match_so_far(columns: &[Column], ruler: Ruler<'_>) -> bool {
    columns.iter().skip(1).all(|column| {
        let at = column.at.start.saturating_sub(1);
        ruler.byte_at(at) >= ruler.line.len() || ruler.has_bar(at)
    })
}

/// Leads from display columns to bytes.
#[derive(Clone, Copy)]
struct Ruler<'a> {
    line: &'a str,
    is_ascii: bool,
}

impl<'a> Ruler<'a> {
    fn of(line: &'a str) -> Self {
        Self { line, is_ascii: line.is_ascii() }
    }

    /// The byte where a display column begins (the line's end if it is shorter).
    fn byte_at(self, column: usize) -> usize {
        if self.is_ascii {
            return column.min(self.line.len());
        }
        let mut width = 0;
        for (at, c) in self.line.char_indices() {
            if width >= column {
                return at;
            }
            width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        }
        self.line.len()
    }

    fn has_bar(self, column: usize) -> bool {
        let at = self.byte_at(column);
        self.line.as_bytes().get(at) == Some(&b'|') || self.line[at..].starts_with(['│', '┃'])
    }
}

/// Cells of a delimited line; a delimiter in double quotes is text (RFC 4180 section 2).
pub(super) fn delimited(line: &str, by: char) -> Vec<Range<usize>> {
    let mut quoted = false;
    pieces(line, |c| {
        quoted ^= c == '"';
        c == by && !quoted
    })
}

fn pieces(line: &str, mut is_end: impl FnMut(char) -> bool) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices() {
        if is_end(c) {
            cells.push(start..at);
            start = at + c.len_utf8();
        }
    }
    cells.push(start..line.len());
    cells
}

/// A table as it is kept between lines.
pub(super) type Shared = Arc<Table>;
