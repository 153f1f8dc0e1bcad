//! The terminal emulator: bytes in; a grid, and the rows that scrolled off it, out.

use std::sync::Arc;

use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::{Cursor, Dimensions, Grid},
    index::{Column, Line},
    term::{
        Config, TermMode,
        cell::{Cell, CellExtra, Flags},
    },
    vte::ansi::Color,
};

use crate::{
    masked::Modes,
    packed::PackedRow,
    parser::Parser,
    row::{Row, Spare},
    scrolled::{Scrolled, used_cells},
    strings::StringFilter,
    tap::{SCROLL_BATCH, Seen, Tap, is_wrapped},
    utf8::WholeCharacters,
};

/// A terminal larger than this is cut to it: 640 x 300 is more than any screen shows.
const MAX_CELLS: usize = 192_000;
const MAX_COLUMNS: usize = 10_000;
/// Rows it may keep at most: a single sequence can scroll by a whole screen.
const HISTORY: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) cols: usize,
    pub(crate) rows: usize,
}

impl Size {
    pub(crate) fn clamped(cols: u16, rows: u16) -> Self {
        let cols = usize::from(cols).clamp(2, MAX_COLUMNS);
        Self { cols, rows: usize::from(rows).clamp(1, MAX_CELLS / cols) }
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

pub(crate) struct Screen {
    term: Term<VoidListener>,
    parser: Parser,
    strings: StringFilter,
    characters: WholeCharacters,
    seen: Seen,
    packed: Option<Box<Packed>>,
}

/// The main screen of a quiet terminal, and all cursors. The alternate one is empty whenever it is entered.
struct Packed {
    size: Size,
    rows: Vec<PackedRow<(Color, Color, Flags), Arc<CellExtra>>>,
    cursor: Cursor<Cell>,
    saved: Cursor<Cell>,
    alternate_saved: Cursor<Cell>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the content.
        f.debug_struct("Screen").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Screen {
    pub(crate) fn new(size: Size) -> Self {
        let config = Config { scrolling_history: HISTORY, ..Config::default() };
        let mut screen = Self {
            term: Term::new(config, &size, VoidListener),
            parser: Parser::default(),
            strings: StringFilter::default(),
            characters: WholeCharacters::default(),
            seen: Seen::default(),
            packed: None,
        };
        *screen.term.grid_mut() = roomy(size);
        screen
    }

    /// Keeps the main screen in little memory and gives the grids back. False: this is not the moment. Until `unpack` nothing else may be
    /// called.
    pub(crate) fn pack(&mut self) -> bool {
        if self.packed.is_some() || self.is_alternate() || self.term.history_size() > 0 {
            return false;
        }
        self.seen.spare = Spare::default();
        let size = self.size();
        let rows = (0..size.rows).map(|row| {
            let cells = self.row(row);
            PackedRow::of(cells[..used_cells(cells)].iter().map(|cell| (cell.c, (cell.fg, cell.bg, cell.flags), cell.extra.clone())))
        });
        let rows = rows.collect();
        let main = std::mem::replace(self.term.grid_mut(), Grid::new(1, 2, 0));
        let alternate = self.replace_alternate(Grid::new(1, 2, 0));
        let (cursor, saved, alternate_saved) = (main.cursor, main.saved_cursor, alternate.saved_cursor);
        self.packed = Some(Box::new(Packed { size, rows, cursor, saved, alternate_saved }));
        true
    }

    pub(crate) fn unpack(&mut self) {
        let Some(packed) = self.packed.take() else { return };
        let Size { cols, rows } = packed.size;
        let mut alternate = Grid::new(rows, cols, 0);
        alternate.saved_cursor = packed.alternate_saved;
        self.replace_alternate(alternate);
        let mut main = roomy(packed.size);
        for (row, cells) in packed.rows.into_iter().enumerate() {
            let mut column = 0;
            cells.for_each(|c, (fg, bg, flags), extra| {
                main[line(row)][Column(column)] = Cell { c, fg, bg, flags, extra };
                column += 1;
            });
        }
        (main.cursor, main.saved_cursor) = (packed.cursor, packed.saved);
        *self.term.grid_mut() = main;
    }

    /// The emulator gives the grid that is shown only. Changing there and back forgets main's saved cursor: called while main is not there.
    fn replace_alternate(&mut self, grid: Grid<Cell>) -> Grid<Cell> {
        self.term.swap_alt();
        let old = std::mem::replace(self.term.grid_mut(), grid);
        self.term.swap_alt();
        old
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let mut tap = Tap { term: &mut self.term, seen: &mut self.seen };
        let (parser, characters) = (&mut self.parser, &mut self.characters);
        self.strings.feed(bytes, |text| characters.feed(text, |text| parser.advance(&mut tap, text)));
    }

    pub(crate) fn resize(&mut self, size: Size) {
        self.tap().take_scrolled();
        if !self.is_alternate() {
            // Rows kept for more scrolling would be reflowed too.
            self.term.grid_mut().truncate();
        }
        self.term.resize(size);
        self.tap().take_scrolled();
        // With room again.
        self.pack();
        self.unpack();
    }

    pub(crate) fn size(&self) -> Size {
        Size { cols: self.term.columns(), rows: self.term.screen_lines() }
    }

    /// The rows that scrolled off since the last call.
    pub(crate) fn take_scrolled(&mut self) -> Scrolled {
        self.tap().take_scrolled();
        std::mem::take(&mut self.seen.scrolled)
    }

    pub(crate) fn is_alternate(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    pub(crate) fn modes(&self) -> Modes {
        Modes::of(self.term.mode(), self.seen.cursor_style)
    }

    /// Whether it rang since the last call.
    pub(crate) fn take_bell(&mut self) -> bool {
        std::mem::take(&mut self.seen.bell)
    }

    /// From now on a program's questions to its terminal are answered.
    pub(crate) fn answering(mut self) -> Self {
        self.seen.answers = Some(Vec::new());
        self
    }

    /// What the program is to get as if it had been typed.
    pub(crate) fn take_answers(&mut self) -> Vec<u8> {
        self.seen.answers.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn shows_cursor(&self) -> bool {
        self.term.mode().contains(TermMode::SHOW_CURSOR)
    }

    /// Row and column, from 0.
    pub(crate) fn cursor(&self) -> (usize, usize) {
        let point = self.term.grid().cursor.point;
        (usize::try_from(point.line.0).unwrap_or(0), point.column.0)
    }

    pub(crate) fn row(&self, row: usize) -> &[Cell] {
        &self.term.grid()[line(row)][..]
    }

    /// A row as it is read, and whether the logical line goes on in the next one.
    pub(crate) fn line(&mut self, row: usize) -> (Row, bool) {
        let cells = &self.term.grid()[line(row)][..];
        let wrapped = is_wrapped(cells);
        (Row::of(if wrapped { cells } else { &cells[..used_cells(cells)] }, &mut self.seen.spare), wrapped)
    }

    /// The row below which nothing stands.
    pub(crate) fn lowest(&self) -> usize {
        self.seen.lowest.min(self.term.screen_lines() - 1)
    }

    /// Nothing stands on the screen any more, and what is written next is written at its top, without a style.
    pub(crate) fn clear(&mut self) {
        self.feed(b"\x1b[0m\x1b[H");
        if self.lowest() + 1 < self.term.screen_lines() && !self.is_alternate() {
            for row in 0..=self.lowest() {
                self.term.grid_mut()[line(row)].reset(&Cell::default());
            }
        } else {
            // What stood on the main screen when the alternate one came is nobody's line any more.
            self.feed(b"\x1b[2J\x1b[?1049l\x1b[H\x1b[2J");
        }
        self.feed(b"\x1b[r");
        self.seen.lowest = 0;
    }

    /// Takes rows back that are not needed any more.
    pub(crate) fn reuse(&mut self, rows: impl Iterator<Item = Row>) {
        rows.for_each(|row| self.seen.spare.put(row));
    }

    fn tap(&mut self) -> Tap<'_> {
        Tap { term: &mut self.term, seen: &mut self.seen }
    }
}

/// An empty grid with room for the lines that scroll between two looks at it: the emulator by itself makes room for 1,000, whatever
/// their width, the first time one scrolls.
fn roomy(size: Size) -> Grid<Cell> {
    let mut grid: Grid<Cell> = Grid::new(size.rows + SCROLL_BATCH, size.cols, HISTORY);
    grid.resize(false, size.rows, size.cols);
    grid
}

fn line(row: usize) -> Line {
    Line(i32::try_from(row).unwrap_or(i32::MAX))
}
