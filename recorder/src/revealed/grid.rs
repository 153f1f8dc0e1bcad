//! A terminal's screen, and the rows that scrolled off it since the last look.
use super::strings::Strings;
use crate::screen::{Size, Style};
use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::Dimensions,
    index::{Column, Line},
    term::{Config, TermMode, cell::Cell, cell::Flags},
    vte::ansi::Processor,
};

/// Output is given to the emulator in pieces of at most this many bytes, and what scrolled off is taken after each.
pub(super) const PIECE: usize = 1024;
/// Rows that one piece can scroll off and that are kept.
const HISTORY: usize = 2_048;

/// One column of a row; the right half of a wide character is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) column: usize,
    pub(super) c: char,
    pub(super) marks: Vec<char>,
    pub(super) style: Style,
    /// The masked recording hides it.
    pub(super) revealed: bool,
}

pub(super) type Row = Vec<Glyph>;

/// What is to be shown: `scrolled` rows come before the screen's.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) scrolled: Vec<Row>,
    pub(super) screen: Vec<Row>,
    pub(super) alternate: bool,
    pub(super) cursor: (usize, usize),
    pub(super) cursor_shown: bool,
}

pub(super) struct Grid {
    term: Term<VoidListener>,
    parser: Processor,
    strings: Strings,
    scrolled: Vec<Row>,
}

impl Grid {
    pub(super) fn new(cols: u16, rows: u16) -> Self {
        let config = Config { scrolling_history: HISTORY, ..Config::default() };
        let term = Term::new(config, &Size::new(cols, rows), VoidListener);
        Self { term, parser: Processor::new(), strings: Strings::default(), scrolled: Vec::new() }
    }

    pub(super) fn cols(&self) -> usize {
        self.term.columns()
    }

    pub(super) fn rows(&self) -> usize {
        self.term.screen_lines()
    }

    /// Rows that scrolled off since the last frame.
    pub(super) fn scrolled(&self) -> usize {
        self.scrolled.len()
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut plain = Vec::with_capacity(bytes.len());
        self.strings.filter(bytes, &mut plain);
        for piece in plain.chunks(PIECE) {
            self.parser.advance(&mut self.term, piece);
            // A synchronized update that never ends would be held back by the wall clock.
            self.parser.stop_sync(&mut self.term);
            self.take_scrolled();
        }
    }

    pub(super) fn resize(&mut self, cols: u16, rows: u16) {
        self.term.resize(Size::new(cols, rows));
        // What a narrower screen pushed up was shown already.
        self.term.grid_mut().clear_history();
    }

    pub(super) fn frame(&mut self) -> Frame {
        let cursor = self.term.grid().cursor.point;
        let mode = self.term.mode();
        Frame {
            scrolled: std::mem::take(&mut self.scrolled),
            screen: (0..self.rows()).map(|row| self.row(row as i32)).collect(),
            alternate: mode.contains(TermMode::ALT_SCREEN),
            cursor: (usize::try_from(cursor.line.0).unwrap_or(0), cursor.column.0),
            cursor_shown: mode.contains(TermMode::SHOW_CURSOR),
        }
    }

    fn take_scrolled(&mut self) {
        if self.term.mode().contains(TermMode::ALT_SCREEN) {
            return;
        }
        let above = self.term.history_size();
        let rows: Vec<Row> = (1..=above).rev().map(|n| self.row(-(n as i32))).collect();
        self.scrolled.extend(rows);
        if above > 0 {
            self.term.grid_mut().clear_history();
        }
    }

    fn row(&self, line: i32) -> Row {
        let cells = &self.term.grid()[Line(line)];
        let mut row: Row = (0..self.cols()).filter_map(|column| glyph(column, &cells[Column(column)])).collect();
        while row.last().is_some_and(|g| g.c == ' ' && g.marks.is_empty() && g.style == Style::default()) {
            row.pop();
        }
        row
    }
}

fn glyph(column: usize, cell: &Cell) -> Option<Glyph> {
    if cell.flags.intersects(Flags::WIDE_CHAR_SPACER) {
        return None;
    }
    let c = if cell.c.is_control() || hides_text(cell.c) || cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) { ' ' } else { cell.c };
    let marks = cell.zerowidth().into_iter().flatten().copied().filter(|c| !c.is_control() && !hides_text(*c)).take(6).collect();
    Some(Glyph { column, c, marks, style: Style::of(cell), revealed: false })
}

/// Characters that make text read as something else, or that nobody sees (Unicode TR 36; tag characters).
fn hides_text(c: char) -> bool {
    matches!(c as u32, 0xad | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0xe_0000..=0xe_0fff)
}
