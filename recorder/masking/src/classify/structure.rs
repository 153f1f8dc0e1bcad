//! Tables, messages, trees: what of a line is told by its place in something larger.

use std::sync::Arc;

use super::{
    Classifier, Context, Found, Look, dicom, hl7, json, mumps, prefix, shapes, sql,
    table::{self, Part},
    value, x12, xml, yaml,
};
use crate::{
    rules::{Label, RuleSet},
    words::Word,
};

/// Tables remembered by the places of their bars, for pages whose header scrolled away.
const MAX_TABLES: usize = 8;

/// What the parsers said a line is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// JSON, XML, YAML.
    pub(super) nested: bool,
    /// A line of a dump that names its fields.
    pub(super) message: bool,
    pub(super) x12: bool,
}

/// Where parsers of nested data put what they found.
pub(super) struct Both<'a> {
    pub(super) found: &'a mut Vec<Found>,
    /// What needs company.
    pub(super) weak: &'a mut Vec<Found>,
}

impl Both<'_> {
    pub(super) fn push(&mut self, label: Label, text: &str, value: Found, rules: &RuleSet) {
        if label.strong {
            if value::fills(label.kind, text, true, rules) {
                self.found.push(value);
            }
        } else if value::at_start(label.kind, text, false, rules) == Some(text.len()) {
            self.weak.push(value);
        }
    }
}

impl Classifier {
    /// Looks behind what a program put before the line. Signs are those of the whole line: what is not among them is not in the rest.
    pub(super) fn structure(
        &mut self,
        context: &mut Context,
        look: &Look<'_>,
        prefix: usize,
        open: bool,
        shape: &mut Shape,
        to: &mut Both<'_>,
    ) -> Part {
        let (line, signs) = (&look.line[prefix..], look.signs);
        let barred = (signs.has(b'|') || !signs.is_ascii()) && has_bar(line);
        let found = &mut *to.found;
        if line.is_empty() {
            if context.expanded || context.table.as_ref().is_some_and(|table| !table.is_delimited()) {
                context.table = None;
                context.expanded = false;
            }
            return Part::Outside;
        }
        if is_record_marker(line) {
            context.expanded = true;
            context.table = None;
            return Part::Frame;
        }
        if table::is_rule(line) {
            self.rule_line(context, line);
            return Part::Frame;
        }
        if context.expanded && !barred {
            context.expanded = false;
        }
        // Another result of as many columns may follow at once.
        if signs.has_any(table::DELIMITERS)
            && context.table.as_ref().is_some_and(|table| table.is_delimited())
            && let Some(table) = table::delimited_header(line, &self.rules).map(Arc::new)
        {
            self.know_table(&table);
            context.table = Some(table);
            return Part::Frame;
        }
        if let Some(table) = context.table.clone() {
            if table.row(line, open, &self.rules, found) == Part::Row {
                return Part::Row;
            }
            context.table = None;
        }
        if !context.expanded
            && !self.tables.is_empty()
            && let Some(table) = self.tables.iter().find(|table| table.may_fit(barred, signs) && table.fits(line)).cloned()
        {
            table.fitting_row(line, &self.rules, found);
            if table.is_guessed() {
                shapes::find(line, signs, &self.rules, found);
            }
            return Part::Row;
        }
        if barred && table::record_row(line, context.expanded, &self.rules, found, to.weak) {
            return Part::Row;
        }
        let header = if context.expanded {
            None
        } else {
            let delimited = if signs.has_any(table::DELIMITERS) { table::delimited_header(line, &self.rules) } else { None };
            delimited.or_else(|| table::spaced_header(line, &self.rules))
        };
        if let Some(table) = header.or_else(|| table::copy_header(line, &self.rules)) {
            let table = Arc::new(table);
            if table.is_delimited() {
                self.know_table(&table);
            }
            context.table = Some(table);
            context.selected = None;
            return Part::Frame;
        }
        if let Some((columns, left)) = &mut context.selected {
            let columns = sql::Columns::clone(columns);
            *left -= 1;
            if *left == 0 {
                context.selected = None;
            }
            if sql::row(line, &columns, &self.rules, found) {
                return Part::Row;
            }
        }
        if context.hl7.is_some() || signs.has(b'|') || !signs.is_ascii() || look.words.iter().any(|word| names_segment(look.line, word)) {
            hl7::find(line, &mut context.hl7, &self.rules, found);
        }
        shape.x12 = x12::find(line, &mut context.x12, &self.rules, found);
        if signs.has_any(b"{[") || !context.json.is_empty() {
            shape.nested |= json::find(line, &mut context.json, &self.rules, to);
        }
        if signs.has(b'<') || context.xml.is_open() {
            shape.nested |= xml::find(line, &mut context.xml, &self.rules, to);
        }
        shape.nested |= yaml::find(line, &mut context.yaml, &self.rules, to);
        if signs.has(b',') {
            shape.message = dicom::find(line, &self.rules, to.found);
        }
        if signs.has(b'^') {
            shape.message |= mumps::find(line, &self.rules, to.found);
        }
        Part::Outside
    }

    fn rule_line(&mut self, context: &mut Context, line: &str) {
        let bar = |text: &str| text.trim_start().starts_with(['|', '│', '║']);
        let bordered = line.trim_start().starts_with(['+', '┌', '├', '└', '╔', '╠', '╟', '╞']);
        if bordered && !bar(context.previous()) {
            // The top border: the header comes next.
            context.table = None;
            return;
        }
        // A border between rows or under them.
        if bordered && context.table.is_some() {
            return;
        }
        // What a program put before the rule it put before the header too.
        let previous = context.previous();
        let header = &previous[prefix::length(previous)..];
        context.table = table::ruled(header, line, &self.rules).filter(table::Table::has_identifiers).map(Arc::new);
        if let Some(table) = context.table.clone() {
            context.selected = None;
            self.know_table(&table);
        }
    }

    /// Remembers a table for pages on which its header is not shown.
    pub(super) fn know_table(&mut self, table: &table::Shared) {
        if !self.tables.contains(table) {
            if self.tables.len() == MAX_TABLES {
                self.tables.remove(0);
            }
            self.tables.push(Arc::clone(table));
            self.tables_known += 1;
        }
    }
}

/// Could it be a segment's name, also behind a spelled-out carriage return ("\\rMSH", "^MMSH")?
fn names_segment(line: &str, word: &Word) -> bool {
    let length = word.end - word.start;
    (length == 3 && word.capital) || (length >= 4 && &line.as_bytes()[word.end - 3..word.end] == b"MSH")
}

fn has_bar(line: &str) -> bool {
    // '│' begins with the second byte; few lines have either.
    memchr::memchr2(b'|', 0xe2, line.as_bytes()).is_some() && line.contains(['|', '│'])
}

fn is_record_marker(line: &str) -> bool {
    (line.starts_with("-[ RECORD ") || line.starts_with("─[ RECORD ")) || (line.starts_with("***") && line.contains(". row ***"))
}
