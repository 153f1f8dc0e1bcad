//! The words that are on the screen, as far as they were read.

use crate::{Picture, Rect, Word};

/// Words of a screen at most; what goes beyond stays blurred.
pub(super) const MAX_WORDS: usize = 20_000;
/// Read less surely than this, a word stays blurred. Tesseract's own scale; see `tests/corpus.rs` for what it costs.
const SURE: f32 = 60.0;

/// A word where it was read. Its pixels are still those that were read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) word: Word,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not read surely enough, or not judged yet. It takes part in judging others, as what it seems to be.
    Unsure,
    /// It identifies somebody.
    Masked,
    /// It may be seen.
    Shown,
}

impl Known {
    pub(super) fn area(&self) -> Rect {
        self.word.area
    }

    pub(super) fn text(&self) -> &str {
        &self.word.text
    }

    /// Was it read surely, and does its place look like a place of this word?
    pub(super) fn is_sure(&self) -> bool {
        let Rect { width, height, .. } = self.word.area;
        let letters = u32::try_from(self.word.text.chars().count()).unwrap_or(u32::MAX);
        let (width, height) = (u32::from(width), u32::from(height));
        // From "ill" to "WWW": a word with more letters than its place can hold, or far fewer, was not read right.
        let fits = width * 8 >= letters * height && width <= letters.saturating_add(1) * height * 2;
        self.word.confidence >= SURE && fits && self.word.text.chars().any(char::is_alphanumeric)
    }
}

/// Are the pixels of a place, and those around it, the same in both?
pub(super) fn is_still(raw: &Picture, read: &Picture, area: Rect) -> bool {
    let area = area.padded(1, 1);
    (0..area.height).all(|row| raw.row(area, row) == read.row(area, row))
}

/// Forgets the words of the regions that are read anew, and any whose pixels are not those that were read.
pub(super) fn keep(words: &mut Vec<Known>, raw: &Picture, read: &Picture, anew: &[Rect]) {
    words.retain(|known| !anew.iter().any(|region| region.touches(&known.area())) && is_still(raw, read, known.area()));
}

/// Adds words of a region that was read. One that touches the region's border may have been cut there; the picture's own border cuts nothing.
pub(super) fn add(words: &mut Vec<Known>, found: &[Word], region: Rect, whole: Rect) {
    for word in found {
        let area = word.area;
        let cut = (area.x <= region.x && region.x > whole.x)
            || (area.y <= region.y && region.y > whole.y)
            || (area.right() >= region.right() && region.right() < whole.right())
            || (area.bottom() >= region.bottom() && region.bottom() < whole.bottom());
        if cut || words.len() >= MAX_WORDS {
            continue;
        }
        // Regions of one reading may overlap: of two readings of one place the less sure counts.
        let mut twice = false;
        for known in words.iter_mut().filter(|known| known.area().touches(&area)) {
            let both = known.area().intersection(&area).area();
            if both * 2 >= area.area().min(known.area().area()) {
                twice = true;
                if known.word.text != word.text {
                    known.word.confidence = 0.0;
                    known.word.area = known.area().union(&area);
                }
            }
        }
        if !twice {
            words.push(Known { word: word.clone(), state: State::Unsure });
        }
    }
}
