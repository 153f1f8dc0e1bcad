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
    /// It stands upright: what leans is read as if it did not, next to words that are not beside it.
    pub(super) level: bool,
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

    /// Letters and digits.
    pub(super) fn letters(&self) -> usize {
        self.word.text.chars().filter(|c| c.is_alphanumeric()).count()
    }

    /// Was it read surely, and does its place look like a place of this word?
    pub(super) fn is_sure(&self) -> bool {
        let Rect { width, height, .. } = self.word.area;
        let letters = u32::try_from(self.word.text.chars().count()).unwrap_or(u32::MAX);
        let (width, height) = (u32::from(width), u32::from(height));
        // From "ill" to "WWW": a word with more letters than its place can hold, or far fewer, was not read right.
        let fits = width * 8 >= letters * height && width <= letters.saturating_add(1) * height * 2;
        self.word.confidence >= SURE && fits && self.level && self.word.text.chars().any(char::is_alphanumeric)
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
pub(super) fn add(words: &mut Vec<Known>, found: &[Word], region: Rect, raw: &Picture) {
    let whole = raw.area();
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
            words.push(Known { level: is_level(raw, word), word: word.clone(), state: State::Unsure });
        }
    }
}

/// Does the ink of a word go neither up nor down along it? Letters differ by a fifth of their height; a word that leans by some degrees goes through
/// most of the place it was read at.
fn is_level(raw: &Picture, word: &Word) -> bool {
    let area = word.area.intersection(&raw.area());
    if word.text.chars().count() < 4 || area.height < 4 {
        return true;
    }
    let ground = ground(raw, area);
    // By least squares: how far the middle of the ink moves from the first to the last column.
    let (mut count, mut xs, mut ys, mut xx, mut xy) = (0.0_f64, 0.0, 0.0, 0.0, 0.0);
    for row in 0..area.height {
        for (column, pixel) in raw.row(area, row).as_chunks::<4>().0.iter().enumerate() {
            let ink: u16 = (0..3).map(|channel| u16::from(pixel[channel].abs_diff(ground[channel]))).sum();
            if ink > 96 {
                let (x, y) = (column as f64, f64::from(row));
                (count, xs, ys, xx, xy) = (count + 1.0, xs + x, ys + y, xx + x * x, xy + x * y);
            }
        }
    }
    let spread = count * xx - xs * xs;
    if spread <= 0.0 {
        return true;
    }
    let slope = (count * xy - xs * ys) / spread;
    (slope * f64::from(area.width)).abs() < f64::from(area.height) * 0.4
}

/// The colour most of the place's border has.
fn ground(raw: &Picture, area: Rect) -> [u8; 3] {
    let mut corners = [
        raw.at(area.x, area.y),
        raw.at(area.x + area.width - 1, area.y),
        raw.at(area.x, area.y + area.height - 1),
        raw.at(area.x + area.width - 1, area.y + area.height - 1),
        raw.at(area.x.saturating_sub(1), area.y.saturating_sub(1)),
    ];
    corners.sort_unstable();
    corners[2]
}
