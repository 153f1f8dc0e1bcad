//! What stands between the parser and the emulator. It forwards what draws text; what it does not name (titles, links, clipboard, reports,
//! palettes) has no road to the grid.

use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::Dimensions,
    index::{Column, Line},
    term::{
        TermMode,
        cell::{Cell, Flags},
    },
    vte::ansi::{
        Attr, CharsetIndex, ClearMode, CursorStyle, Handler, LineClearMode, Mode, NamedPrivateMode, PrivateMode, StandardCharset,
        TabulationClearMode,
    },
};

use crate::{
    masked::hides_text,
    row::{HALVES, Spare},
    scrolled::Scrolled,
};

/// Rows the emulator keeps before they are taken from it.
pub(crate) const SCROLL_BATCH: usize = 16;
/// Segments of messages that carry results, orders and admissions (HL7 v2.5.1 chapters 2, 3, 4, 6, 7).
const SEGMENTS: [&str; 20] = [
    "MSH", "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "OBR", "OBX", "ORC", "NTE", "AL1", "DG1", "PR1", "GT1", "IN1", "IN2", "MRG", "FT1",
    "TXA",
];
/// Combining marks kept on one cell.
pub(crate) const MAX_MARKS: usize = 6;
/// Bytes of answers that wait to be sent; who asks more is not answered.
const MAX_ANSWERS: usize = 512;

/// What is kept of a terminal besides its grid.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) scrolled: Scrolled,
    pub(crate) spare: Spare,
    /// The last thing written was a carriage return.
    returned: bool,
    /// A character was to be drawn.
    pub(crate) drew: bool,
    /// The lowest row that anything may stand on, counted by who asks.
    pub(crate) lowest: usize,
    /// The emulator keeps it to itself.
    charset: CharsetIndex,
    pub(crate) cursor_style: Option<CursorStyle>,
    pub(crate) bell: bool,
    /// What a program's questions to its terminal are answered; none where nobody answers.
    pub(crate) answers: Option<Vec<u8>>,
}

pub(crate) struct Tap<'a> {
    pub(crate) term: &'a mut Term<VoidListener>,
    pub(crate) seen: &'a mut Seen,
}

impl Tap<'_> {
    /// Draws printable ASCII as [`Handler::input`] would character by character. False: not possible now, nothing was drawn.
    pub(crate) fn text(&mut self, text: &[u8]) -> bool {
        let cursor = &self.term.grid().cursor;
        let (fg, bg, flags) = (cursor.template.fg, cursor.template.bg, cursor.template.flags);
        if self.term.mode().contains(TermMode::INSERT)
            || cursor.charsets[self.seen.charset] != StandardCharset::Ascii
            || cursor.template.extra.is_some()
            || flags.intersects(HALVES)
        {
            return false;
        }
        let columns = self.term.columns();
        let mut rest = text;
        while let Some(first) = rest.first() {
            let grid = self.term.grid_mut();
            let (point, wraps) = (grid.cursor.point, grid.cursor.input_needs_wrap);
            let count = rest.len().min(columns - point.column.0);
            let cells = &mut grid[point.line][point.column..point.column + count];
            // What happens at a line's end, behind a carriage return and to halves of wide characters is told in one place.
            if self.seen.returned || wraps || cells.iter().any(|cell| cell.flags.intersects(HALVES)) {
                self.input(char::from(*first));
                rest = &rest[1..];
                continue;
            }
            for (cell, byte) in cells.iter_mut().zip(rest) {
                (cell.c, cell.fg, cell.bg, cell.flags) = (char::from(*byte), fg, bg, flags);
                if cell.extra.is_some() {
                    cell.extra = None;
                }
            }
            let ends = point.column.0 + count == columns;
            grid.cursor.point.column += count - usize::from(ends);
            grid.cursor.input_needs_wrap = ends;
            rest = &rest[count..];
            self.touch();
        }
        true
    }

    /// Something was done to the row of the cursor and none below it.
    fn touch(&mut self) {
        let row = self.term.grid().cursor.point.line.0;
        self.seen.lowest = self.seen.lowest.max(usize::try_from(row).unwrap_or(0));
    }

    fn touch_all(&mut self) {
        self.seen.lowest = usize::MAX;
    }

    fn after_scroll(&mut self) {
        self.touch();
        if self.term.history_size() >= SCROLL_BATCH {
            self.take_scrolled();
        }
    }

    pub(crate) fn take_scrolled(&mut self) {
        if self.is_alternate() {
            return;
        }
        let held = self.term.history_size();
        for above in (1..=held).rev() {
            let cells = &self.term.grid()[Line(-i32::try_from(above).unwrap_or(i32::MAX))][..];
            self.seen.scrolled.push(cells, is_wrapped(cells), &mut self.seen.spare);
        }
        self.term.grid_mut().clear_history();
    }

    /// For operations that put rows into the history which did not scroll off (alacritty keeps what a clear removes).
    fn without_history(&mut self, draw: impl FnOnce(&mut Term<VoidListener>)) {
        self.touch_all();
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

    fn answer(&mut self, answer: std::fmt::Arguments<'_>) {
        if let Some(answers) = &mut self.seen.answers
            && answers.len() < MAX_ANSWERS
        {
            answers.extend_from_slice(answer.to_string().as_bytes());
        }
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

pub(crate) fn is_wrapped(cells: &[Cell]) -> bool {
    cells.last().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

impl Handler for Tap<'_> {
    fn input(&mut self, c: char) {
        self.seen.drew = true;
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
        if std::mem::take(&mut self.seen.returned) && self.on_hl7_segment() {
            self.term.linefeed();
        }
        self.term.input(c);
        self.after_scroll();
    }

    fn linefeed(&mut self) {
        self.seen.returned = false;
        self.term.linefeed();
        self.after_scroll();
    }

    fn newline(&mut self) {
        self.term.newline();
        self.after_scroll();
    }

    fn scroll_up(&mut self, lines: usize) {
        self.touch_all();
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
        self.seen.charset = CharsetIndex::default();
        self.seen.cursor_style = None;
        self.without_history(|term| term.reset_state());
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        self.touch_all();
        if mode != PrivateMode::Named(NamedPrivateMode::SyncUpdate) {
            self.take_scrolled();
            self.term.set_private_mode(mode);
        }
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        self.touch_all();
        if mode != PrivateMode::Named(NamedPrivateMode::SyncUpdate) {
            self.take_scrolled();
            self.term.unset_private_mode(mode);
        }
    }

    fn goto(&mut self, line: i32, col: usize) {
        self.seen.returned = false;
        self.term.goto(line, col);
    }
    fn goto_line(&mut self, line: i32) {
        self.term.goto_line(line);
    }
    fn goto_col(&mut self, col: usize) {
        self.term.goto_col(col);
    }
    fn insert_blank(&mut self, count: usize) {
        self.touch();
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
        self.seen.returned = true;
    }
    fn set_horizontal_tabstop(&mut self) {
        self.term.set_horizontal_tabstop();
    }
    fn scroll_down(&mut self, lines: usize) {
        self.touch_all();
        self.term.scroll_down(lines);
    }
    fn insert_blank_lines(&mut self, lines: usize) {
        self.touch_all();
        self.term.insert_blank_lines(lines);
    }
    fn erase_chars(&mut self, count: usize) {
        self.touch();
        self.term.erase_chars(count);
    }
    fn delete_chars(&mut self, count: usize) {
        self.touch();
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
        self.touch();
        self.term.clear_line(mode);
    }
    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        self.term.clear_tabs(mode);
    }
    fn set_tabs(&mut self, interval: u16) {
        self.term.set_tabs(interval);
    }
    fn reverse_index(&mut self) {
        self.touch_all();
        self.term.reverse_index();
    }
    fn terminal_attribute(&mut self, attr: Attr) {
        // Underline colours would be kept outside the cell; they show nothing that matters.
        if !matches!(attr, Attr::UnderlineColor(_)) {
            self.term.terminal_attribute(attr);
        }
    }
    fn set_cursor_style(&mut self, style: Option<CursorStyle>) {
        self.seen.cursor_style = style;
    }
    fn bell(&mut self) {
        self.seen.bell = true;
    }
    fn set_keypad_application_mode(&mut self) {
        self.term.set_keypad_application_mode();
    }
    fn unset_keypad_application_mode(&mut self) {
        self.term.unset_keypad_application_mode();
    }
    /// DA1 and DA2 (ECMA-48 8.3.24): a VT100 with advanced video, and nothing a program would build on.
    fn identify_terminal(&mut self, intermediate: Option<char>) {
        match intermediate {
            None => self.answer(format_args!("\x1b[?1;2c")),
            Some('>') => self.answer(format_args!("\x1b[>0;0;0c")),
            Some(_) => {}
        }
    }
    /// DSR (ECMA-48 8.3.35): fine; and where the cursor is, on the screen that the person's terminal shows too.
    fn device_status(&mut self, which: usize) {
        let point = self.term.grid().cursor.point;
        match which {
            5 => self.answer(format_args!("\x1b[0n")),
            6 => self.answer(format_args!("\x1b[{};{}R", point.line.0 + 1, point.column.0 + 1)),
            _ => {}
        }
    }
    fn text_area_size_chars(&mut self) {
        self.answer(format_args!("\x1b[8;{};{}t", self.term.screen_lines(), self.term.columns()));
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
        self.seen.charset = index;
        self.term.set_active_charset(index);
    }
    fn configure_charset(&mut self, index: CharsetIndex, charset: StandardCharset) {
        self.term.configure_charset(index, charset);
    }
}
