//! What went through classification: the only things the renderer can write.
//!
//! **Invariant:** a [`MaskedCell`] is made from a cell *and its verdict*, a [`Verdicts`] is made only by the classifier, and the
//! [`Ink`] that builds a [`MaskedText`] accepts nothing but these, cursor movements and fixed notes.

use std::{
    fmt::{self, Write as _},
    ops::{Deref, Range},
};

use alacritty_terminal::{
    term::cell::{Cell, Flags},
    vte::ansi::{Color, NamedColor},
};

use crate::{classify::Verdicts, packed::PackedRow, screen::MAX_MARKS};

/// Stands for one masked column.
pub const MASK: char = '█';
/// Stands for two masked columns, where a wide character was (the geta mark, printers' sign for a glyph that is not there).
pub const WIDE_MASK: char = '〓';

/// Terminal text that is safe to keep in the masked track. It cannot be made outside this crate:
///
/// ```compile_fail
/// let leak = anteroom_masking::MaskedText(String::from("MRN 123456"));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct MaskedText(String);

impl MaskedText {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl Deref for MaskedText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for MaskedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<MaskedText> for String {
    fn from(text: MaskedText) -> String {
        text.0
    }
}

impl fmt::Display for MaskedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MaskedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskedText({:?})", self.0)
    }
}

/// Colours and attributes: the part of a cell that says nothing about its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    fg: Color,
    bg: Color,
    flags: Flags,
}

const STYLE_FLAGS: Flags = Flags::BOLD
    .union(Flags::DIM)
    .union(Flags::ITALIC)
    .union(Flags::ALL_UNDERLINES)
    .union(Flags::INVERSE)
    .union(Flags::HIDDEN)
    .union(Flags::STRIKEOUT);

impl Style {
    pub(crate) const PLAIN: Self =
        Self { fg: Color::Named(NamedColor::Foreground), bg: Color::Named(NamedColor::Background), flags: Flags::empty() };

    pub(crate) fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, flags: cell.flags.intersection(STYLE_FLAGS) }
    }
}

/// One cell after classification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MaskedCell {
    /// What is written; '\0' for the right half of a wide character.
    glyph: char,
    style: Style,
    /// Combining marks of a readable cell.
    marks: Option<Box<[char; MAX_MARKS]>>,
}

impl MaskedCell {
    const BLANK: Self = Self { glyph: ' ', style: Style::PLAIN, marks: None };

    /// The only way a grid cell becomes writable. `masked` comes from [`Verdicts`]; see [`MaskedRow::classified`].
    #[inline]
    fn classified(cell: &Cell, masked: bool) -> Self {
        let style = Style::of(cell);
        if cell.extra.is_none() && !cell.flags.intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
            let glyph = match cell.c {
                ' ' | '\t' => ' ',
                _ if masked => MASK,
                c => c,
            };
            return Self { glyph, style, marks: None };
        }
        Self::unusual(cell, style, masked)
    }

    /// Part of a wide character, or with combining marks.
    fn unusual(cell: &Cell, style: Style, masked: bool) -> Self {
        if cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
            return Self { glyph: '\0', style, marks: None };
        }
        let wide = cell.flags.contains(Flags::WIDE_CHAR);
        let blank = cell.c == ' ' || cell.c == '\t' || cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER);
        let glyph = match (blank, masked, wide) {
            (true, ..) => ' ',
            (false, true, true) => WIDE_MASK,
            (false, true, false) => MASK,
            (false, false, _) => cell.c,
        };
        let marks = cell.zerowidth().filter(|marks| !masked && !marks.is_empty()).map(|marks| {
            let mut kept = ['\0'; MAX_MARKS];
            kept.iter_mut().zip(marks).for_each(|(kept, mark)| *kept = *mark);
            Box::new(kept)
        });
        Self { glyph, style, marks }
    }
}

/// A screen row after classification. Trailing default blanks are not stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MaskedRow {
    cells: Vec<MaskedCell>,
}

impl MaskedRow {
    /// Joins a row's cells with the verdicts of the logical line they are part of; `first_cell` is the row's offset in that line.
    pub(crate) fn classified(cells: &[Cell], verdicts: &Verdicts, first_cell: usize) -> Self {
        let mut masks = verdicts.cursor(first_cell);
        let mut row: Vec<MaskedCell> = if masks.is_empty() {
            cells.iter().map(|cell| MaskedCell::classified(cell, false)).collect()
        } else {
            (first_cell..).zip(cells).map(|(at, cell)| MaskedCell::classified(cell, masks.masked(at))).collect()
        };
        if cells.iter().any(|cell| cell.flags.intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER)) {
            blank_lone_halves(&mut row, cells);
        }
        while row.last() == Some(&MaskedCell::BLANK) {
            row.pop();
        }
        Self { cells: row }
    }

    pub(crate) fn note(note: Note) -> Self {
        let cells = note.to_string().chars().map(|glyph| MaskedCell { glyph, style: Style::PLAIN, marks: None }).collect();
        Self { cells }
    }

    /// The same row in less memory.
    pub(crate) fn pack(self) -> PackedMaskedRow {
        PackedMaskedRow(PackedRow::of(self.cells.into_iter().map(|cell| (cell.glyph, cell.style, cell.marks))))
    }

    fn cell(&self, column: usize) -> &MaskedCell {
        self.cells.get(column).unwrap_or(&MaskedCell::BLANK)
    }

    /// Columns in which two rows differ.
    pub(crate) fn difference(&self, other: &Self) -> Option<Range<usize>> {
        let width = self.cells.len().max(other.cells.len());
        let mut first = (0..width).find(|column| self.cell(*column) != other.cell(*column))?;
        let last = (first..width).rev().find(|column| self.cell(*column) != other.cell(*column))?;
        // A wide character is written or not as a whole.
        while first > 0 && (self.cell(first).glyph == '\0' || other.cell(first).glyph == '\0') {
            first -= 1;
        }
        let mut end = last + 1;
        while end < width && (self.cell(end).glyph == '\0' || other.cell(end).glyph == '\0') {
            end += 1;
        }
        Some(first..end)
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.cells.is_empty()
    }

    pub(crate) fn width(&self) -> usize {
        self.cells.len()
    }
}

/// A classified row that nobody looks at for a while. Made from one and made into one.
#[derive(Debug)]
pub(crate) struct PackedMaskedRow(PackedRow<Style, Box<[char; MAX_MARKS]>>);

impl PackedMaskedRow {
    pub(crate) fn unpack(self) -> MaskedRow {
        let mut cells = Vec::new();
        self.0.for_each(|glyph, style, marks| cells.push(MaskedCell { glyph, style, marks }));
        MaskedRow { cells }
    }
}

/// Inserting and deleting can tear a wide character apart; half of one cannot be written.
fn blank_lone_halves(row: &mut [MaskedCell], cells: &[Cell]) {
    let is = |column: Option<usize>, flag| column.and_then(|column| cells.get(column)).is_some_and(|cell| cell.flags.contains(flag));
    for (column, cell) in row.iter_mut().enumerate() {
        let lone_left = is(Some(column), Flags::WIDE_CHAR) && !is(Some(column + 1), Flags::WIDE_CHAR_SPACER);
        let lone_right = is(Some(column), Flags::WIDE_CHAR_SPACER) && !is(column.checked_sub(1), Flags::WIDE_CHAR);
        if lone_left || lone_right {
            cell.glyph = ' ';
            cell.marks = None;
        }
    }
}

/// Fixed sentences the masker may say by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Note {
    Binary { bytes: u64 },
    LinesNotHeld { lines: u64 },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Binary { bytes } if bytes >= 1 << 20 => {
                write!(f, "[binary, {}.{} MiB not shown]", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20)
            }
            Self::Binary { bytes } => write!(f, "[binary, {bytes} bytes not shown]"),
            Self::LinesNotHeld { lines } => write!(f, "[{lines} lines not shown]"),
        }
    }
}

/// Writes masked text. Every method takes something classified or something that carries no text of the session.
#[derive(Debug)]
pub(crate) struct Ink {
    text: String,
    style: Style,
}

impl Ink {
    pub(crate) fn new() -> Self {
        Self { text: String::new(), style: Style::PLAIN }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes what was written. The style stays what it is on the reader's terminal.
    pub(crate) fn take(&mut self) -> MaskedText {
        MaskedText(std::mem::take(&mut self.text))
    }

    pub(crate) fn row(&mut self, row: &MaskedRow, columns: Range<usize>) {
        self.text.reserve(columns.len());
        let written = row.cells.get(columns.start.min(row.width())..columns.end.min(row.width())).unwrap_or_default();
        let beyond = columns.len() - written.len();
        for cell in written.iter().chain(std::iter::repeat_n(&MaskedCell::BLANK, beyond)) {
            if cell.glyph == '\0' {
                continue;
            }
            self.style(cell.style);
            self.text.push(cell.glyph);
            if let Some(marks) = &cell.marks {
                self.text.extend(marks.iter().filter(|mark| **mark != '\0'));
            }
        }
    }

    /// A plain line (no escape sequences) with its masked ranges replaced, one mask for each column.
    pub(crate) fn line(&mut self, line: &str, verdicts: &Verdicts) {
        self.style(Style::PLAIN);
        let fits = verdicts.covers(line.len()) && verdicts.ranges().all(|range| line.get(range).is_some());
        if !fits {
            // A verdict about another line says nothing about this one.
            self.text.extend(line.chars().filter_map(mask_of));
            return;
        }
        let mut at = 0;
        for masked in verdicts.ranges() {
            self.readable(&line[at..masked.start]);
            self.text.extend(line[masked.clone()].chars().filter_map(mask_of));
            at = masked.end;
        }
        self.readable(&line[at..]);
    }

    fn readable(&mut self, text: &str) {
        if text.is_ascii() {
            self.text.push_str(text);
        } else {
            self.text.extend(text.chars().filter(|c| !hides_text(*c)));
        }
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.style(Style::PLAIN);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{note}");
    }

    pub(crate) fn newline(&mut self) {
        // The next row must not be filled with a background colour.
        self.style(Style::PLAIN);
        self.text.push_str("\r\n");
    }

    pub(crate) fn move_to(&mut self, row: usize, column: usize) {
        let _ = write!(self.text, "\x1b[{};{}H", row + 1, column + 1);
    }

    pub(crate) fn erase_to_end_of_line(&mut self) {
        self.style(Style::PLAIN);
        self.text.push_str("\x1b[K");
    }

    pub(crate) fn clear_screen(&mut self) {
        self.style(Style::PLAIN);
        self.text.push_str("\x1b[H\x1b[2J");
    }

    /// Whatever the reader's terminal had.
    pub(crate) fn reset_style(&mut self) {
        self.text.push_str("\x1b[0m");
        self.style = Style::PLAIN;
    }

    pub(crate) fn alternate_screen(&mut self, on: bool) {
        self.style(Style::PLAIN);
        self.text.push_str(if on { "\x1b[?1049h" } else { "\x1b[?1049l" });
    }

    pub(crate) fn show_cursor(&mut self, on: bool) {
        self.text.push_str(if on { "\x1b[?25h" } else { "\x1b[?25l" });
    }

    pub(crate) fn plain(&mut self) {
        self.style(Style::PLAIN);
    }

    #[inline]
    fn style(&mut self, style: Style) {
        if style != self.style {
            self.change_style(style);
        }
    }

    fn change_style(&mut self, style: Style) {
        self.text.push_str("\x1b[0");
        for (flag, code) in [
            (Flags::BOLD, ";1"),
            (Flags::DIM, ";2"),
            (Flags::ITALIC, ";3"),
            (Flags::ALL_UNDERLINES, ";4"),
            (Flags::INVERSE, ";7"),
            (Flags::HIDDEN, ";8"),
            (Flags::STRIKEOUT, ";9"),
        ] {
            if style.flags.intersects(flag) {
                self.text.push_str(code);
            }
        }
        colour(&mut self.text, style.fg, 30);
        colour(&mut self.text, style.bg, 40);
        self.text.push('m');
        self.style = style;
    }
}

/// SGR parameters of a colour (ECMA-48 8.3.117; 38/48 from ITU-T T.416 as xterm writes them). `base` is 30 or 40.
fn colour(text: &mut String, colour: Color, base: usize) {
    let _ = match colour {
        Color::Named(name) => match name as usize {
            n @ 0..=7 => write!(text, ";{}", base + n),
            n @ 8..=15 => write!(text, ";{}", base + 60 + n - 8),
            _ => Ok(()),
        },
        Color::Indexed(n) => write!(text, ";{};5;{n}", base + 8),
        Color::Spec(rgb) => write!(text, ";{};2;{};{};{}", base + 8, rgb.r, rgb.g, rgb.b),
    };
}

/// As many columns as the character has.
fn mask_of(c: char) -> Option<char> {
    match c {
        ' ' | '\t' => Some(c),
        _ => match unicode_width::UnicodeWidthChar::width(c) {
            Some(2) => Some(WIDE_MASK),
            Some(0) => None,
            _ => Some(MASK),
        },
    }
}

/// Characters that could carry text nobody sees (tag characters, bidi controls) or that a terminal would obey (C0, C1).
pub(crate) fn hides_text(c: char) -> bool {
    matches!(c as u32,
        0x00..=0x08 | 0x0a..=0x1f | 0x7f..=0x9f | 0xad | 0x61c | 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff
        | 0xfff9..=0xfffb | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff)
}
