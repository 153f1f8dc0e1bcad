//! Reading text in pictures: what clearing needs of whoever can do that.

use crate::{Picture, Rect};

/// Regions of one call at most, and the pixels of all of them: what [`crate::Clearing`] keeps to.
pub const MAX_REGIONS: usize = 64;
pub const MAX_REGION_PIXELS: usize = 4 << 20;

/// A place to read.
#[derive(Debug, Clone, Copy)]
pub struct Region<'a> {
    pub picture: &'a Picture,
    /// Inside the picture, never empty.
    pub area: Rect,
}

impl Region<'_> {
    /// Its pixels in rows, three bytes each (red, green, blue): what goes behind the header of a binary PPM of this size.
    pub fn rgb(&self) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(self.area.area() * 3);
        for row in 0..self.area.height {
            rgb.extend(self.picture.row(self.area, row).as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]));
        }
        rgb
    }
}

/// A word that was read.
#[derive(Clone, PartialEq)]
pub struct Word {
    pub text: String,
    /// Around its letters, in pixels of the region's *picture* (not of the region).
    pub area: Rect,
    /// 0 to 100, as Tesseract counts.
    pub confidence: f32,
}

/// Place and confidence: the text may name anybody.
impl std::fmt::Debug for Word {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Word({:?}, {})", self.area, self.confidence)
    }
}

/// Why nothing was read. What was to be read stays blurred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OcrError {
    #[error("the reader of text in pictures is not there")]
    Unavailable,
    #[error("the reader of text in pictures took too long")]
    TimedOut,
    #[error("the reader of text in pictures ended early")]
    Died,
    #[error("the reader of text in pictures answered with something else than words")]
    Answer,
}

/// Reads text in pictures. Whoever implements it bounds time and memory.
pub trait Ocr: Send {
    /// The words of each region, in the order of the regions, each region's in the order they are read. At most [`MAX_REGIONS`] regions of
    /// together at most [`MAX_REGION_PIXELS`] pixels are asked for at once (one region alone may be larger, up to a whole picture's row of tiles).
    ///
    /// # Errors
    /// [`OcrError`]. No word of any of the regions is taken then.
    fn read(&mut self, regions: &[Region<'_>]) -> Result<Vec<Vec<Word>>, OcrError>;
}
