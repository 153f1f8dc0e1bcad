//! What on a line identifies a patient: structure first, then labels, then patterns, then what this session taught.

mod cell;
mod codes;
mod command;
mod context;
mod date;
mod dicom;
mod dump;
mod forms;
mod hl7;
mod json;
mod keyed;
mod label;
mod letter;
mod mumps;
mod near;
mod pattern;
mod prefix;
mod prose;
mod shapes;
mod sql;
pub(crate) mod starts;
mod structure;
mod table;
mod text;
mod tree;
mod url;
mod value;
mod verdicts;
mod wrapped;
mod x12;
mod xml;
mod yaml;

use std::sync::Arc;

pub(crate) use context::{Context, State};
pub(crate) use verdicts::{Found, Rule, Verdicts};

use self::{
    structure::{Both, Shape},
    verdicts::{names_patient, resolve},
};
use crate::{
    emitted::Emitted,
    kind::Kind,
    learned::Learned,
    rules::RuleSet,
    words::{Signs, Word, words},
};

/// Lines for which a patient named by a strong label lends belief to weak ones.
const PATIENT_LINES: u8 = 12;
/// Lines for which a weak label waits for a patient to be named.
const WEAK_LINES: u8 = 6;
const MAX_WEAK: usize = 12;
/// Words of lines that were not emitted yet that there is always room for.
const ROOM_WORDS: usize = 16 << 10;

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
    statements: Option<&'static sql::Words>,
    /// The words of the lines that were not emitted yet.
    words: Vec<Word>,
}

/// A word that could be a person's name, for all that is known of it.
pub(crate) fn looks_like_a_name(word: &str, rules: &RuleSet) -> bool {
    word.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’' | '-' | '.'))
        .any(|word| shapes::is_name_word(word, rules) || shapes::may_be_name(word, rules))
}

/// A line, and what was found out about it once for all who look at it.
#[derive(Debug, Clone, Copy)]
struct Look<'a> {
    line: &'a str,
    words: &'a [Word],
    signs: Signs,
}

impl Classifier {
    pub(crate) fn new(rules: Arc<RuleSet>) -> Self {
        Self {
            rules,
            learned: Learned::default(),
            tables: Vec::new(),
            tables_known: 0,
            keys: keyed::Keys::default(),
            statements: sql::Words::shared(),
            words: Vec::new(),
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
        self.find_words(line, verdicts);
        let found = &mut verdicts.found;
        let line_words = self.words.get(verdicts.words.clone()).unwrap_or_default();
        self.learned.find(line_words, |range, kind| found.push(Found::new(range, kind, Rule::Learned)));
        resolve(found);
    }

    /// Remembers what of the line stays readable.
    pub(crate) fn emit(&mut self, line: &str, verdicts: &mut Verdicts, emitted: &mut Emitted) {
        self.find_words(line, verdicts);
        let range = std::mem::take(&mut verdicts.words);
        let line_words = self.words.get(range.clone()).unwrap_or_default();
        let mut masked = verdicts.found.iter().peekable();
        emitted.add_words(line_words, |word| {
            while masked.peek().is_some_and(|found| found.range.end <= word.start) {
                masked.next();
            }
            masked.peek().is_some_and(|found| found.range.start < word.end)
        });
        if range.end == self.words.len() {
            self.words.truncate(range.start);
        }
    }

    /// Every line so far was emitted: their words are not needed any more.
    pub(crate) fn all_emitted(&mut self) {
        self.words.clear();
        self.words.shrink_to(ROOM_WORDS);
    }

    /// Gives back what is not needed while nothing happens.
    pub(crate) fn rest(&mut self) {
        if self.words.is_empty() {
            self.words = Vec::new();
        }
        self.keys = keyed::Keys::default();
    }

    fn find_words(&mut self, line: &str, verdicts: &mut Verdicts) {
        if verdicts.words.is_empty() {
            let first = self.words.len();
            words(line, &mut self.words);
            verdicts.words = first..self.words.len();
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
        let mut all_words = std::mem::take(&mut self.words);
        let first_word = all_words.len();
        let signs = words(trimmed, &mut all_words);
        let signs = if self.rules.gates { signs } else { Signs::ALL };
        let look = Look { line: trimmed, words: &all_words[first_word..], signs };
        let prefix = if context.nested { 0 } else { prefix::length(trimmed) };
        let mut shape = Shape::default();
        let part = self.structure(context, &look, prefix, open, &mut shape, &mut Both { found: &mut found, weak: &mut weak });
        for found in found.iter_mut().chain(&mut weak) {
            found.range = found.range.start + prefix..found.range.end + prefix;
        }
        let (frame, row) = (part == table::Part::Frame, part == table::Part::Row);
        if !frame && !trimmed.is_empty() {
            self.text(context, &look, open, (part, shape), (&mut found, &mut weak, &mut back));
        }
        if found.iter().any(names_patient) {
            context.patient_lines = PATIENT_LINES + 1;
        }
        if context.patient_lines > 0 {
            // "Main Database" is no name, whoever is spoken of.
            weak.retain(|weak| {
                let name = |word: &str| shapes::is_name_word(word, &self.rules) || shapes::may_be_name(word, &self.rules);
                let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(name) || shapes::is_initial(text);
                weak.kind != Kind::Name || trimmed.get(weak.range.clone()).is_some_and(words)
            });
            found.append(&mut weak);
            back.append(&mut context.weak);
        }
        // A row says by its columns what is in it.
        if !row {
            near::find(&look, &self.rules, &mut found);
        }
        resolve(&mut found);
        // What one part of a line teaches is known in the rest of it.
        self.remember(context, trimmed, state, &found, &back);
        if !frame && !self.learned.is_empty() {
            let names = found.iter().any(near::is_name);
            self.learned.find(look.words, |range, kind| found.push(Found::new(range, kind, Rule::Learned)));
            if !names && !row && found.iter().any(near::is_name) {
                near::find(&look, &self.rules, &mut found);
            }
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
        let words = first_word..all_words.len();
        self.words = all_words;
        Verdicts { length: line.len(), found, frame, back, words, ..Verdicts::default() }
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
            || self.learned.may_begin(word)
            // Whom a mail goes to.
            || (inner.len() > 1 && !word.starts_with('-') && ["mail ", "mailx ", "mutt "].iter().any(|command| line[..start].contains(command)));
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
