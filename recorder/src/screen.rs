//! The masked screen as a viewer has it now: what a keyframe must paint.
use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::Dimensions,
    index::{Column, Line},
    term::{
        Config, TermMode,
        cell::{Cell, Flags},
    },
    vte::ansi::{Color, NamedColor, Processor},
};
use std::fmt::Write;

/// Columns and rows that a keyframe keeps at most; bigger terminals are shown cut after a seek.
const MAX_COLS: u16 = 1000;
const MAX_ROWS: u16 = 500;

/// Of a terminal, within bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    cols: usize,
    rows: usize,
}

impl Size {
    pub(crate) fn new(cols: u16, rows: u16) -> Self {
        Self { cols: cols.clamp(2, MAX_COLS).into(), rows: rows.clamp(1, MAX_ROWS).into() }
    }
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.rows
    }
    fn screen_lines(&self) -> usize {
        self.rows
    }
    fn columns(&self) -> usize {
        self.cols
    }
}

/// Follows one channel's masked output.
pub(crate) struct Screen {
    term: Term<VoidListener>,
    parser: Processor,
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("cols", &self.cols).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Screen {
    pub(crate) fn new(cols: u16, rows: u16) -> Self {
        let config = Config { scrolling_history: 0, ..Config::default() };
        Self { term: Term::new(config, &Size::new(cols, rows), VoidListener), parser: Processor::new(), cols, rows }
    }

    pub(crate) fn feed(&mut self, text: &str) {
        self.parser.advance(&mut self.term, text.as_bytes());
    }

    pub(crate) fn resize(&mut self, cols: u16, rows: u16) {
        (self.cols, self.rows) = (cols, rows);
        self.term.resize(Size::new(cols, rows));
    }

    /// Terminal text that paints this screen onto a fresh terminal of the same size.
    pub(crate) fn paint(&self) -> String {
        let grid = self.term.grid();
        let mode = self.term.mode();
        let (rows, cols) = (self.term.screen_lines(), self.term.columns());
        let mut out = String::with_capacity(rows * 16);
        out.push_str(if mode.contains(TermMode::ALT_SCREEN) { "\x1b[?1049h" } else { "\x1b[?1049l" });
        out.push_str("\x1b[0m\x1b[H\x1b[2J");
        let mut style = Style::default();
        for row in 0..rows {
            let line = &grid[Line(row as i32)];
            let used = (0..cols).rev().find(|c| !is_blank(&line[Column(*c)])).map_or(0, |c| c + 1);
            if used == 0 {
                continue;
            }
            let _ = write!(out, "\x1b[{}H", row + 1);
            for col in 0..used {
                let cell = &line[Column(col)];
                if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
                    continue;
                }
                let wanted = Style::of(cell);
                if wanted != style {
                    wanted.write(&mut out);
                    style = wanted;
                }
                out.push(if cell.c.is_control() { ' ' } else { cell.c });
                out.extend(cell.zerowidth().into_iter().flatten());
            }
        }
        let cursor = grid.cursor.point;
        Style::of(&grid.cursor.template).write(&mut out);
        let _ = write!(out, "\x1b[{};{}H", cursor.line.0 + 1, cursor.column.0 + 1);
        out.push_str(if mode.contains(TermMode::SHOW_CURSOR) { "\x1b[?25h" } else { "\x1b[?25l" });
        out
    }
}

fn is_blank(cell: &Cell) -> bool {
    cell.c == ' ' && cell.extra.is_none() && Style::of(cell) == Style::default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) fg: Color,
    pub(crate) bg: Color,
    pub(crate) flags: Flags,
}

impl Default for Style {
    fn default() -> Self {
        Self { fg: Color::Named(NamedColor::Foreground), bg: Color::Named(NamedColor::Background), flags: Flags::empty() }
    }
}

/// Attributes and their SGR numbers (ECMA-48 section 8.3.117).
const SGR: [(Flags, u8); 7] = [
    (Flags::BOLD, 1),
    (Flags::DIM, 2),
    (Flags::ITALIC, 3),
    (Flags::ALL_UNDERLINES, 4),
    (Flags::INVERSE, 7),
    (Flags::HIDDEN, 8),
    (Flags::STRIKEOUT, 9),
];

impl Style {
    pub(crate) fn of(cell: &Cell) -> Self {
        let shown = SGR.iter().fold(Flags::empty(), |all, (flag, _)| all | *flag);
        Self { fg: cell.fg, bg: cell.bg, flags: cell.flags & shown }
    }

    pub(crate) fn write(&self, out: &mut String) {
        out.push_str("\x1b[0");
        for (flag, number) in SGR {
            if self.flags.intersects(flag) {
                let _ = write!(out, ";{number}");
            }
        }
        write_color(out, self.fg, 30);
        write_color(out, self.bg, 40);
        out.push('m');
    }
}

/// `base` is 30 for the foreground, 40 for the background.
fn write_color(out: &mut String, color: Color, base: u8) {
    let _ = match color {
        Color::Named(n) if (n as usize) < 8 => write!(out, ";{}", base as usize + n as usize),
        Color::Named(n) if (n as usize) < 16 => write!(out, ";{}", base as usize + 60 + n as usize - 8),
        Color::Named(_) => Ok(()),
        Color::Indexed(i) => write!(out, ";{};5;{i}", base + 8),
        Color::Spec(rgb) => write!(out, ";{};2;{};{};{}", base + 8, rgb.r, rgb.g, rgb.b),
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_painted_screen_is_the_same_screen() {
        let mut a = Screen::new(40, 8);
        a.feed("plain\r\n\x1b[1;31mred bold\x1b[0m \x1b[48;5;17mblue back\x1b[0m\r\n日本語 e\u{301}\x1b[5;10H\x1b[7minverse\x1b[0m\x1b[38;2;1;2;3mrgb\x1b[?25l");
        a.feed("\x1b[8;1Hlast line, forty columns exactly to here");
        let mut b = Screen::new(40, 8);
        b.feed("what was here before");
        b.feed(&a.paint());
        assert_eq!(a.paint(), b.paint());
        for row in 0..8 {
            for col in 0..40 {
                let cell = |s: &Screen| s.term.grid()[Line(row)][Column(col)].clone();
                assert_eq!((cell(&a).c, Style::of(&cell(&a)) == Style::of(&cell(&b))), (cell(&b).c, true), "row {row} column {col}");
            }
        }
    }

    #[test]
    fn the_alternate_screen_and_any_size_are_kept() {
        let mut a = Screen::new(0, 0);
        a.resize(65_535, 65_535);
        a.resize(10, 3);
        a.feed("\x1b[?1049hvim");
        let paint = a.paint();
        assert!(paint.starts_with("\x1b[?1049h") && paint.contains("vim"));
    }
}
