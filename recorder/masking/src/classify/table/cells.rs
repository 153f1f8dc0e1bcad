//! The cells of a line, and where columns of a screen are in it.

use std::ops::Range;

/// Two blanks. Looked for in every line: made once.
pub(in crate::classify) static GAP: std::sync::LazyLock<memchr::memmem::Finder<'static>> =
    std::sync::LazyLock::new(|| memchr::memmem::Finder::new("  "));

/// The first byte from `at` on that is no blank.
pub(in crate::classify) fn blanks(bytes: &[u8], at: usize) -> usize {
    at + bytes[at..].iter().take_while(|b| **b == b' ').count()
}

/// Cells two blanks or more apart, at most so many.
pub(in crate::classify) fn gaps(line: &str, most: usize) -> Vec<Range<usize>> {
    let bytes = line.as_bytes();
    let mut cells: Vec<Range<usize>> = Vec::new();
    let mut at = blanks(bytes, 0);
    while at < bytes.len() && cells.len() < most {
        let end = GAP.find(&bytes[at..]).map_or_else(|| line.trim_end_matches(' ').len(), |gap| at + gap);
        cells.push(at..end);
        at = blanks(bytes, end);
    }
    cells
}

/// Leads from display columns to bytes.
#[derive(Clone, Copy)]
pub(super) struct Ruler<'a> {
    pub(super) line: &'a str,
    is_ascii: bool,
}

impl<'a> Ruler<'a> {
    pub(super) fn of(line: &'a str) -> Self {
        Self { line, is_ascii: line.is_ascii() }
    }

    /// The byte where a display column begins (the line's end if it is shorter).
    pub(super) fn byte_at(self, column: usize) -> usize {
        if self.is_ascii {
            return column.min(self.line.len());
        }
        let mut width = 0;
        for (at, c) in self.line.char_indices() {
            if width >= column {
                return at;
            }
            width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        }
        self.line.len()
    }

    pub(super) fn has_bar(self, column: usize) -> bool {
        let at = self.byte_at(column);
        self.line.as_bytes().get(at) == Some(&b'|') || self.line[at..].starts_with(['│', '┃'])
    }
}

/// Cells of a delimited line; a delimiter in double quotes is text (RFC 4180 section 2).
pub(in crate::classify) fn delimited(line: &str, by: char) -> Vec<Range<usize>> {
    let mut quoted = false;
    pieces(line, |c| {
        quoted ^= c == '"';
        c == by && !quoted
    })
}

pub(super) fn pieces(line: &str, mut is_end: impl FnMut(char) -> bool) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices() {
        if is_end(c) {
            cells.push(start..at);
            start = at + c.len_utf8();
        }
    }
    cells.push(start..line.len());
    cells
}
