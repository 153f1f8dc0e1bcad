//! Rows after classification, and in what they differ.

use std::{borrow::Cow, ops::Range};

use alacritty_terminal::term::cell::{Cell, Flags};

use super::{MASK, Note, Style, WIDE_MASK};
use crate::{
    classify::Verdicts,
    packed::PackedRow,
    row::{HALVES, Row, Styles},
    tap::MAX_MARKS,
};

/// Stands for [`MASK`] in a row of one byte a cell: no cell shows it.
pub(super) const MASKED: char = '\u{1}';

/// A screen row after classification. Trailing default blanks are not stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct MaskedRow(pub(super) Glyphs);

#[derive(Debug, Clone)]
pub(super) enum Glyphs {
    /// A byte a cell.
    Plain {
        text: String,
        styles: Styles,
    },
    Cells(Vec<MaskedCell>),
}

/// One cell after classification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MaskedCell {
    /// What is written; '\0' for the right half of a wide character.
    pub(super) glyph: char,
    pub(super) style: Style,
    /// Combining marks of a readable cell.
    pub(super) marks: Option<Box<[char; MAX_MARKS]>>,
}

impl Default for Glyphs {
    fn default() -> Self {
        Self::Plain { text: String::new(), styles: Styles::new() }
    }
}

impl MaskedRow {
    /// Joins a row with the verdicts of the logical line it is part of; `first_cell` is the row's offset in that line.
    pub(crate) fn classified(row: &Row, verdicts: &Verdicts, first_cell: usize) -> Self {
        match row {
            Row::Plain { text, styles } => {
                let mut shown = String::with_capacity(text.len());
                let mut at = 0;
                for masked in verdicts.masks_from(first_cell) {
                    let (start, end) = (masked.start.max(at).min(text.len()), masked.end.min(text.len()));
                    if start >= end {
                        break;
                    }
                    shown.push_str(&text[at..start]);
                    shown.extend(text[start..end].bytes().map(|byte| if byte == b' ' { ' ' } else { MASKED }));
                    at = end;
                }
                shown.push_str(&text[at..]);
                let styles = trimmed(&mut shown, styles);
                Self(Glyphs::Plain { text: shown, styles })
            }
            Row::Cells(cells) => Self(Glyphs::Cells(MaskedCell::row(cells, verdicts, first_cell))),
        }
    }

    /// Will a row be blank, whatever of it is masked?
    pub(crate) fn shows_nothing(row: &Row) -> bool {
        match row {
            Row::Plain { text, .. } if !text.bytes().all(|byte| byte == b' ') => false,
            Row::Plain { text, .. } if text.is_empty() => true,
            _ => Self::classified(row, &Verdicts::default(), 0).is_blank(),
        }
    }

    pub(crate) fn note(note: Note) -> Self {
        Self(Glyphs::Plain { text: note.to_string(), styles: Styles::new() })
    }

    /// The same row in less memory.
    pub(crate) fn pack(self) -> PackedMaskedRow {
        match self.0 {
            Glyphs::Plain { text, styles } => PackedMaskedRow::Plain(text.into(), styles.into()),
            Glyphs::Cells(cells) => {
                PackedMaskedRow::Cells(PackedRow::of(cells.into_iter().map(|cell| (cell.glyph, cell.style, cell.marks))))
            }
        }
    }

    /// Columns in which two rows differ.
    pub(crate) fn difference(&self, other: &Self) -> Option<Range<usize>> {
        if let (Glyphs::Plain { text, styles }, Glyphs::Plain { text: other, styles: others }) = (&self.0, &other.0)
            && styles == others
        {
            return differing_bytes(text.as_bytes(), other.as_bytes());
        }
        differing_cells(&self.cells(), &other.cells())
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.width() == 0
    }

    pub(crate) fn width(&self) -> usize {
        match &self.0 {
            Glyphs::Plain { text, .. } => text.len(),
            Glyphs::Cells(cells) => cells.len(),
        }
    }

    fn cells(&self) -> Cow<'_, [MaskedCell]> {
        match &self.0 {
            Glyphs::Cells(cells) => Cow::Borrowed(cells),
            Glyphs::Plain { text, styles } => {
                let mut styles = styles.iter().peekable();
                let style = |at: usize| {
                    styles.next_if(|(end, _)| *end <= at);
                    styles.peek().map_or(Style::PLAIN, |(_, style)| *style)
                };
                Cow::Owned((0..).map(style).zip(text.chars()).map(|(style, c)| MaskedCell::plain(c, style)).collect())
            }
        }
    }
}

/// A classified row that nobody looks at for a while. Made from one and made into one.
#[derive(Debug)]
pub(crate) enum PackedMaskedRow {
    Plain(Box<str>, Box<[(usize, Style)]>),
    Cells(PackedRow<Style, Box<[char; MAX_MARKS]>>),
}

impl PackedMaskedRow {
    pub(crate) fn unpack(self) -> MaskedRow {
        match self {
            Self::Plain(text, styles) => MaskedRow(Glyphs::Plain { text: text.into(), styles: styles.into() }),
            Self::Cells(packed) => {
                let mut cells = Vec::new();
                packed.for_each(|glyph, style, marks| cells.push(MaskedCell { glyph, style, marks }));
                MaskedRow(Glyphs::Cells(cells))
            }
        }
    }
}

impl MaskedCell {
    pub(super) const BLANK: Self = Self { glyph: ' ', style: Style::PLAIN, marks: None };

    fn plain(glyph: char, style: Style) -> Self {
        Self { glyph: if glyph == MASKED { MASK } else { glyph }, style, marks: None }
    }

    fn row(cells: &[Cell], verdicts: &Verdicts, first_cell: usize) -> Vec<Self> {
        let mut masks = verdicts.cursor(first_cell);
        let mut row: Vec<Self> = (first_cell..).zip(cells).map(|(at, cell)| Self::classified(cell, masks.masked(at))).collect();
        if cells.iter().any(|cell| cell.flags.intersects(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER)) {
            blank_lone_halves(&mut row, cells);
        }
        while row.last() == Some(&Self::BLANK) {
            row.pop();
        }
        row
    }

    /// The only way a grid cell becomes writable. `masked` comes from [`Verdicts`]; see [`MaskedRow::classified`].
    #[inline]
    fn classified(cell: &Cell, masked: bool) -> Self {
        let style = Style::of(cell);
        if cell.extra.is_none() && !cell.flags.intersects(HALVES) {
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

/// Cuts the blanks of no style at the end off `text`, and returns the styles of what stays.
fn trimmed(text: &mut String, styles: &Styles) -> Styles {
    let mut styles = styles.clone();
    loop {
        let start = match styles.as_slice() {
            [.., (_, last)] if *last != Style::PLAIN => return styles,
            [.., (start, _), _] => *start,
            _ => 0,
        };
        let kept = text[start..].trim_end_matches(' ').len();
        text.truncate(start + kept);
        match styles.last_mut() {
            Some((end, _)) if kept > 0 => *end = start + kept,
            Some(_) => {
                styles.pop();
                continue;
            }
            None => {}
        }
        return styles;
    }
}

/// Of two rows of one style, without trailing blanks.
fn differing_bytes(one: &[u8], other: &[u8]) -> Option<Range<usize>> {
    let (long, short) = if one.len() > other.len() { (one, other) } else { (other, one) };
    let same = long.iter().zip(short).position(|(one, other)| one != other);
    if long.len() > short.len() {
        let first = same.or_else(|| long[short.len()..].iter().position(|byte| *byte != b' ').map(|at| short.len() + at))?;
        return Some(first..long.len());
    }
    let last = long.iter().zip(short).rposition(|(one, other)| one != other)?;
    Some(same?..last + 1)
}

fn differing_cells(one: &[MaskedCell], other: &[MaskedCell]) -> Option<Range<usize>> {
    fn cell(row: &[MaskedCell], column: usize) -> &MaskedCell {
        row.get(column).unwrap_or(&MaskedCell::BLANK)
    }
    let width = one.len().max(other.len());
    let mut first = (0..width).find(|column| cell(one, *column) != cell(other, *column))?;
    let last = (first..width).rev().find(|column| cell(one, *column) != cell(other, *column))?;
    // A wide character is written or not as a whole.
    while first > 0 && (cell(one, first).glyph == '\0' || cell(other, first).glyph == '\0') {
        first -= 1;
    }
    let mut end = last + 1;
    while end < width && (cell(one, end).glyph == '\0' || cell(other, end).glyph == '\0') {
        end += 1;
    }
    Some(first..end)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn styled(text: &str, styles: &[(usize, bool)]) -> (Styles, String) {
        let bold = Style::of(&Cell { flags: Flags::BOLD, ..Cell::default() });
        (styles.iter().map(|(end, is)| (*end, if *is { bold } else { Style::PLAIN })).collect(), text.to_owned())
    }

    #[test]
    fn blanks_at_the_end_are_cut_unless_they_show_something() {
        for (text, styles, kept, left) in [
            ("ab   ", &[][..], "ab", &[][..]),
            ("   ", &[], "", &[]),
            ("ab   ", &[(1, true), (5, false)], "ab", &[(1, true), (2, false)]),
            ("a    ", &[(1, true), (5, false)], "a", &[(1, true)]),
            ("a    ", &[(3, true), (5, false)], "a  ", &[(3, true)]),
            ("     ", &[(5, false)], "", &[]),
        ] {
            let (styles, mut text) = styled(text, styles);
            let cut = trimmed(&mut text, &styles);
            assert_eq!((cut, text), styled(kept, left));
        }
    }

    #[test]
    fn rows_differ_where_their_cells_do() {
        let row = |(styles, text): (Styles, String)| MaskedRow(Glyphs::Plain { text, styles });
        let rows = [
            row(styled("", &[])),
            row(styled("abc", &[])),
            row(styled("abd", &[])),
            row(styled("   abc", &[])),
            row(styled("abc  x", &[])),
            row(styled("abc", &[(1, true), (3, false)])),
            row(styled("  c", &[(1, true), (3, false)])),
            row(styled("abc   ", &[(6, true)])),
        ];
        for one in &rows {
            for other in &rows {
                assert_eq!(one.difference(other), differing_cells(&one.cells(), &other.cells()), "{one:?} {other:?}");
            }
        }
    }
}
