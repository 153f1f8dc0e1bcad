//! What is remembered from line to line.

use std::sync::Arc;

use super::{Found, dump, hl7, sql, table, tree, x12, xml, yaml};

/// Lines kept to look back at.
pub(super) const RECENT: usize = 4;

/// What the lines so far say about the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context {
    pub(super) table: Option<table::Shared>,
    /// In psql's expanded display.
    pub(super) expanded: bool,
    pub(super) hl7: Option<hl7::Delimiters>,
    pub(super) x12: Option<x12::Interchange>,
    pub(super) json: tree::Tree,
    pub(super) xml: xml::Elements,
    pub(super) yaml: yaml::Indents,
    pub(super) dump: Option<Box<dump::Dump>>,
    /// The columns that a statement selected, and for how many lines that is remembered.
    pub(super) selected: Option<(sql::Columns, u16)>,
    pub(super) script: sql::Script,
    pub(super) patient_lines: u8,
    /// Weak labels' values that no patient was named near, with their lines' distance.
    pub(super) weak: Vec<(u32, Found)>,
    /// The lines before, the last one last.
    pub(super) recent: [Option<Arc<str>>; RECENT],
    /// The text of a dump: it is not looked at for dumps again.
    pub(super) nested: bool,
}

impl Context {
    pub(super) fn previous(&self) -> &str {
        self.recent[RECENT - 1].as_deref().unwrap_or_default()
    }

    pub(super) fn push_recent(&mut self, line: &str) {
        self.recent.rotate_left(1);
        self.recent[RECENT - 1] = Some(line.into());
    }

    /// The line so many lines above the one that comes next.
    pub(super) fn above(&self, distance: u32) -> Option<&str> {
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
