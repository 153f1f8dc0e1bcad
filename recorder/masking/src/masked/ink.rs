//! The only thing that writes masked text.

use std::{fmt::Write as _, ops::Range};

use super::{
    MASK, MaskedText, Modes, Note, Style, hides_text, mask_of,
    row::{Glyphs, MASKED, MaskedCell, MaskedRow},
    style::number,
};
use crate::classify::Verdicts;

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
        let end = columns.end.min(row.width());
        let start = columns.start.min(end);
        match &row.0 {
            Glyphs::Plain { text, styles } if styles.is_empty() => {
                if start < end {
                    self.style(Style::PLAIN);
                    self.glyphs(&text[start..end]);
                }
            }
            Glyphs::Plain { text, styles } => {
                let mut at = start;
                for (stop, style) in styles {
                    let stop = (*stop).min(end);
                    if at < stop {
                        self.style(*style);
                        self.glyphs(&text[at..stop]);
                        at = stop;
                    }
                }
            }
            Glyphs::Cells(cells) => cells[start..end].iter().for_each(|cell| self.cell(cell)),
        }
        for _ in end.max(columns.start)..columns.end {
            self.cell(&MaskedCell::BLANK);
        }
    }

    /// A part of a row of one style.
    fn glyphs(&mut self, text: &str) {
        let mut rest = text;
        while let Some(masked) = memchr::memchr(MASKED as u8, rest.as_bytes()) {
            self.text.push_str(&rest[..masked]);
            let count = rest[masked..].bytes().take_while(|byte| *byte == MASKED as u8).count();
            self.masks(count);
            rest = &rest[masked + count..];
        }
        self.text.push_str(rest);
    }

    fn masks(&mut self, count: usize) {
        const MANY: &str = "████████████████████████████████";
        let mut left = count * MASK.len_utf8();
        while left > 0 {
            let now = left.min(MANY.len());
            self.text.push_str(&MANY[..now]);
            left -= now;
        }
    }

    fn cell(&mut self, cell: &MaskedCell) {
        if cell.glyph == '\0' {
            return;
        }
        self.style(cell.style);
        self.text.push(cell.glyph);
        if let Some(marks) = &cell.marks {
            self.text.extend(marks.iter().filter(|mark| **mark != '\0'));
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
            self.masked(&line[masked.clone()]);
            at = masked.end;
        }
        self.readable(&line[at..]);
    }

    fn masked(&mut self, text: &str) {
        if !text.is_ascii() {
            self.text.extend(text.chars().filter_map(mask_of));
            return;
        }
        for word in text.split_inclusive([' ', '\t']) {
            let blank = word.ends_with([' ', '\t']);
            self.masks(word.len() - usize::from(blank));
            if blank {
                self.text.push_str(&word[word.len() - 1..]);
            }
        }
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
        self.text.push_str("\x1b[");
        number(&mut self.text, row + 1);
        self.text.push(';');
        number(&mut self.text, column + 1);
        self.text.push('H');
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

    pub(crate) fn modes(&mut self, from: Modes, to: Modes) {
        from.change(to, &mut self.text);
    }

    pub(crate) fn bell(&mut self) {
        self.text.push('\x07');
    }

    /// What stood on the reader's terminal before goes to its scrollback; the screen is empty then.
    pub(crate) fn scroll_away(&mut self, rows: usize) {
        self.reset_style();
        self.text.push_str("\x1b[r");
        self.move_to(rows.saturating_sub(1), 0);
        (0..rows).for_each(|_| self.text.push_str("\r\n"));
        self.clear_screen();
    }

    pub(crate) fn plain(&mut self) {
        self.style(Style::PLAIN);
    }

    #[inline]
    fn style(&mut self, style: Style) {
        if style != self.style {
            style.write(&mut self.text);
            self.style = style;
        }
    }
}
