//! Which pixels may be seen.
//!
//! A pixel is copied only when it belongs to a word that was read and may be shown, or to a square with nothing in it
//! but such words, plain ground, slow gradients, and a few long straight lines.

use super::{
    cleared::BLOCK,
    words::{Known, State},
};
use crate::{Damage, Picture, Rect, TileAt, Zone};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(super) enum Mark {
    /// Nothing is known of it.
    #[default]
    None,
    /// Of a word that may be seen.
    Word,
    /// Of a word that was not read surely.
    Unsure,
    /// Of a word that identifies somebody, or of an operator's zone.
    Black,
}

/// Neighbours that differ by more than this in a colour have an edge between them. A slow gradient goes by one or two.
const EDGE: u8 = 2;
/// A square's plain ground has no more difference in it: faint writing would have.
const GROUND: u8 = 40;
/// A line is straight when it goes on beyond the square for this long, to both sides. Letters with such strokes are some 100 pixels high.
const LINE_BEYOND: u16 = 32;
/// Edges across straight lines in a square: a line has two, a bevelled border three.
const MAX_EDGES: usize = 3;
/// Edges across them in the square and this far to both sides of it: bar codes have more, of bars (which stand) or of lines of a table (which lie).
const CODE_BEYOND: u16 = 48;
const MAX_EDGES_OF_BARS: usize = 8;
const MAX_EDGES_OF_LINES: usize = 14;

/// A mark for each pixel of a picture: as many bytes as pixels.
#[derive(Debug)]
pub(super) struct Plan {
    width: u16,
    height: u16,
    marks: Vec<Mark>,
}

impl Plan {
    pub(super) fn of(whole: Rect, words: &[Known], zones: &[Zone]) -> Self {
        let mut plan = Self { width: whole.width, height: whole.height, marks: vec![Mark::None; whole.area()] };
        let of = |state: State| words.iter().filter(move |known| known.state == state).map(Known::area);
        of(State::Shown).for_each(|area| plan.mark(area.padded(1, 1), Mark::Word));
        // Letters reach out of the places that are reported for them.
        of(State::Unsure).for_each(|area| plan.mark(area.padded(2, 2), Mark::Unsure));
        of(State::Masked).for_each(|area| plan.mark(area.padded(2 + area.height / 5, 2 + area.height / 6), Mark::Black));
        zones.iter().for_each(|zone| plan.mark(*zone, Mark::Black));
        plan
    }

    fn mark(&mut self, area: Rect, mark: Mark) {
        let area = area.intersection(&Rect::new(0, 0, self.width, self.height));
        for row in 0..area.height {
            let start = (usize::from(area.y) + usize::from(row)) * usize::from(self.width) + usize::from(area.x);
            if let Some(marks) = self.marks.get_mut(start..start + usize::from(area.width)) {
                marks.fill(mark);
            }
        }
    }

    /// Marks the tiles whose pixels have another fate than in a plan before, and those beside them, whose lines may go on there.
    pub(super) fn changes(&self, before: &Self, damage: &mut Damage) {
        if before.marks.len() != self.marks.len() || before.width != self.width {
            *damage = Damage::all(self.width, self.height);
            return;
        }
        let whole = Rect::new(0, 0, self.width, self.height);
        let changed: Vec<TileAt> = Damage::all(self.width, self.height)
            .tiles()
            .filter(|at| {
                let area = at.area(whole);
                damage.has(*at) || (0..area.height).any(|row| self.row(area, row) != before.row(area, row))
            })
            .collect();
        for at in changed {
            damage.mark(at.area(whole).padded(LINE_BEYOND.max(CODE_BEYOND) + 1, LINE_BEYOND.max(CODE_BEYOND) + 1).intersection(&whole));
        }
    }

    pub(super) fn fits(&self, whole: Rect) -> bool {
        (self.width, self.height) == (whole.width, whole.height)
    }

    pub(super) fn row(&self, area: Rect, row: u16) -> &[Mark] {
        let area = area.intersection(&Rect::new(0, 0, self.width, self.height));
        let start = (usize::from(area.y) + usize::from(row)) * usize::from(self.width) + usize::from(area.x);
        if row < area.height { self.marks.get(start..start + usize::from(area.width)).unwrap_or_default() } else { &[] }
    }

    /// Is there nothing in a square besides words that may be seen?
    pub(super) fn is_plain(&self, raw: &Picture, block: Rect) -> bool {
        let around = block.padded(1, 1).intersection(&raw.area());
        let (mut across, mut down) = (false, false);
        let (mut least, mut most) = ([255_u8; 3], [0_u8; 3]);
        let mut above: (&[[u8; 4]], &[Mark]) = (&[], &[]);
        for row in 0..around.height {
            let pixels = raw.row(around, row).as_chunks::<4>().0;
            let marks = self.row(around, row);
            for (at, (pixel, mark)) in pixels.iter().zip(marks).enumerate() {
                match mark {
                    Mark::Word | Mark::Black => continue,
                    Mark::None => {}
                    Mark::Unsure => return false,
                }
                for channel in 0..3 {
                    least[channel] = least[channel].min(pixel[channel]);
                    most[channel] = most[channel].max(pixel[channel]);
                }
                if let (Some(next), Some(Mark::None)) = (pixels.get(at + 1), marks.get(at + 1)) {
                    across |= differ(pixel, next);
                }
                if let (Some(over), Some(Mark::None)) = (above.0.get(at), above.1.get(at)) {
                    down |= differ(pixel, over);
                }
            }
            above = (pixels, marks);
        }
        match (across, down) {
            (false, false) => (0..3).all(|channel| most[channel].saturating_sub(least[channel]) <= GROUND),
            // Only edges between rows: lines from left to right.
            (false, true) => self.has_few_lines(raw, around.padded(LINE_BEYOND, 0), true) && !self.is_code(raw, block, true),
            (true, false) => self.has_few_lines(raw, around.padded(0, LINE_BEYOND), false) && !self.is_code(raw, block, false),
            (true, true) => false,
        }
    }

    /// Do all rows (or columns) of `area` stay the same along their length, and are few of them different from the one before?
    fn has_few_lines(&self, raw: &Picture, area: Rect, horizontal: bool) -> bool {
        let area = area.intersection(&raw.area());
        let (lines, length) = if horizontal { (area.height, area.width) } else { (area.width, area.height) };
        if length < BLOCK + LINE_BEYOND {
            return false;
        }
        let pixel = |line: u16, along: u16| {
            let (x, y) = if horizontal { (area.x + along, area.y + line) } else { (area.x + line, area.y + along) };
            let one = Rect::new(x, y, 1, 1);
            Some((raw.row(one, 0).first_chunk::<4>()?, *self.row(one, 0).first()?))
        };
        let mut edges = 0;
        let mut last: Option<&[u8; 4]> = None;
        for line in 0..lines {
            let Some((first, _)) = pixel(line, 0) else { return false };
            for along in 1..length {
                match (pixel(line, along - 1), pixel(line, along)) {
                    (Some((one, Mark::None)), Some((two, Mark::None))) if differ(one, two) => return false,
                    _ => {}
                }
            }
            edges += usize::from(last.is_some_and(|last| differ(last, first)));
            last = Some(first);
        }
        edges <= MAX_EDGES
    }

    /// Are there as many lines around the square as in a bar code?
    fn is_code(&self, raw: &Picture, block: Rect, lying: bool) -> bool {
        let (x, y) = (block.x + block.width / 2, block.y + block.height / 2);
        let across = if lying {
            Rect { x, width: 1, ..block.padded(0, CODE_BEYOND) }
        } else {
            Rect { y, height: 1, ..block.padded(CODE_BEYOND, 0) }
        };
        let across = across.intersection(&raw.area());
        let mut edges = 0;
        let mut last: Option<(&[u8; 4], Mark)> = None;
        for row in 0..across.height {
            for (pixel, mark) in raw.row(across, row).as_chunks::<4>().0.iter().zip(self.row(across, row)) {
                if let Some((before, Mark::None)) = last
                    && *mark == Mark::None
                    && differ(before, pixel)
                {
                    edges += 1;
                }
                last = Some((pixel, *mark));
            }
        }
        edges > if lying { MAX_EDGES_OF_LINES } else { MAX_EDGES_OF_BARS }
    }
}

fn differ(one: &[u8; 4], two: &[u8; 4]) -> bool {
    (0..3).any(|channel| one[channel].abs_diff(two[channel]) > EDGE)
}
