//! A second emulator that raw and masked bytes run through alike. A label travels with its cells: it is their colour.

use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::Dimensions,
    index::Line,
    term::{
        Config, TermMode,
        cell::{Cell, Flags},
    },
    vte::ansi::{
        Attr, CharsetIndex, ClearMode, Color, Handler, LineClearMode, Mode, PrivateMode, Processor, Rgb, StandardCharset,
        TabulationClearMode,
    },
};
use anteroom_masking::MaskedEvent;

use crate::scene::Capture;

/// What a cell shows, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyph {
    pub c: char,
    /// The second half of a wide character.
    pub half: bool,
    /// One more than the mark's label; 1 << 23 for what is not graded; 0 for innocent text.
    tint: u32,
}

/// Of whom a glyph tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Nobody,
    Label(usize),
    Ungraded,
}

const UNGRADED: u32 = 1 << 23;

impl Glyph {
    pub fn owner(self) -> Owner {
        match self.tint {
            0 => Owner::Nobody,
            UNGRADED => Owner::Ungraded,
            label => Owner::Label(label as usize - 1),
        }
    }
}

struct Size(usize, usize);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.1
    }
    fn screen_lines(&self) -> usize {
        self.1
    }
    fn columns(&self) -> usize {
        self.0
    }
}

pub type Row = Vec<Glyph>;

/// A terminal with a scrollback that holds what scrolled off, and nothing that was cleared.
pub struct Replay {
    term: Term<VoidListener>,
    parser: Processor,
    above: Vec<Row>,
    fed: usize,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay").field("fed", &self.fed).finish_non_exhaustive()
    }
}

impl Replay {
    pub fn new(cols: u16, rows: u16) -> Self {
        let config = Config { scrolling_history: 20_000, ..Config::default() };
        let size = Size(cols.into(), rows.into());
        Self { term: Term::new(config, &size, VoidListener), parser: Processor::new(), above: Vec::new(), fed: 0 }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let mut hand = Hand { term: &mut self.term, above: &mut self.above };
        self.parser.advance(&mut hand, bytes);
    }

    /// Takes a capture's bytes up to an offset, tinting what its marks cover.
    pub fn feed_to(&mut self, capture: &Capture, end: usize) {
        let first = capture.marks.partition_point(|mark| mark.end < self.fed);
        for mark in &capture.marks[first..] {
            if mark.start > end {
                break;
            }
            if mark.start >= self.fed {
                self.raw(capture, mark.start);
                self.fed = mark.start;
                if mark.start < end || mark.start == mark.end {
                    self.tint(mark.label.map_or(UNGRADED, |label| label as u32 + 1));
                }
            }
            if mark.start == end {
                break;
            }
            let stop = mark.end.min(end);
            self.raw(capture, stop);
            self.fed = stop;
            if stop == mark.end {
                self.bytes(b"\x1b[39m");
            }
        }
        self.raw(capture, end);
        self.fed = end;
    }

    fn tint(&mut self, tint: u32) {
        self.bytes(format!("\x1b[38;2;{};{};{}m", tint >> 16, tint >> 8 & 255, tint & 255).as_bytes());
    }

    fn raw(&mut self, capture: &Capture, end: usize) {
        self.bytes(&capture.bytes[self.fed..end]);
    }

    pub fn play(&mut self, events: &[MaskedEvent]) {
        for event in events {
            match event {
                MaskedEvent::Output { text, .. } => self.bytes(text.as_bytes()),
                MaskedEvent::Resize { cols, rows, .. } => self.term.resize(Size((*cols).into(), (*rows).into())),
            }
        }
    }

    /// What was sent to a person's own terminal.
    pub fn show(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
    }

    pub fn is_alternate(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    /// Row and column, from 0.
    pub fn cursor(&self) -> (i32, usize) {
        let point = self.term.grid().cursor.point;
        (point.line.0, point.column.0)
    }

    pub fn size(&self) -> (usize, usize) {
        (self.term.columns(), self.term.screen_lines())
    }

    /// What stands on the screen.
    pub fn screen(&self) -> Vec<Row> {
        let rows = i32::try_from(self.term.screen_lines()).unwrap_or(0);
        (0..rows).map(|line| row(&self.term.grid()[Line(line)][..])).collect()
    }

    /// The cells of a screen's row, with their attributes.
    pub fn cells(&self, line: usize) -> &[Cell] {
        &self.term.grid()[Line(i32::try_from(line).unwrap_or(0))][..]
    }

    /// Everything that scrolled off, and the screen.
    pub fn all(&mut self) -> Vec<Row> {
        Hand { term: &mut self.term, above: &mut self.above }.harvest();
        self.above.iter().cloned().chain(self.screen()).collect()
    }
}

fn row(cells: &[Cell]) -> Row {
    cells
        .iter()
        .map(|cell| Glyph {
            c: if cell.c == '\t' { ' ' } else { cell.c },
            half: cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER),
            tint: match cell.fg {
                Color::Spec(Rgb { r, g, b }) => u32::from(r) << 16 | u32::from(g) << 8 | u32::from(b),
                _ => 0,
            },
        })
        .collect()
}

pub fn text(row: &[Glyph]) -> String {
    let text: String = row.iter().filter(|glyph| !glyph.half).map(|glyph| glyph.c).collect();
    text.trim_end().to_owned()
}

/// Passes everything to the emulator, which by itself keeps in its scrollback what a clear removes.
struct Hand<'a> {
    term: &'a mut Term<VoidListener>,
    above: &'a mut Vec<Row>,
}

impl Hand<'_> {
    fn harvest(&mut self) {
        if self.term.mode().contains(TermMode::ALT_SCREEN) {
            return;
        }
        let held = i32::try_from(self.term.history_size()).unwrap_or(0);
        for line in (1..=held).rev() {
            self.above.push(row(&self.term.grid()[Line(-line)][..]));
        }
        self.term.grid_mut().clear_history();
    }

    fn removing(&mut self, what: impl FnOnce(&mut Term<VoidListener>)) {
        self.harvest();
        what(self.term);
        if !self.term.mode().contains(TermMode::ALT_SCREEN) {
            self.term.grid_mut().clear_history();
        }
    }
}

macro_rules! pass {
    ($($name:ident($($arg:ident: $type:ty),*);)*) => {
        $(fn $name(&mut self, $($arg: $type),*) {
            self.term.$name($($arg),*);
        })*
    };
}

impl Handler for Hand<'_> {
    fn clear_screen(&mut self, mode: ClearMode) {
        self.removing(|term| term.clear_screen(mode));
    }
    fn delete_lines(&mut self, lines: usize) {
        self.removing(|term| term.delete_lines(lines));
    }
    fn reset_state(&mut self) {
        self.removing(|term| term.reset_state());
    }
    pass! {
        input(c: char); goto(line: i32, col: usize); goto_line(line: i32); goto_col(col: usize); insert_blank(count: usize);
        move_up(lines: usize); move_down(lines: usize); move_forward(columns: usize); move_backward(columns: usize);
        move_down_and_cr(lines: usize); move_up_and_cr(lines: usize); put_tab(count: u16); backspace(); carriage_return(); linefeed();
        newline(); set_horizontal_tabstop(); scroll_up(lines: usize); scroll_down(lines: usize); insert_blank_lines(lines: usize);
        erase_chars(count: usize); delete_chars(count: usize); move_backward_tabs(count: u16); move_forward_tabs(count: u16);
        save_cursor_position(); restore_cursor_position(); clear_line(mode: LineClearMode); clear_tabs(mode: TabulationClearMode);
        reverse_index(); terminal_attribute(attr: Attr); set_mode(mode: Mode); unset_mode(mode: Mode); set_private_mode(mode: PrivateMode);
        unset_private_mode(mode: PrivateMode); set_scrolling_region(top: usize, bottom: Option<usize>); set_active_charset(index: CharsetIndex);
        configure_charset(index: CharsetIndex, charset: StandardCharset); substitute(); decaln();
    }
}
