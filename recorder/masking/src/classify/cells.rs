//! Where the cells of a line are.

use std::ops::Range;

/// Cells two blanks or more apart.
pub(super) fn gaps(line: &str) -> Vec<Range<usize>> {
    let mut cells: Vec<Range<usize>> = Vec::new();
    let mut blanks = 2;
    for (at, c) in line.char_indices() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        match cells.last_mut() {
            Some(last) if blanks < 2 => last.end = at + c.len_utf8(),
            _ => cells.push(at..at + c.len_utf8()),
        }
        blanks = 0;
    }
    cells
}

/// Cells of a header two blanks or more apart, in display columns.
pub(super) fn display_gaps(line: &str) -> Vec<Range<usize>> {
    let mut columns: Vec<Range<usize>> = Vec::new();
    let mut blanks = 2;
    for (at, c) in line.chars().enumerate() {
        if c == ' ' {
            blanks += 1;
            continue;
        }
        match columns.last_mut() {
            Some(last) if blanks < 2 => last.end = at + 1,
            _ => columns.push(at..at + 1),
        }
        blanks = 0;
    }
    columns
}

/// The byte where a display column begins (the line's end if it is shorter).
pub(super) fn byte_at(line: &str, column: usize) -> usize {
    if line.is_ascii() {
        return column.min(line.len());
    }
    let mut width = 0;
    for (at, c) in line.char_indices() {
        if width >= column {
            return at;
        }
        width += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
    }
    line.len()
}

/// Cells of a delimited line; a delimiter in double quotes is text (RFC 4180 section 2).
pub(super) fn delimited(line: &str, by: char) -> Vec<Range<usize>> {
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
