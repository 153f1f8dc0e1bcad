//! A row of the grid on its way to be read, masked and shown: ASCII and runs of one style where that says everything about it, as it nearly
//! always does; cells where it does not.

use std::ops::Range;

use alacritty_terminal::term::cell::{Cell, Flags};

use crate::masked::Style;

/// Cells that are a part of the character beside them.
pub(crate) const HALVES: Flags = Flags::WIDE_CHAR.union(Flags::WIDE_CHAR_SPACER).union(Flags::LEADING_WIDE_CHAR_SPACER);

#[derive(Debug, Clone)]
pub(crate) enum Row {
    /// Printable ASCII, a byte a cell.
    Plain {
        text: String,
        styles: Styles,
    },
    Cells(Vec<Cell>),
}

/// Where each style ends, in columns, the last at the row's end. Empty: all of the row is [`Style::PLAIN`].
pub(crate) type Styles = Vec<(usize, Style)>;

/// Memory of rows that are gone, for the next ones.
#[derive(Debug, Default)]
pub(crate) struct Spare(Vec<String>);

/// Rows whose memory is kept, and the longest of them.
const MAX_SPARE: usize = 1024;
const MAX_SPARE_BYTES: usize = 512;

impl Spare {
    pub(crate) fn put(&mut self, row: Row) {
        if let Row::Plain { mut text, .. } = row
            && self.0.len() < MAX_SPARE
            && (1..=MAX_SPARE_BYTES).contains(&text.capacity())
        {
            text.clear();
            self.0.push(text);
        }
    }

    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default().into_bytes()
    }
}

/// The cells of a row that a line has.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    pub(crate) row: &'a Row,
    pub(crate) columns: Range<usize>,
}

impl Row {
    pub(crate) fn of(cells: &[Cell], spare: &mut Spare) -> Self {
        let mut bytes = if cells.is_empty() { Vec::new() } else { spare.take() };
        bytes.reserve(cells.len());
        let mut styled = false;
        for cell in cells {
            if !(' '..='~').contains(&cell.c) || cell.extra.is_some() || cell.flags.intersects(HALVES) {
                return Self::Cells(cells.to_vec());
            }
            styled |= !Style::is_plain(cell);
            bytes.push(cell.c as u8);
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        let mut styles = Styles::new();
        if styled {
            for (at, style) in cells.iter().map(Style::of).enumerate() {
                match styles.last_mut() {
                    Some((end, last)) if *last == style => *end = at + 1,
                    _ => styles.push((at + 1, style)),
                }
            }
        }
        Self::Plain { text, styles }
    }

    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Plain { text, .. } => text.len(),
            Self::Cells(cells) => cells.len(),
        }
    }

    pub(crate) fn part(&self, columns: Range<usize>) -> Part<'_> {
        Part { row: self, columns: columns.start.min(self.len())..columns.end.min(self.len()) }
    }

    pub(crate) fn whole(&self) -> Part<'_> {
        Part { row: self, columns: 0..self.len() }
    }

    pub(crate) fn glyph(&self, column: usize) -> Option<char> {
        match self {
            Self::Plain { text, .. } => text.as_bytes().get(column).map(|byte| char::from(*byte)),
            Self::Cells(cells) => cells.get(column).map(|cell| cell.c),
        }
    }

    pub(crate) fn has(&self, is: impl Fn(char) -> bool) -> bool {
        match self {
            Self::Plain { text, .. } => text.bytes().any(|byte| is(char::from(byte))),
            Self::Cells(cells) => cells.iter().any(|cell| is(cell.c)),
        }
    }

    /// Does the cell show nothing?
    pub(crate) fn is_blank_at(&self, column: usize) -> bool {
        self.glyph(column).is_none_or(|c| c == ' ' || c == '\t')
    }
}
