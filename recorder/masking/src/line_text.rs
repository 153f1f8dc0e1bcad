//! The text of a logical line, and which cell each of its characters came from.

use alacritty_terminal::term::cell::{Cell, Flags};

/// Columns between tab stops.
const TAB: usize = 8;
/// Cells that are a part of the character beside them.
const HIDDEN: Flags = Flags::WIDE_CHAR_SPACER.union(Flags::LEADING_WIDE_CHAR_SPACER);

#[derive(Debug, Default)]
pub(crate) struct LineText {
    text: String,
    /// For each cell the byte where its character begins; `None` while that is the cell's own number.
    starts: Option<Vec<u32>>,
}

impl LineText {
    /// Joins rows. Combining marks are left out: they change no word.
    pub(crate) fn of<'a>(rows: impl Iterator<Item = &'a [Cell]> + Clone) -> Self {
        // Nearly every line is ASCII, one byte a cell.
        let plain = |cell: &Cell| (cell.c.is_ascii() & (cell.c != '\t')) & !cell.flags.intersects(HIDDEN);
        if rows.clone().all(|row| row.iter().all(plain)) {
            let mut bytes = Vec::with_capacity(rows.clone().map(<[Cell]>::len).sum());
            rows.for_each(|row| bytes.extend(row.iter().map(|cell| cell.c as u8)));
            return Self { text: String::from_utf8(bytes).unwrap_or_default(), starts: None };
        }
        let mut line = Self::default();
        let mut cells = 0;
        for row in rows {
            let mut in_tab = false;
            for (column, cell) in row.iter().enumerate() {
                in_tab &= cell.c == ' ' && column % TAB != 0;
                let hidden = cell.flags.intersects(HIDDEN) || in_tab;
                if line.starts.is_none() && (hidden || !cell.c.is_ascii() || cell.c == '\t') {
                    line.starts = Some((0..cells).collect());
                }
                if let Some(starts) = &mut line.starts {
                    // The right half of a wide character has the place of its left half.
                    let right_half = cell.flags.contains(Flags::WIDE_CHAR_SPACER);
                    let here = u32::try_from(line.text.len()).unwrap_or(u32::MAX);
                    starts.push(if right_half { starts.last().copied().unwrap_or(here) } else { here });
                }
                if !hidden {
                    line.text.push(cell.c);
                }
                in_tab |= cell.c == '\t';
                cells += 1;
            }
        }
        line
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
