//! What was masked: types and counts, never values.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use serde::Serialize;

use crate::{
    classify::{Found, Rule},
    emitted::Emitted,
    learned::Learned,
    rules::RuleSet,
    stages::Stages,
};

/// Spans collected at most.
const MAX_SPANS: usize = 200_000;

/// What a masker did, known when the recording ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Distinct identifiers masked, by type ("name", "mrn", ...).
    pub counts: BTreeMap<String, u64>,
    /// An identifier that was masked somewhere is readable somewhere else, or there were too many to tell: only people cleared to unmask
    /// may open the recording.
    pub incomplete: bool,
    /// Where and why, when the masker was asked to explain (`Masker::explain`).
    pub spans: Vec<Span>,
}

/// One masked place. Carries no value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// Microseconds since the session's start, of the frame that showed it first.
    pub at_us: u64,
    /// Row counted from the start of the recording, scrolled rows included, from 0.
    pub row: u64,
    /// First masked column and how many columns.
    pub column: u32,
    pub width: u32,
    /// Type of identifier.
    pub kind: String,
    /// The rule and why it applied.
    pub rule: String,
}

/// Kept while a recording runs.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) emitted: Emitted,
    pub(crate) stages: Stages,
    spans: Option<Vec<Span>>,
    seen: HashSet<(u64, u32, u32, &'static str)>,
}

impl Account {
    pub(crate) fn explain(&mut self) {
        self.spans = Some(Vec::new());
    }

    pub(crate) fn explains(&self) -> bool {
        self.spans.is_some()
    }

    pub(crate) fn span(&mut self, at: Duration, row: u64, column: usize, width: usize, found: &Found, rules: &RuleSet) {
        let Some(spans) = &mut self.spans else { return };
        let (column, width) = (u32::try_from(column).unwrap_or(u32::MAX), u32::try_from(width).unwrap_or(u32::MAX));
        if found.rule == Rule::Unfinished || spans.len() >= MAX_SPANS || !self.seen.insert((row, column, width, found.kind.name())) {
            return;
        }
        let rule = match found.rule {
            Rule::Column => "column of a table".to_owned(),
            Rule::Label => "label before it".to_owned(),
            Rule::Json => "key of the object".to_owned(),
            Rule::Xml => "element or attribute".to_owned(),
            Rule::Yaml => "key and what it stands under".to_owned(),
            Rule::X12 => "X12 element".to_owned(),
            Rule::Dicom(tag) => format!("DICOM ({:04x},{:04x})", tag >> 16, tag & 0xffff),
            Rule::Mumps => "piece or subscript of a global".to_owned(),
            Rule::Dump => "text in a dump of bytes".to_owned(),
            Rule::Row => "cells that name a person together".to_owned(),
            Rule::Letter => "place in a letter".to_owned(),
            Rule::Typed => "searched for".to_owned(),
            Rule::Hl7(segment, field) => format!("HL7 {}-{field}", String::from_utf8_lossy(&segment)),
            Rule::Pattern(index) => format!("pattern {}", rules.patterns.get(index).map_or("", |pattern| pattern.name.as_str())),
            Rule::Learned => "seen before in this session".to_owned(),
            Rule::Unfinished => return,
        };
        spans.push(Span {
            at_us: u64::try_from(at.as_micros()).unwrap_or(u64::MAX),
            row,
            column,
            width,
            kind: found.kind.name().to_owned(),
            rule,
        });
    }

    pub(crate) fn summary(self, learned: &Learned) -> Summary {
        Summary {
            counts: learned.counts().map(|(kind, count)| (kind.name().to_owned(), count)).collect(),
            incomplete: learned.is_full() || learned.any_in(&self.emitted),
            spans: self.spans.unwrap_or_default(),
        }
    }
}
