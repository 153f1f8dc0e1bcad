//! What on a line identifies a patient: structure first, then labels, then patterns, then what this session taught.

mod command;
mod dicom;
mod dump;
mod hl7;
mod json;
mod keyed;
mod label;
mod letter;
mod mumps;
mod pattern;
mod prefix;
mod shapes;
mod sql;
pub(crate) mod starts;
mod table;
mod tree;
mod url;
mod value;
mod x12;
mod xml;
mod yaml;

use std::{ops::Range, sync::Arc};

use crate::{
    kind::Kind,
    learned::{Emitted, Learned, Word, words},
    rules::{Label, RuleSet},
};

/// Lines for which a patient named by a strong label lends belief to weak ones.
const PATIENT_LINES: u8 = 12;
/// Lines for which a weak label waits for a patient to be named.
const WEAK_LINES: u8 = 6;
const MAX_WEAK: usize = 12;
/// Rows that may follow a statement whose result shows no header.
const RESULT_LINES: u16 = 500;
/// Lines kept to look back at.
const RECENT: usize = 4;
/// Tables remembered by the places of their bars, for pages whose header scrolled away.
const MAX_TABLES: usize = 8;

/// Lists of words kept for reuse.
const SPARE: usize = 16;
/// Longer ones are not kept.
const SPARE_WORDS: usize = 128;

/// Which rule found something; for people who ask why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Column,
    Label,
    Json,
    Xml,
    Yaml,
    Hl7([u8; 3], usize),
    X12,
    /// Group and element.
    Dicom(u32),
    Mumps,
    /// In a dump of bytes.
    Dump,
    /// Cells that are a person only together.
    Row,
    Letter,
    /// What somebody searches for.
    Typed,
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
    /// What this line says about lines above it: how far above, and what.
    back: Vec<(u32, Found)>,
    /// The line's words, kept until it is emitted: it is looked at up to three times.
    words: Vec<Word>,
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

    /// What this line said about lines above it.
    pub(crate) fn back(&self) -> &[(u32, Found)] {
        &self.back
    }

    /// Takes in what a later line said about this one. Says whether that was new.
    pub(crate) fn amend(&mut self, later: &Found) -> bool {
        let known = self.found.iter().any(|found| found.range.start <= later.range.start && found.range.end >= later.range.end);
        if known || later.range.end > self.length {
            return false;
        }
        self.found.push(later.clone());
        resolve(&mut self.found);
        true
    }

    /// Verdicts of the cells of one row that several lines share: `parts` are their verdicts, the cell in their own line at which the part of
    /// this row begins, and the columns of the row that are theirs.
    pub(crate) fn beside<'a>(parts: impl Iterator<Item = (&'a Verdicts, usize, Range<usize>)>) -> Self {
        let mut cells = Vec::new();
        for (verdicts, first, columns) in parts {
            for masked in &verdicts.cells {
                let start = masked.start.max(first);
                let end = masked.end.min(first + columns.len());
                if start < end {
                    cells.push(start - first + columns.start..end - first + columns.start);
                }
            }
        }
        cells.sort_unstable_by_key(|range| range.start);
        Self { cells, ..Self::default() }
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

    /// Masked ranges in ascending order, in cells counted from `first`.
    pub(crate) fn masks_from(&self, first: usize) -> impl Iterator<Item = Range<usize>> + '_ {
        self.cursor(first).ranges.iter().map(move |range| range.start.saturating_sub(first)..range.end - first)
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
    x12: Option<x12::Interchange>,
    json: tree::Tree,
    xml: xml::Elements,
    yaml: yaml::Indents,
    dump: Option<Box<dump::Dump>>,
    /// The columns that a statement selected, and for how many lines that is remembered.
    selected: Option<(Arc<[Option<Label>]>, u16)>,
    patient_lines: u8,
    /// Weak labels' values that no patient was named near, with their lines' distance.
    weak: Vec<(u32, Found)>,
    /// The lines before, the last one last.
    recent: [Option<Arc<str>>; RECENT],
    /// The text of a dump: it is not looked at for dumps again.
    nested: bool,
}

impl Context {
    fn previous(&self) -> &str {
        self.recent[RECENT - 1].as_deref().unwrap_or_default()
    }

    fn push_recent(&mut self, line: &str) {
        self.recent.rotate_left(1);
        self.recent[RECENT - 1] = Some(line.into());
    }

    /// The line so many lines above the one that comes next.
    fn above(&self, distance: u32) -> Option<&str> {
        let at = RECENT.checked_sub(distance as usize)?;
        self.recent.get(at)?.as_deref()
    }
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
    /// The first part of a line whose rest is not known: it teaches nothing.
    Part,
}

/// How much a session taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    values: usize,
    tables: u64,
}

#[derive(Debug)]
pub(crate) struct Classifier {
    rules: Arc<RuleSet>,
    learned: Learned,
    tables: Vec<table::Shared>,
    tables_known: u64,
    keys: keyed::Keys,
    statements: Option<sql::Words>,
    /// Emptied lists of words.
    spare: Vec<Vec<Word>>,
}

impl Classifier {
    pub(crate) fn new(rules: Arc<RuleSet>) -> Self {
        let statements = sql::Words::new();
        Self {
            rules,
            learned: Learned::default(),
            tables: Vec::new(),
            tables_known: 0,
            keys: keyed::Keys::default(),
            statements,
            spare: Vec::new(),
        }
    }

    pub(crate) fn rules(&self) -> &RuleSet {
        &self.rules
    }

    pub(crate) fn learned(&self) -> &Learned {
        &self.learned
    }

    /// Changes with everything that this session taught so far.
    pub(crate) fn known(&self) -> Known {
        Known { values: self.learned.seen(), tables: self.tables_known }
    }

    /// Looks again at a line for what was learned since. `verdicts` are the line's own.
    pub(crate) fn look_again(&mut self, line: &str, verdicts: &mut Verdicts) {
        if !verdicts.covers(line.len()) || verdicts.frame {
            return;
        }
        if verdicts.words.is_empty() {
            words(line, &mut verdicts.words);
        }
        let found = &mut verdicts.found;
        self.learned.find(&verdicts.words, |range, kind| found.push(Found::new(range, kind, Rule::Learned)));
        resolve(found);
    }

    /// Remembers what of the line stays readable.
    pub(crate) fn emit(&mut self, line: &str, verdicts: &mut Verdicts, emitted: &mut Emitted) {
        let mut found_words = std::mem::take(&mut verdicts.words);
        if found_words.is_empty() {
            words(line, &mut found_words);
        }
        let mut masked = verdicts.found.iter().peekable();
        emitted.add_words(&found_words, |word| {
            while masked.peek().is_some_and(|found| found.range.end <= word.start) {
                masked.next();
            }
            masked.peek().is_some_and(|found| found.range.start < word.end)
        });
        // Their memory serves the next line.
        found_words.clear();
        if self.spare.len() < SPARE && found_words.capacity() <= SPARE_WORDS {
            self.spare.push(found_words);
        }
    }

    /// Classifies one logical line. Learns from it unless it is unfinished.
    pub(crate) fn line(&mut self, context: &mut Context, line: &str, state: State) -> Verdicts {
        if state == State::Torn {
            let found = if line.is_empty() { Vec::new() } else { vec![Found::new(0..line.len(), Kind::Other, Rule::Unfinished)] };
            return Verdicts { length: line.len(), found, ..Verdicts::default() };
        }
        let trimmed = line.trim_end();
        if !context.nested && dump::begins(trimmed) {
            let mut dump = context.dump.take().unwrap_or_default();
            if let Some((mut found, back)) = dump::line(self, &mut dump, trimmed) {
                context.dump = Some(dump);
                resolve(&mut found);
                context.push_recent(trimmed);
                return Verdicts { length: line.len(), found, back, ..Verdicts::default() };
            }
        }
        context.dump = None;
        let open = matches!(state, State::Open(_));
        let mut found = Vec::new();
        let mut weak = Vec::new();
        let mut back = Vec::new();
        let prefix = if context.nested { 0 } else { prefix::length(trimmed) };
        let mut shape = Shape::default();
        let part = self.structure(context, &trimmed[prefix..], open, &mut shape, &mut Both { found: &mut found, weak: &mut weak });
        for found in found.iter_mut().chain(&mut weak) {
            found.range = found.range.start + prefix..found.range.end + prefix;
        }
        let frame = part == table::Part::Frame;
        let mut line_words = self.spare.pop().unwrap_or_default();
        words(trimmed, &mut line_words);
        if !frame && !trimmed.is_empty() {
            self.text(context, trimmed, open, (part, shape), &line_words, (&mut found, &mut weak, &mut back));
        }
        if found.iter().any(names_patient) {
            context.patient_lines = PATIENT_LINES + 1;
        }
        if context.patient_lines > 0 {
            // "Main Database" is no name, whoever is spoken of.
            weak.retain(|weak| {
                let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| shapes::is_name_word(word, &self.rules));
                weak.kind != Kind::Name || trimmed.get(weak.range.clone()).is_some_and(words)
            });
            found.append(&mut weak);
            back.append(&mut context.weak);
            near_patient(trimmed, &self.rules, &mut found);
        }
        resolve(&mut found);
        // What one part of a line teaches is known in the rest of it.
        self.remember(context, trimmed, state, &found, &back);
        if !frame && !self.learned.is_empty() {
            self.learned.find(&line_words, |range, kind| found.push(Found::new(range, kind, Rule::Learned)));
        }
        if let State::Open(cursor) = state {
            self.open_word(trimmed, cursor, &mut found);
        }
        resolve(&mut found);
        for pending in &mut context.weak {
            pending.0 += 1;
        }
        context.weak.extend(weak.into_iter().map(|found| (1, found)));
        context.weak.retain(|pending| pending.0 <= u32::from(WEAK_LINES));
        let surplus = context.weak.len().saturating_sub(MAX_WEAK);
        context.weak.drain(..surplus);
        Verdicts { length: line.len(), found, frame, back, cells: Vec::new(), words: line_words }
    }

    /// What needs no table: labels, patterns, statements, letters.
    fn text(&mut self, context: &mut Context, line: &str, open: bool, is: (table::Part, Shape), words: &[Word], to: Findings<'_>) {
        let (found, weak, back) = to;
        let (part, shape) = is;
        keyed::find(line, &mut self.keys, shape.nested, &self.rules, found, weak);
        if let Some(statements) = &self.statements
            && let Some(columns) = sql::find(line, statements, &mut self.keys, &self.rules, found)
        {
            context.selected = Some((columns.into(), RESULT_LINES));
        }
        if self.rules.label_starts.may_be_in(line, words) {
            label::find(line, &self.rules, found);
        }
        url::find(line, found);
        let in_message = shape.message
            || found.iter().any(|found| matches!(found.rule, Rule::Hl7(..) | Rule::Mumps))
            || context.hl7.is_some_and(|d| d.begins(line));
        // X12 says of every street whose it is; only its notes are free text (NTE, MSG).
        if !shape.x12 || line.contains("NTE") || line.contains("MSG") {
            pattern::find(line, in_message, &self.rules, found);
        }
        command::find(line, open, &self.rules, found);
        let above: [&str; RECENT] = std::array::from_fn(|at| context.recent[at].as_deref().unwrap_or_default());
        letter::find(line, &above, &self.rules, found, back);
        if part == table::Part::Outside && !in_message && shapes::may_be(line) {
            shapes::find(line, &self.rules, found);
        }
    }

    fn structure(&mut self, context: &mut Context, line: &str, open: bool, shape: &mut Shape, to: &mut Both<'_>) -> table::Part {
        use table::Part;
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
        if context.expanded && !has_bar(line) {
            context.expanded = false;
        }
        if let Some(table) = context.table.clone() {
            if table.row(line, open, &self.rules, found) == Part::Row {
                return Part::Row;
            }
            context.table = None;
        }
        if !context.expanded
            && !self.tables.is_empty()
            && let Some(table) = self.tables.iter().find(|table| table.fits(line)).cloned()
        {
            table.row(line, open, &self.rules, found);
            return Part::Row;
        }
        if has_bar(line) && table::record_row(line, context.expanded, &self.rules, found, to.weak) {
            return Part::Row;
        }
        let header = if context.expanded {
            None
        } else {
            table::delimited_header(line, &self.rules).or_else(|| table::spaced_header(line, &self.rules))
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
            let columns = Arc::clone(columns);
            *left -= 1;
            if *left == 0 {
                context.selected = None;
            }
            if sql::row(line, &columns, &self.rules, found) {
                return Part::Row;
            }
        }
        hl7::find(line, &mut context.hl7, &self.rules, found);
        shape.x12 = x12::find(line, &mut context.x12, &self.rules, found);
        shape.nested |= json::find(line, &mut context.json, &self.rules, to);
        shape.nested |= xml::find(line, &mut context.xml, &self.rules, to);
        shape.nested |= yaml::find(line, &mut context.yaml, &self.rules, to);
        shape.message = dicom::find(line, &self.rules, to.found);
        shape.message |= mumps::find(line, &self.rules, to.found);
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
    fn know_table(&mut self, table: &table::Shared) {
        if !self.tables.contains(table) {
            if self.tables.len() == MAX_TABLES {
                self.tables.remove(0);
            }
            self.tables.push(Arc::clone(table));
            self.tables_known += 1;
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

    fn remember(&mut self, context: &mut Context, line: &str, state: State, found: &[Found], back: &[(u32, Found)]) {
        context.patient_lines = context.patient_lines.saturating_sub(1);
        for found in found {
            let unfinished =
                state == State::Part || matches!(state, State::Open(cursor) if cursor <= line.len() && found.range.end >= cursor);
            if unfinished || matches!(found.rule, Rule::Learned | Rule::Unfinished | Rule::Dump | Rule::Typed) {
                continue;
            }
            if let Some(value) = line.get(found.range.clone())
                && self.learned.learn(found.kind, value, &self.rules)
            {
                self.learned.learn_beginnings(value);
            }
        }
        for (distance, found) in back {
            if let Some(value) = context.above(*distance).and_then(|above| above.get(found.range.clone()))
                && self.learned.learn(found.kind, value, &self.rules)
            {
                self.learned.learn_beginnings(value);
            }
        }
        context.push_recent(line);
    }
}

/// What the parsers said a line is.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    /// JSON, XML, YAML.
    nested: bool,
    /// A line of a dump that names its fields.
    message: bool,
    x12: bool,
}

/// In a line that names a patient, "92M" is an age and 01/05/2024 a day of the patient's. Clocks of logs are written otherwise.
fn near_patient(line: &str, rules: &RuleSet, found: &mut Vec<Found>) {
    if !found.iter().any(|found| {
        names_patient(found) || (matches!(found.rule, Rule::Pattern(_) | Rule::Letter | Rule::Learned) && found.kind == Kind::Name)
    }) {
        return;
    }
    letter::fields_with_names(line, rules, found);
    let bytes = line.as_bytes();
    let alone = |start: usize, end: usize| {
        start.checked_sub(1).is_none_or(|at| !bytes[at].is_ascii_alphanumeric() && !matches!(bytes[at], b'/' | b'-' | b'.' | b'_' | b':'))
            && bytes.get(end).is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'/' | b'-' | b'_' | b':'))
    };
    for slash in memchr::memchr_iter(b'/', bytes) {
        let start = slash - bytes[..slash].iter().rev().take(2).take_while(|b| b.is_ascii_digit()).count();
        let end = slash + 1 + bytes[slash + 1..].iter().take(7).take_while(|b| b.is_ascii_digit() || **b == b'/').count();
        if alone(start, end) && line.get(start..end).is_some_and(|text| value::whole_date(text).is_some()) {
            found.push(Found::new(start..end, Kind::Date, Rule::Label));
        }
    }
    // "admitted on Feb 19, 2023 and discharged on 2023-02-28", "Ann Whitfield, 1959-07-11": days of prose, with their year.
    let day = |at: usize| {
        let text = &line[at..];
        let length = value::at_start(Kind::Date, text, true, rules)?;
        let day = text[..length].split(['T']).next().unwrap_or_default();
        let year = day.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() == 4);
        (year && day.len() >= 8 && !text[..length].contains(':')).then_some(at..at + length)
    };
    for (at, word) in line.match_indices(" on ") {
        found.extend(day(at + word.len()).map(|range| Found::new(range, Kind::Date, Rule::Label)));
    }
    for index in 0..found.len() {
        let end = found[index].range.end;
        if found[index].kind == Kind::Name && line.get(end..).is_some_and(|rest| rest.starts_with(", ")) {
            found.extend(day(end + 2).map(|range| Found::new(range, Kind::Birth, Rule::Label)));
        }
    }
    for (at, _) in line.match_indices(['M', 'F', 'm', 'f', 'y']).filter(|(at, _)| *at >= 2) {
        let digits = bytes[..at].iter().rev().take(3).take_while(|b| b.is_ascii_digit()).count();
        let start = at - digits;
        let years = line.get(start..at).and_then(|text| text.parse::<u32>().ok());
        let end = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'o'));
        if years.is_some_and(|years| (90..=120).contains(&years)) && alone(start, end) {
            found.push(Found::new(start..at, Kind::Age, Rule::Label));
        }
    }
}

/// Where parsers of nested data put what they found.
struct Both<'a> {
    found: &'a mut Vec<Found>,
    /// What needs company.
    weak: &'a mut Vec<Found>,
}

impl Both<'_> {
    fn push(&mut self, label: Label, text: &str, value: Found, rules: &RuleSet) {
        if label.strong {
            if value::fills(label.kind, text, true, rules) {
                self.found.push(value);
            }
        } else if value::at_start(label.kind, text, false, rules) == Some(text.len()) {
            self.weak.push(value);
        }
    }
}

/// Where the findings go: in this line, those that need company, those in the lines above.
type Findings<'a> = (&'a mut Vec<Found>, &'a mut Vec<Found>, &'a mut Vec<(u32, Found)>);

/// Does it say that a patient is spoken of?
fn names_patient(found: &Found) -> bool {
    matches!(
        found.rule,
        Rule::Column | Rule::Label | Rule::Json | Rule::Xml | Rule::Yaml | Rule::Hl7(..) | Rule::X12 | Rule::Dicom(_) | Rule::Mumps
    ) && matches!(found.kind, Kind::Mrn | Kind::Ssn | Kind::Birth | Kind::Name | Kind::HealthPlan)
}

fn has_bar(line: &str) -> bool {
    // '│' begins with the second byte; few lines have either.
    memchr::memchr2(b'|', 0xe2, line.as_bytes()).is_some() && line.contains(['|', '│'])
}

fn is_record_marker(line: &str) -> bool {
    (line.starts_with("-[ RECORD ") || line.starts_with("─[ RECORD ")) || (line.starts_with("***") && line.contains(". row ***"))
}

/// Sorts, and joins what overlaps. The first of two keeps its kind.
fn resolve(found: &mut Vec<Found>) {
    // Findings of structure come first in the list and win over those of labels and patterns at the same place.
    found.retain(|found| !found.range.is_empty());
    found.sort_by_key(|found| found.range.start);
    found.dedup_by(|next, last| {
        let overlap = next.range.start < last.range.end;
        if overlap {
            last.range.end = last.range.end.max(next.range.end);
        }
        overlap
    });
}
