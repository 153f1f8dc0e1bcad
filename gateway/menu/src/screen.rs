//! What the person's terminal shows now, and the bytes that make it show something else.
use crate::canvas::{Canvas, Style};
use std::fmt::Write;

/// Larger terminals are used up to here only: a page is memory for each of a thousand connections.
pub const MAX_COLS: u16 = 300;
pub const MAX_ROWS: u16 = 100;

/// The alternate screen, and pastes marked as such (xterm, "Bracketed Paste Mode").
const ENTER: &str = "\x1b[?1049h\x1b[?2004h\x1b[0m\x1b[2J";
const LEAVE: &str = "\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

#[derive(Debug)]
pub(crate) struct Screen {
    colour: bool,
    entered: bool,
    /// None: unknown, everything is drawn anew.
    shown: Option<Canvas>,
}

impl Screen {
    pub(crate) fn new(colour: bool) -> Self {
        Self { colour, entered: false, shown: None }
    }

    pub(crate) fn enter(&mut self) -> String {
        self.entered = true;
        self.shown = None;
        ENTER.to_owned()
    }

    /// Empty if the screen is not ours.
    pub(crate) fn leave(&mut self) -> &'static str {
        self.shown = None;
        if std::mem::take(&mut self.entered) { LEAVE } else { "" }
    }

    pub(crate) fn entered(&self) -> bool {
        self.entered
    }

    /// The next page is drawn whole.
    pub(crate) fn forget(&mut self) {
        self.shown = None;
    }

    pub(crate) fn draw(&mut self, next: Canvas) -> String {
        let mut out = String::new();
        if !self.entered || self.shown.as_ref() == Some(&next) {
            return out;
        }
        out.push_str("\x1b[?25l");
        let same_size = self.shown.take().filter(|s| (s.cols, s.rows) == (next.cols, next.rows));
        let before = same_size.unwrap_or_else(|| {
            out.push_str("\x1b[0m\x1b[2J");
            Canvas::blank(next.cols, next.rows)
        });
        self.difference(&before, &next, &mut out);
        if let Some((row, col)) = next.cursor {
            place(row, col, &mut out);
            out.push_str("\x1b[?25h");
        }
        self.shown = Some(next);
        out
    }

    fn difference(&self, before: &Canvas, next: &Canvas, out: &mut String) {
        let mut style = None;
        for row in 0..next.rows {
            let (old, new) = (before.row(row), next.row(row));
            // Where the terminal's cursor is in this row, if that is sure.
            let mut at = None;
            for (col, cell) in new.iter().enumerate() {
                let Some(base) = cell.base else { continue };
                // The second column of a wide letter changes with its first.
                if old[col] == *cell {
                    continue;
                }
                if at != Some(col) {
                    place(row, col, out);
                }
                if style != Some(cell.style) {
                    out.push_str(cell.style.sgr(self.colour));
                    style = Some(cell.style);
                }
                out.push(base);
                out.extend(cell.marks.iter().flatten());
                // Terminals differ about the width of what is not ASCII; naming the next place keeps that in one cell.
                at = base.is_ascii().then_some(col + 1);
            }
        }
        if style.is_some_and(|s| s != Style::Plain) {
            out.push_str(Style::Plain.sgr(self.colour));
        }
    }
}

fn place(row: usize, col: usize, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\x1b[{};{}H", row + 1, col + 1);
}
