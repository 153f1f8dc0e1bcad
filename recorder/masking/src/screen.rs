//! The terminal emulator: bytes in; a grid, and the rows that scrolled off it, out.
//!
//! [`Tap`] stands between the parser and the emulator and forwards what draws text. What it does not name (titles, links, clipboard,
//! reports, palettes) has no road to the grid.

use std::{sync::Arc, time::Duration};

use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::{Cursor, Dimensions, Grid},
    index::{Column, Line},
    term::{
        Config, TermMode,
        cell::{Cell, CellExtra, Flags},
    },
    vte::ansi::{
        Attr, CharsetIndex, ClearMode, Color, Handler, LineClearMode, Mode, NamedPrivateMode, PrivateMode, Processor, StandardCharset,
        TabulationClearMode, Timeout,
    },
};

use crate::{masked::hides_text, packed::PackedRow, strings::StringFilter, utf8::WholeCharacters};

/// A terminal larger than this is cut to it: 640 x 300 is more than any screen shows.
const MAX_CELLS: usize = 192_000;
const MAX_COLUMNS: usize = 10_000;
/// Cells of scrolled rows held between two frames; rows beyond are counted and replaced by a note.
const MAX_SCROLLED_CELLS: usize = 1_000_000;
/// Rows the emulator keeps before they are taken from it.
const SCROLL_BATCH: usize = 16;
/// Rows it may keep at most: a single sequence can scroll by a whole screen.
const HISTORY: usize = 512;
/// Segments of messages that carry results, orders and admissions (HL7 v2.5.1 chapters 2, 3, 4, 6, 7).
const SEGMENTS: [&str; 20] = [
    "MSH", "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "OBR", "OBX", "ORC", "NTE", "AL1", "DG1", "PR1", "GT1", "IN1", "IN2", "MRG", "FT1",
    "TXA",
];
/// Combining marks kept on one cell.
pub(crate) const MAX_MARKS: usize = 6;

/// A row that left the screen at the top. Trailing blanks are not kept.
#[derive(Debug, Clone)]
pub(crate) struct ScrolledRow {
    pub(crate) cells: Vec<Cell>,
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
    fn push(&mut self, cells: &[Cell], wrapped: bool) {
        let used = if wrapped { cells.len() } else { used_cells(cells) };
        if self.cells + used > MAX_SCROLLED_CELLS {
            self.lost += 1;
            return;
        }
        // An empty row costs too, or line feeds alone could fill the memory.
        self.cells += used + 8;
        self.rows.push(ScrolledRow { cells: cells[..used].to_vec(), wrapped });
    }
}

impl Scrolled {
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
    let blank = Cell::default();
    cells.iter().rposition(|cell| *cell != blank).map_or(0, |last| last + 1)
}

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
    parser: Processor<NoSynchronizedUpdates>,
    strings: StringFilter,
    characters: WholeCharacters,
    scrolled: Scrolled,
    /// The last thing written was a carriage return.
    returned: bool,
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
            parser: Processor::new(),
            strings: StringFilter::default(),
            characters: WholeCharacters::default(),
            scrolled: Scrolled::default(),
            returned: false,
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
        let mut tap = Tap { term: &mut self.term, scrolled: &mut self.scrolled, returned: &mut self.returned };
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
        std::mem::take(&mut self.scrolled)
    }

    pub(crate) fn is_alternate(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
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

    pub(crate) fn is_wrapped(&self, row: usize) -> bool {
        is_wrapped(self.row(row))
    }

    fn tap(&mut self) -> Tap<'_> {
        Tap { term: &mut self.term, scrolled: &mut self.scrolled, returned: &mut self.returned }
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

fn is_wrapped(cells: &[Cell]) -> bool {
    cells.last().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// DEC mode 2026 would hold bytes back until a timer; frames are cut at recorded times instead.
#[derive(Debug, Default)]
struct NoSynchronizedUpdates;

impl Timeout for NoSynchronizedUpdates {
    fn set_timeout(&mut self, _: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

struct Tap<'a> {
    term: &'a mut Term<VoidListener>,
    scrolled: &'a mut Scrolled,
    returned: &'a mut bool,
}

impl Tap<'_> {
    fn after_scroll(&mut self) {
        if self.term.history_size() >= SCROLL_BATCH {
            self.take_scrolled();
        }
    }

    fn take_scrolled(&mut self) {
        if self.is_alternate() {
            return;
        }
        let held = self.term.history_size();
        for above in (1..=held).rev() {
            let cells = &self.term.grid()[Line(-i32::try_from(above).unwrap_or(i32::MAX))][..];
            self.scrolled.push(cells, is_wrapped(cells));
        }
        self.term.grid_mut().clear_history();
    }

    /// For operations that put rows into the history which did not scroll off (alacritty keeps what a clear removes).
    fn without_history(&mut self, draw: impl FnOnce(&mut Term<VoidListener>)) {
        self.take_scrolled();
        draw(self.term);
        if !self.is_alternate() {
            self.term.grid_mut().clear_history();
        }
    }

    fn is_alternate(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    /// Does the logical line with the cursor begin like a segment of a message?
    fn on_hl7_segment(&self) -> bool {
        let grid = self.term.grid();
        let mut line = grid.cursor.point.line;
        while line > 0 && is_wrapped(&grid[line - 1i32][..]) {
            line -= 1i32;
        }
        let start: String = grid[line][..].iter().take(4).map(|cell| cell.c).collect();
        start.is_char_boundary(3) && SEGMENTS.contains(&&start[..3]) && start[3..].starts_with(|c: char| c.is_ascii_punctuation())
    }

    /// May another mark be put on the cell before the cursor?
    fn takes_mark(&self) -> bool {
        let cursor = &self.term.grid().cursor;
        let mut column = cursor.point.column.0;
        if !cursor.input_needs_wrap {
            column = column.saturating_sub(1);
        }
        let row = &self.term.grid()[cursor.point.line];
        [column, column.saturating_sub(1)].iter().all(|at| row[Column(*at)].zerowidth().is_none_or(|marks| marks.len() < MAX_MARKS))
    }
}

impl Handler for Tap<'_> {
    fn input(&mut self, c: char) {
        if !c.is_ascii() {
            if hides_text(c) {
                return;
            }
            if unicode_width::UnicodeWidthChar::width(c) == Some(0) && !self.takes_mark() {
                return;
            }
        }
        // A file of HL7 segments ends each with a bare CR (v2.5.1 section 2.5.2): on a terminal they overwrite each other and what sticks out
        // cannot be told. They are shown one below the other instead.
        if std::mem::take(self.returned) && self.on_hl7_segment() {
            self.term.linefeed();
        }
        self.term.input(c);
        self.after_scroll();
    }

    fn linefeed(&mut self) {
        *self.returned = false;
        self.term.linefeed();
        self.after_scroll();
    }

    fn newline(&mut self) {
        self.term.newline();
        self.after_scroll();
    }

    fn scroll_up(&mut self, lines: usize) {
        self.term.scroll_up(lines);
        self.after_scroll();
    }

    fn delete_lines(&mut self, lines: usize) {
        // Deleted, not scrolled, although alacritty keeps them when the cursor is on the first row.
        self.without_history(|term| term.delete_lines(lines));
    }

    fn put_tab(&mut self, count: u16) {
        self.term.put_tab(count);
        self.after_scroll();
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        self.without_history(|term| term.clear_screen(mode));
    }

    fn reset_state(&mut self) {
        self.without_history(|term| term.reset_state());
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        if mode != PrivateMode::Named(NamedPrivateMode::SyncUpdate) {
            self.take_scrolled();
            self.term.set_private_mode(mode);
        }
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        if mode != PrivateMode::Named(NamedPrivateMode::SyncUpdate) {
            self.take_scrolled();
            self.term.unset_private_mode(mode);
        }
    }

    fn goto(&mut self, line: i32, col: usize) {
        *self.returned = false;
        self.term.goto(line, col);
    }
    fn goto_line(&mut self, line: i32) {
        self.term.goto_line(line);
    }
    fn goto_col(&mut self, col: usize) {
        self.term.goto_col(col);
    }
    fn insert_blank(&mut self, count: usize) {
        self.term.insert_blank(count);
    }
    fn move_up(&mut self, lines: usize) {
        self.term.move_up(lines);
    }
    fn move_down(&mut self, lines: usize) {
        self.term.move_down(lines);
    }
    fn move_forward(&mut self, columns: usize) {
        self.term.move_forward(columns);
    }
    fn move_backward(&mut self, columns: usize) {
        self.term.move_backward(columns);
    }
    fn move_down_and_cr(&mut self, lines: usize) {
        self.term.move_down_and_cr(lines);
    }
    fn move_up_and_cr(&mut self, lines: usize) {
        self.term.move_up_and_cr(lines);
    }
    fn backspace(&mut self) {
        self.term.backspace();
    }
    fn carriage_return(&mut self) {
        self.term.carriage_return();
        *self.returned = true;
    }
    fn set_horizontal_tabstop(&mut self) {
        self.term.set_horizontal_tabstop();
    }
    fn scroll_down(&mut self, lines: usize) {
        self.term.scroll_down(lines);
    }
    fn insert_blank_lines(&mut self, lines: usize) {
        self.term.insert_blank_lines(lines);
    }
    fn erase_chars(&mut self, count: usize) {
        self.term.erase_chars(count);
    }
    fn delete_chars(&mut self, count: usize) {
        self.term.delete_chars(count);
    }
    fn move_backward_tabs(&mut self, count: u16) {
        self.term.move_backward_tabs(count);
    }
    fn move_forward_tabs(&mut self, count: u16) {
        self.term.move_forward_tabs(count);
    }
    fn save_cursor_position(&mut self) {
        self.term.save_cursor_position();
    }
    fn restore_cursor_position(&mut self) {
        self.term.restore_cursor_position();
    }
    fn clear_line(&mut self, mode: LineClearMode) {
        self.term.clear_line(mode);
    }
    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        self.term.clear_tabs(mode);
    }
    fn set_tabs(&mut self, interval: u16) {
        self.term.set_tabs(interval);
    }
    fn reverse_index(&mut self) {
        self.term.reverse_index();
    }
    fn terminal_attribute(&mut self, attr: Attr) {
        // Underline colours would be kept outside the cell; they show nothing that matters.
        if !matches!(attr, Attr::UnderlineColor(_)) {
            self.term.terminal_attribute(attr);
        }
    }
    fn set_mode(&mut self, mode: Mode) {
        self.term.set_mode(mode);
    }
    fn unset_mode(&mut self, mode: Mode) {
        self.term.unset_mode(mode);
    }
    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        self.term.set_scrolling_region(top, bottom);
    }
    fn set_active_charset(&mut self, index: CharsetIndex) {
        self.term.set_active_charset(index);
    }
    fn configure_charset(&mut self, index: CharsetIndex, charset: StandardCharset) {
        self.term.configure_charset(index, charset);
    }
}
