//! From one frame to the next, written with text, colours and cursor movements alone, and what the masked recording hides marked.
use super::grid::{Frame, Row};
use crate::screen::Style;
use alacritty_terminal::{
    term::cell::Flags,
    vte::ansi::{Color, NamedColor},
};
use anteroom_masking::{MASK, WIDE_MASK};
use std::fmt::Write as _;

/// Terminal text that shows sealed output. Made by [`Painter`] only, and never a `MaskedText`: the masked track cannot take it.
pub(super) struct RevealedText(String);

impl RevealedText {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the viewer's terminal shows.
#[derive(Debug)]
pub(super) struct Painter {
    shown: Vec<Row>,
    alternate: bool,
    cursor_shown: bool,
}

impl Painter {
    pub(super) fn new(rows: u16) -> Self {
        Self { shown: vec![Row::new(); rows.max(1).into()], alternate: false, cursor_shown: true }
    }

    /// After a resize nothing is known: the next frame paints everything.
    pub(super) fn resized(&mut self, rows: usize) {
        self.shown.clear();
        self.shown.resize(rows, Row::new());
    }

    /// Output that turns what is shown into `frame`; `hidden` is the masked recording at the same moment.
    pub(super) fn show(&mut self, mut frame: Frame, hidden: Frame) -> RevealedText {
        mark_all(&mut frame, &hidden);
        let mut out = String::new();
        if frame.alternate != self.alternate {
            self.alternate = frame.alternate;
            out.push_str(if frame.alternate { "\x1b[?1049h" } else { "\x1b[?1049l" });
            self.shown.clear();
        }
        if self.shown.len() != frame.screen.len() || self.shown.iter().all(Row::is_empty) {
            out.push_str("\x1b[0m\x1b[H\x1b[2J");
            self.resized(frame.screen.len());
        }
        let rows = self.shown.len();
        // All rows in order: the first ones are rewritten in place, the rest pushes them up, one line feed at the bottom each.
        for (index, row) in frame.scrolled.into_iter().chain(frame.screen).enumerate() {
            let at = index.min(rows - 1);
            if index >= rows {
                let _ = write!(out, "\x1b[{rows}H\r\n");
                self.shown.rotate_left(1);
                self.shown[at] = Row::new();
            }
            if self.shown[at] != row {
                write_row(&mut out, at, &row);
                self.shown[at] = row;
            }
        }
        let _ = write!(out, "\x1b[{};{}H", frame.cursor.0 + 1, frame.cursor.1 + 1);
        if frame.cursor_shown != self.cursor_shown {
            self.cursor_shown = frame.cursor_shown;
            out.push_str(if frame.cursor_shown { "\x1b[?25h" } else { "\x1b[?25l" });
        }
        RevealedText(out)
    }
}

/// Rows of the two are the same rows; of what scrolled off, the last ones are.
fn mark_all(frame: &mut Frame, hidden: &Frame) {
    if frame.alternate != hidden.alternate {
        return;
    }
    for (row, masked) in frame.scrolled.iter_mut().rev().zip(hidden.scrolled.iter().rev()) {
        mark(row, masked);
    }
    for (row, masked) in frame.screen.iter_mut().zip(&hidden.screen) {
        mark(row, masked);
    }
}

fn mark(row: &mut Row, masked: &Row) {
    let is_mask = |c: char| c == MASK || c == WIDE_MASK;
    for g in row.iter_mut().filter(|g| g.c != ' ' && !is_mask(g.c)) {
        g.revealed = masked.binary_search_by_key(&g.column, |m| m.column).is_ok_and(|at| is_mask(masked[at].c));
    }
    // A blank between two words of a name is a blank in both.
    for at in 1..row.len().saturating_sub(1) {
        if row[at].c == ' ' && row[at - 1].revealed && row[at + 1].revealed {
            row[at].revealed = true;
        }
    }
}

fn write_row(out: &mut String, at: usize, row: &Row) {
    let _ = write!(out, "\x1b[{}H\x1b[0m\x1b[2K", at + 1);
    let mut style = Style::default();
    let mut column = 0;
    for g in row {
        let wanted = if g.revealed { marked(g.style) } else { g.style };
        if wanted != style {
            wanted.write(out);
            style = wanted;
        }
        if g.column > column + 1 {
            // After a wide character nothing has to be said; a lone half of one leaves a gap.
            let _ = write!(out, "\x1b[{}G", g.column + 1);
        }
        column = g.column;
        out.push(g.c);
        out.extend(&g.marks);
    }
    if style != Style::default() {
        out.push_str("\x1b[0m");
    }
}

/// Black on bright yellow, readable whatever the program did; its other attributes stay.
fn marked(style: Style) -> Style {
    Style {
        fg: Color::Named(NamedColor::Black),
        bg: Color::Named(NamedColor::BrightYellow),
        flags: style.flags.difference(Flags::INVERSE | Flags::HIDDEN | Flags::DIM),
    }
}
