//! The text of a logical line, and which cell each of its characters came from.

use std::borrow::Cow;

use alacritty_terminal::term::cell::{Cell, Flags};

use crate::row::{Part, Row};

/// Columns between tab stops.
const TAB: usize = 8;
/// Cells that are a part of the character beside them.
const HIDDEN: Flags = Flags::WIDE_CHAR_SPACER.union(Flags::LEADING_WIDE_CHAR_SPACER);

#[derive(Debug, Default)]
pub(crate) struct LineText<'a> {
    text: Cow<'a, str>,
    /// For each cell the byte where its character begins; `None` while that is the cell's own number.
    starts: Option<Vec<u32>>,
}

impl<'a> LineText<'a> {
    /// Joins rows. Combining marks are left out: they change no word.
    pub(crate) fn of(mut parts: impl Iterator<Item = Part<'a>> + Clone) -> Self {
        // Nearly every line is one row.
        let mut rest = parts.clone();
        if let (Some(Part { row: Row::Plain { text, .. }, columns }), None) = (rest.next(), rest.next()) {
            return Self { text: Cow::Borrowed(&text[columns]), starts: None };
        }
        if parts.clone().all(|part| matches!(part.row, Row::Plain { .. })) {
            let mut joined = String::with_capacity(parts.clone().map(|part| part.columns.len()).sum());
            for part in parts {
                if let Row::Plain { text, .. } = part.row {
                    joined.push_str(&text[part.columns]);
                }
            }
            return Self { text: Cow::Owned(joined), starts: None };
        }
        let mut line = Building::default();
        parts.by_ref().for_each(|part| match part.row {
            Row::Plain { text, .. } => line.plain(&text[part.columns]),
            Row::Cells(cells) => line.cells(&cells[part.columns]),
        });
        Self { text: Cow::Owned(line.text), starts: line.starts }
    }

    pub(crate) fn into_owned(self) -> LineText<'static> {
        LineText { text: Cow::Owned(self.text.into_owned()), starts: self.starts }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn starts(&self) -> Option<&[u32]> {
        self.starts.as_deref()
    }

    /// The byte at a cell; past the end for cells behind the text.
    pub(crate) fn byte_of(&self, cell: usize) -> usize {
        match &self.starts {
            None => cell,
            Some(starts) => starts.get(cell).map_or_else(|| self.text.len() + cell - starts.len(), |start| *start as usize),
        }
    }
}

/// A line that is put together row by row.
#[derive(Default)]
struct Building {
    text: String,
    starts: Option<Vec<u32>>,
    count: u32,
}

impl Building {
    fn plain(&mut self, text: &str) {
        let here = self.here();
        let count = u32::try_from(text.len()).unwrap_or(u32::MAX);
        if let Some(starts) = &mut self.starts {
            starts.extend((here..).take(text.len()));
        }
        self.text.push_str(text);
        self.count = self.count.saturating_add(count);
    }

    fn cells(&mut self, cells: &[Cell]) {
        let mut in_tab = false;
        for (column, cell) in cells.iter().enumerate() {
            in_tab &= cell.c == ' ' && column % TAB != 0;
            let hidden = cell.flags.intersects(HIDDEN) || in_tab;
            if self.starts.is_none() && (hidden || !cell.c.is_ascii() || cell.c == '\t') {
                self.starts = Some((0..self.count).collect());
            }
            let here = self.here();
            if let Some(starts) = &mut self.starts {
                // The right half of a wide character has the place of its left half.
                let right_half = cell.flags.contains(Flags::WIDE_CHAR_SPACER);
                starts.push(if right_half { starts.last().copied().unwrap_or(here) } else { here });
            }
            if !hidden {
                self.text.push(cell.c);
            }
            in_tab |= cell.c == '\t';
            self.count += 1;
        }
    }

    fn here(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }
}
