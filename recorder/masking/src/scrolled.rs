//! Rows that left the screen at its top, on their way to the next frame.

use alacritty_terminal::term::cell::Cell;

use crate::{
    masked::Style,
    row::{Row, Spare},
};

/// Cells of scrolled rows held between two frames; rows beyond are counted and replaced by a note.
const MAX_SCROLLED_CELLS: usize = 1_000_000;

/// A row that left the screen at the top. Trailing blanks are not kept.
#[derive(Debug, Clone)]
pub(crate) struct ScrolledRow {
    pub(crate) row: Row,
    /// The logical line goes on in the next row.
    pub(crate) wrapped: bool,
}

/// Rows on their way from the emulator to the next frame.
#[derive(Debug, Default)]
pub(crate) struct Scrolled {
    pub(crate) rows: Vec<ScrolledRow>,
    pub(crate) lost: u64,
    cells: usize,
}

impl Scrolled {
    pub(crate) fn push(&mut self, cells: &[Cell], wrapped: bool, spare: &mut Spare) {
        let used = if wrapped { cells.len() } else { used_cells(cells) };
        if self.cells + used > MAX_SCROLLED_CELLS {
            self.lost += 1;
            return;
        }
        // An empty row costs too, or line feeds alone could fill the memory.
        self.cells += used + 8;
        self.rows.push(ScrolledRow { row: Row::of(&cells[..used], spare), wrapped });
    }

    pub(crate) fn append(&mut self, mut later: Self) {
        if self.rows.is_empty() && self.lost == 0 {
            *self = later;
        } else if self.cells + later.cells > MAX_SCROLLED_CELLS {
            self.lost += later.rows.len() as u64 + later.lost;
        } else {
            self.rows.append(&mut later.rows);
            self.lost += later.lost;
            self.cells += later.cells;
        }
    }
}

/// Number of leading cells that show anything.
pub(crate) fn used_cells(cells: &[Cell]) -> usize {
    let blank = |cell: &Cell| cell.c == ' ' && Style::is_plain(cell) && cell.flags.is_empty() && cell.extra.is_none();
    cells.iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1)
}
