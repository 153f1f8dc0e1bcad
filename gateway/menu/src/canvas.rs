//! A page as a grid of cells. No other road leads to the screen.
use crate::text;

/// Marks that may stand on one letter.
const MARKS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Title,
    Selected,
    Good,
    Wait,
    Bad,
}

impl Style {
    /// ECMA-48 section 8.3.117; colours only if they are wanted (no-color.org).
    pub(crate) fn sgr(self, colour: bool) -> &'static str {
        match self {
            Self::Title => "\x1b[0;1m",
            Self::Selected => "\x1b[0;7m",
            Self::Good if colour => "\x1b[0;32m",
            Self::Wait if colour => "\x1b[0;33m",
            Self::Bad if colour => "\x1b[0;31m",
            Self::Plain | Self::Good | Self::Wait | Self::Bad => "\x1b[0m",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    /// None in the second column of a wide character.
    pub(crate) base: Option<char>,
    pub(crate) marks: [Option<char>; MARKS],
    pub(crate) style: Style,
}

const BLANK: Cell = Cell { base: Some(' '), marks: [None; MARKS], style: Style::Plain };

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Canvas {
    pub(crate) cols: usize,
    pub(crate) rows: usize,
    cells: Vec<Cell>,
    /// Row and column; hidden if there is none.
    pub(crate) cursor: Option<(usize, usize)>,
}

impl Canvas {
    pub(crate) fn blank(cols: usize, rows: usize) -> Self {
        Self { cols, rows, cells: vec![BLANK; cols * rows], cursor: None }
    }

    pub(crate) fn row(&self, row: usize) -> &[Cell] {
        &self.cells[row * self.cols..(row + 1) * self.cols]
    }

    /// Writes what fits into the row and says which column follows. Pages write from left to right and never over what they wrote.
    pub(crate) fn put(&mut self, row: usize, col: usize, text: &str, style: Style) -> usize {
        if row >= self.rows {
            return col;
        }
        let mut at = col;
        for c in text.chars() {
            let Some(wide) = text::columns(c) else { continue };
            if wide == 0 {
                self.mark(row, col, at, c);
                continue;
            }
            if at + wide > self.cols {
                break;
            }
            let cells = &mut self.cells[row * self.cols..][at..at + wide];
            cells.fill(Cell { base: None, style, ..BLANK });
            cells[0].base = Some(c);
            at += wide;
        }
        at
    }

    /// The cursor, if the place is on the page.
    pub(crate) fn point(&mut self, row: usize, col: usize) {
        if row < self.rows && self.cols > 0 {
            self.cursor = Some((row, col.min(self.cols - 1)));
        }
    }

    fn mark(&mut self, row: usize, from: usize, at: usize, c: char) {
        let cells = &mut self.cells[row * self.cols..(row + 1) * self.cols];
        let base = cells[from.min(at)..at].iter_mut().rev().find(|cell| cell.base.is_some());
        if let Some(free) = base.and_then(|cell| cell.marks.iter_mut().find(|m| m.is_none())) {
            *free = Some(c);
        }
    }
}
