//! Ink that looks like writing and was not read: what it says about the words beside it is not known.

use super::words::Known;
use crate::{Picture, Rect};

/// Side of the squares that ink is looked for in, in pixels.
const CELL: u16 = 8;
/// Neighbours differ by more than this where there is ink.
const INK: u8 = 16;
/// Writing is so high at most and so wide at least. Icons are about as wide as high.
const MAX_HEIGHT: u16 = 56;
const MIN_WIDTH: u16 = 24;

/// Places with unread writing, some pixels too large.
pub(super) fn places(raw: &Picture, words: &[Known]) -> Vec<Rect> {
    let (columns, rows) = (usize::from(raw.width().div_ceil(CELL)), usize::from(raw.height().div_ceil(CELL)));
    let covered = covered(raw, words);
    let mut inked: Vec<bool> = (0..columns * rows)
        .map(|at| {
            let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX).saturating_mul(CELL);
            has_writing(raw, &covered, Rect::new(place(at % columns), place(at / columns), CELL, CELL))
        })
        .collect();
    let mut places = Vec::new();
    let mut next = Vec::new();
    for start in 0..inked.len() {
        if !std::mem::take(&mut inked[start]) {
            continue;
        }
        next.push(start);
        let (mut area, mut cells) = (Rect::default(), 0);
        while let Some(at) = next.pop() {
            cells += 1;
            let (column, row) = (at % columns, at / columns);
            let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX).saturating_mul(CELL);
            area = area.union(&Rect::new(place(column), place(row), CELL, CELL));
            // Letters of a word are near each other, words of a line two squares at most.
            for (dx, dy) in [(-2_isize, 0), (-1, 0), (1, 0), (2, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)] {
                let (Some(x), Some(y)) = (column.checked_add_signed(dx), row.checked_add_signed(dy)) else { continue };
                if x < columns && y < rows && std::mem::take(&mut inked[y * columns + x]) {
                    next.push(y * columns + x);
                }
            }
        }
        let line = area.height <= MAX_HEIGHT && area.width * 2 >= area.height * 3;
        // Lines that lean leave most of their place empty; pictures do not.
        let leans = cells * usize::from(CELL * CELL) * 3 < area.area();
        if area.width >= MIN_WIDTH && (line || leans) {
            places.push(area);
        }
    }
    places
}

/// Pixels of words, a byte each.
fn covered(raw: &Picture, words: &[Known]) -> Vec<bool> {
    let width = usize::from(raw.width());
    let mut covered = vec![false; raw.area().area()];
    for known in words.iter().filter(|known| known.is_sure()) {
        let area = known.area().padded(2, 2).intersection(&raw.area());
        for row in usize::from(area.y)..usize::from(area.y) + usize::from(area.height) {
            let start = row * width + usize::from(area.x);
            covered[start..start + usize::from(area.width)].fill(true);
        }
    }
    covered
}

/// Edges both across and down, which straight lines have not.
fn has_writing(raw: &Picture, covered: &[bool], cell: Rect) -> bool {
    let cell = cell.intersection(&raw.area());
    let (mut across, mut down) = (false, false);
    let mut above: &[[u8; 4]] = &[];
    for row in 0..cell.height {
        let pixels = raw.row(cell, row).as_chunks::<4>().0;
        let start = (usize::from(cell.y) + usize::from(row)) * usize::from(raw.width()) + usize::from(cell.x);
        let free = |at: usize| !covered.get(start + at).copied().unwrap_or(true);
        across |= (1..pixels.len()).any(|at| free(at) && free(at - 1) && differ(&pixels[at], &pixels[at - 1]));
        down |= (0..above.len()).any(|at| free(at) && differ(&pixels[at], &above[at]));
        above = pixels;
    }
    across && down
}

fn differ(one: &[u8; 4], two: &[u8; 4]) -> bool {
    (0..3).any(|channel| one[channel].abs_diff(two[channel]) > INK)
}

/// Could what is unread say what this word is: a label before or above it, or the rest of it?
pub(super) fn is_near(places: &[Rect], word: Rect) -> bool {
    let height = u32::from(word.height);
    let (x, y) = (u32::from(word.x), u32::from(word.y));
    places.iter().any(|place| {
        let beside = place.bottom() > y + height / 3 && u32::from(place.y) + height / 3 < word.bottom();
        let before = beside && u32::from(place.x) < x && x <= place.right() + height * 25;
        let behind = beside && u32::from(place.x) + height / 2 >= word.right() && u32::from(place.x) <= word.right() + height / 2;
        let over = place.right() > x && u32::from(place.x) < word.right();
        let above = over && u32::from(place.y) < y && y <= place.bottom() + height * 40;
        before || behind || above
    })
}
