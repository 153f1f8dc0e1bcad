//! What on a line identifies a patient: structure first, then labels, then patterns, then what this session taught.

mod hl7;
mod json;
mod label;
mod pattern;
mod table;
mod value;

use std::{ops::Range, sync::Arc};

use crate::{
    kind::Kind,
    learned::{Emitted, Learned, Word, words},
    rules::RuleSet,
};

/// Lines for which a patient named by a strong label lends belief to weak ones.
const PATIENT_LINES: u8 = 12;
/// Tables remembered by the places of their bars, for pages whose header scrolled away.
const MAX_TABLES: usize = 8;

/// Which rule found something; for people who ask why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Column,
    Label,
    Json,
    Hl7([u8; 3], usize),
    Pattern(usize),
    Learned,
    /// Still being written: cannot be told yet, so it is masked for now.
    Unfinished,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) range: Range<usize>,
    pub(crate) kind: Kind,
    pub(crate) rule: Rule,
}

impl Found {
    fn new(range: Range<usize>, kind: Kind, rule: Rule) -> Self {
        Self { range, kind, rule }
    }
}

/// The classification of one logical line. Only the classifier makes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Verdicts {
    length: usize,
    found: Vec<Found>,
    /// Masked ranges in cells, when the line came from the grid.
    cells: Vec<Range<usize>>,
    /// The line is a header or a rule.
    frame: bool,
}

impl Verdicts {
    /// Is this the verdict of a text of this length?
    pub(crate) fn covers(&self, length: usize) -> bool {
        self.length == length
    }

    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.found.iter().map(|found| found.range.clone())
    }

    pub(crate) fn found(&self) -> &[Found] {
        &self.found
    }

    /// Translates byte ranges to cells; `starts` is the byte where each cell begins, `None` when cell and byte are the same.
    pub(crate) fn in_cells(mut self, starts: Option<&[u32]>) -> Self {
        self.cells = self
            .found
            .iter()
            .map(|found| match starts {
                None => found.range.clone(),
                Some(starts) => {
                    let cell = |byte: usize| starts.partition_point(|start| (*start as usize) < byte);
                    cell(found.range.start)..cell(found.range.end)
                }
            })
            .collect();
        self
    }

    pub(crate) fn cell_ranges(&self) -> &[Range<usize>] {
        &self.cells
    }

    /// Answers for cells asked in ascending order from `first`.
    pub(crate) fn cursor(&self, first: usize) -> MaskCursor<'_> {
        MaskCursor { ranges: &self.cells[self.cells.partition_point(|range| range.end <= first)..] }
    }
}

#[derive(Debug)]
pub(crate) struct MaskCursor<'a> {
    ranges: &'a [Range<usize>],
}

impl MaskCursor<'_> {
    pub(crate) fn masked(&mut self, cell: usize) -> bool {
        while let Some(first) = self.ranges.first() {
            if cell < first.end {
                return cell >= first.start;
            }
            self.ranges = &self.ranges[1..];
        }
        false
    }
}

/// What the lines so far say about the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context {
    table: Option<table::Shared>,
    /// In psql's expanded display.
    expanded: bool,
    hl7: Option<hl7::Delimiters>,
    json: json::Nesting,
    patient_lines: u8,
    /// The line before, in case a rule of dashes makes it a header.
    previous: String,
}

/// How a line is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing more will be written to it, as far as can be known.
    Complete,
    /// The cursor stands behind this byte and more may follow.
    Open(usize),
    /// Cut in the middle of a burst: nothing on it is shown yet.
    Torn,
}

#[derive(Debug)]
pub(crate) struct Classifier {
    rules: Arc<RuleSet>,
    learned: Learned,
    tables: Vec<table::Shared>,
    words: Vec<Word>,
}

impl Classifier {
    pub(crate) fn new(rules: Arc<RuleSet>) -> Self {
        Self { rules, learned: Learned::default(), tables: Vec::new(), words: Vec::new() }
    }

    pub(crate) fn rules(&self) -> &RuleSet {
        &self.rules
    }

    pub(crate) fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Looks again at a line for what was learned since. `verdicts` are the line's own.
    pub(crate) fn look_again(&mut self, line: &str, verdicts: &mut Verdicts) {
        if !verdicts.covers(line.len()) || verdicts.frame {
            return;
        }
        self.words.clear();
        words(line, &mut self.words);
        let found = &mut verdicts.found;
        self.learned.find(&self.words, |range, kind| found.push(Found::new(range, kind, Rule::Learned)));
        resolve(found);
    }

    /// Remembers what of the line stays readable.
    pub(crate) fn emit(&mut self, line: &str, verdicts: &Verdicts, emitted: &mut Emitted) {
        self.words.clear();
        words(line, &mut self.words);
        let mut masked = verdicts.found.iter().peekable();
        emitted.add_words(&self.words, |word| {
            while masked.peek().is_some_and(|found| found.range.end <= word.start) {
                masked.next();
            }
            masked.peek().is_some_and(|found| found.range.start < word.end)
        });
    }

    /// Classifies one logical line. Learns from it unless it is unfinished.
    pub(crate) fn line(&mut self, context: &mut Context, line: &str, state: State) -> Verdicts {
        if state == State::Torn {
            let found = if line.is_empty() { Vec::new() } else { vec![Found::new(0..line.len(), Kind::Other, Rule::Unfinished)] };
            return Verdicts { length: line.len(), found, cells: Vec::new(), frame: false };
        }
        let mut found = Vec::new();
        let trimmed = line.trim_end();
        let open = matches!(state, State::Open(_));
        let frame = self.structure(context, trimmed, open, &mut found) == table::Part::Frame;
        if !frame && !trimmed.is_empty() {
            let around = label::Around { expanded: context.expanded, patient: context.patient_lines > 0 };
            label::find(trimmed, &self.rules, around, &mut found);
            let in_message =
                found.iter().any(|found| matches!(found.rule, Rule::Hl7(..))) || context.hl7.is_some_and(|d| d.begins(trimmed));
            pattern::find(trimmed, in_message, &self.rules, &mut found);
        }
        if !frame && !self.learned.is_empty() {
            self.words.clear();
            words(trimmed, &mut self.words);
            self.learned.find(&self.words, |range, kind| found.push(Found::new(range, kind, Rule::Learned)));
        }
        if let State::Open(cursor) = state {
            self.open_word(trimmed, cursor, &mut found);
        }
        resolve(&mut found);
        self.remember(context, trimmed, state, &found);
        Verdicts { length: line.len(), found, cells: Vec::new(), frame }
    }

    fn structure(&mut self, context: &mut Context, line: &str, open: bool, found: &mut Vec<Found>) -> table::Part {
        use table::Part;
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
        if context.expanded && !line.contains(['|', '│']) {
            context.expanded = false;
        }
        if let Some(table) = context.table.clone() {
            if table.row(line, open, &self.rules, found) == Part::Row {
                return Part::Row;
            }
            context.table = None;
        }
        if !context.expanded
            && line.contains(['|', '│'])
            && let Some(table) = self.tables.iter().find(|table| table.fits(line)).cloned()
        {
            table.row(line, open, &self.rules, found);
            return Part::Row;
        }
        let header = if context.expanded {
            None
        } else {
            table::delimited_header(line, &self.rules).or_else(|| table::spaced_header(line, &self.rules))
        };
        if let Some(table) = header.or_else(|| table::copy_header(line, &self.rules)) {
            context.table = Some(Arc::new(table));
            return Part::Frame;
        }
        if line.len() > 24 && line.contains('(') {
            table::insert_values(line, &self.rules, found);
        }
        hl7::find(line, &mut context.hl7, &self.rules, found);
        json::find(line, &mut context.json, &self.rules, found);
        Part::Outside
    }

    fn rule_line(&mut self, context: &mut Context, line: &str) {
        let bar = |text: &str| text.trim_start().starts_with(['|', '│', '║']);
        let bordered = line.trim_start().starts_with(['+', '┌', '├', '└', '╔', '╠', '╟', '╞']);
        if bordered && !bar(&context.previous) {
            // The top border: the header comes next.
            context.table = None;
            return;
        }
        // A border between rows or under them.
        if bordered && context.table.is_some() {
            return;
        }
        context.table = table::ruled(&context.previous, line, &self.rules).filter(table::Table::has_identifiers).map(Arc::new);
        if let Some(table) = &context.table
            && !self.tables.contains(table)
        {
            if self.tables.len() == MAX_TABLES {
                self.tables.remove(0);
            }
            self.tables.push(Arc::clone(table));
        }
    }

    /// The word before the cursor is masked while it may become an identifier.
    fn open_word(&self, line: &str, cursor: usize, found: &mut Vec<Found>) {
        // A blank behind the word closed it.
        if cursor != line.len() {
            return;
        }
        let start = line.rfind([' ', '\t', '=', ',', '(']).map_or(0, |at| at + 1);
        let word = &line[start..];
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let inner = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let suspicious = digits >= 3
            || word.contains(['\'', '"', '@', '^'])
            || (inner.starts_with(char::is_uppercase) && inner.len() > 1)
            || self.learned.may_begin(word);
        // A prompt ends with a sign; a word that closed is not open.
        if suspicious && !word.ends_with(['$', '#', '>', ':', ';', ')', ']', '}', '.', '?', '!', '\'', '"']) {
            found.push(Found::new(start..line.len(), Kind::Other, Rule::Unfinished));
        }
    }

    fn remember(&mut self, context: &mut Context, line: &str, state: State, found: &[Found]) {
        let names_patient = found.iter().any(|found| {
            matches!(found.rule, Rule::Column | Rule::Label | Rule::Json | Rule::Hl7(..))
                && matches!(found.kind, Kind::Mrn | Kind::Ssn | Kind::Birth | Kind::Name | Kind::HealthPlan)
        });
        context.patient_lines = if names_patient { PATIENT_LINES } else { context.patient_lines.saturating_sub(1) };
        context.previous.clear();
        context.previous.push_str(line);
        for found in found {
            let unfinished = matches!(state, State::Open(cursor) if cursor <= line.len() && found.range.end >= cursor);
            if unfinished || matches!(found.rule, Rule::Learned | Rule::Unfinished) {
                continue;
            }
            if let Some(value) = line.get(found.range.clone())
                && self.learned.learn(found.kind, value, &self.rules)
            {
                self.learned.learn_beginnings(value);
            }
        }
    }
}

fn is_record_marker(line: &str) -> bool {
    (line.starts_with("-[ RECORD ") || line.starts_with("─[ RECORD ")) || (line.starts_with("***") && line.contains(". row ***"))
}

/// Sorts, and joins what overlaps. The first of two keeps its kind.
fn resolve(found: &mut Vec<Found>) {
    // Findings of structure come first in the list and win over those of labels and patterns at the same place.
    found.retain(|found| !found.range.is_empty());
    found.sort_by_key(|found| found.range.start);
    let mut kept: Vec<Found> = Vec::with_capacity(found.len());
    for next in found.drain(..) {
        match kept.last_mut() {
            Some(last) if next.range.start < last.range.end => {
                if next.range.end > last.range.end {
                    last.range.end = next.range.end;
                }
            }
            _ => kept.push(next),
        }
    }
    *found = kept;
}
