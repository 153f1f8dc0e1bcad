//! Tables: a header names the columns, the rows obey it.
//!
//! *Ruled*: a line of dashes under the header (psql, mysql, sqlite, sqlcmd, markdown). *Spaced*: header words two spaces apart (`column -t`).
//! *Delimited*: CSV, TSV, psql unaligned, pg_dump's COPY.

mod cells;
mod header;

use std::{ops::Range, sync::Arc};

pub(super) use cells::{GAP, blanks, delimited, gaps};
pub(super) use header::{DELIMITERS, copy_header, delimited_header, is_rule, of_row, ruled, spaced_header};

use self::cells::{Ruler, pieces};

use super::{
    Found, Rule,
    cell::Meaning,
    value::{fills, whole_date},
};
use crate::{kind::Kind, rules::RuleSet, words::Signs};

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

    /// Could a line with these signs be a row of this table? `barred`: there is a bar in it.
    pub(super) fn may_fit(&self, barred: bool, signs: Signs) -> bool {
        match self.form {
            Form::Bars => barred,
            Form::Blanks => signs.has(b' '),
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
            Form::Blanks => {
                let ruler = Ruler::of(line);
                self.columns.len() >= 3 && self.is_aligned(ruler) && self.plausible(line, &self.spaced_cells(ruler), 0) >= 2
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
    fn is_aligned(&self, ruler: Ruler<'_>) -> bool {
        self.columns.iter().skip(1).all(|column| {
            let at = ruler.byte_at(column.at.start.saturating_sub(1));
            ruler.line.as_bytes().get(at).is_none_or(|b| *b == b' ')
        })
    }

    /// Cells at the places of the header's, as far as the line goes.
    fn spaced_cells(&self, ruler: Ruler<'_>) -> Vec<Range<usize>> {
        let ends = self.columns.iter().skip(1).map(|next| ruler.byte_at(next.at.start)).chain([ruler.line.len()]);
        self.columns
            .iter()
            .zip(ends)
            .map(|(column, end)| (ruler.byte_at(column.at.start), end))
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
        if !self.is_aligned(ruler) {
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
        for (index, cell) in self.spaced_cells(ruler).into_iter().enumerate() {
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
        let mut surplus = cells.len().saturating_sub(self.columns.len());
        cells.dedup_by(|cell, before| {
            let text = &line[cell.clone()];
            let goes_on = surplus > 0 && text.starts_with(' ') && !text.trim().is_empty();
            if goes_on {
                before.end = cell.end;
                surplus -= 1;
            }
            goes_on
        });
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

/// A table as it is kept between lines.
pub(super) type Shared = Arc<Table>;
