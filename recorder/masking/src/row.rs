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

/// The cells of a row that a line has.
#[derive(Debug, Clone)]
pub(crate) struct Part<'a> {
    pub(crate) row: &'a Row,
    pub(crate) columns: Range<usize>,
}

impl Row {
    pub(crate) fn of(cells: &[Cell]) -> Self {
        let (mut odd, mut styled) = (false, false);
        // Everything is asked of every cell: that is quicker than an end before the last where nearly every row is plain.
        let byte = |cell: &Cell| {
            odd |= (cell.c < ' ') | (cell.c > '~') | cell.flags.intersects(HALVES) | cell.extra.is_some();
            styled |= !Style::is_plain(cell);
            cell.c as u8
        };
        let bytes: Vec<u8> = cells.iter().map(byte).collect();
        if odd {
            return Self::Cells(cells.to_vec());
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
