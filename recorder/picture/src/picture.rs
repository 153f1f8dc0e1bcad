//! A desktop's pixels.

use crate::Rect;

/// Widest and highest picture: what a client can ask for (MS-RDPBCGR 2.2.1.3.2, 8192 since RDP 8.1).
pub const MAX_SIDE: u16 = 8192;
/// Most pixels of a picture: two screens of 3840 x 2160 side by side. A picture is at most 64 MiB.
pub const MAX_PIXELS: usize = 1 << 24;
/// Bytes of a pixel: red, green, blue and one that means nothing (always 255).
pub const PIXEL: usize = 4;

/// Pixels in rows from the top, four bytes each: red, green, blue, 255.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u16,
    height: u16,
    pixels: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("a picture of {width} x {height} pixels is beyond 8192 x 8192 or 16 megapixels, or empty")]
    Size { width: u32, height: u32 },
}

/// Refuses what is empty or beyond the limits.
///
/// # Errors
/// [`PictureError::Size`].
pub(crate) fn checked_size(width: u32, height: u32) -> Result<(u16, u16), PictureError> {
    let refused = PictureError::Size { width, height };
    let (w, h) = (u16::try_from(width).map_err(|_| refused)?, u16::try_from(height).map_err(|_| refused)?);
    let fits = w > 0 && h > 0 && w <= MAX_SIDE && h <= MAX_SIDE && usize::from(w) * usize::from(h) <= MAX_PIXELS;
    if fits { Ok((w, h)) } else { Err(refused) }
}

impl Picture {
    /// A black picture.
    ///
    /// # Errors
    /// [`PictureError::Size`].
    pub fn new(width: u16, height: u16) -> Result<Self, PictureError> {
        checked_size(width.into(), height.into())?;
        let mut picture = Self { width, height, pixels: vec![0; usize::from(width) * usize::from(height) * PIXEL] };
        picture.fill(picture.area(), [0; 3]);
        Ok(picture)
    }

    pub fn width(&self) -> u16 {
        self.width
    }

    pub fn height(&self) -> u16 {
        self.height
    }

    /// All of it.
    pub fn area(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// One row of `area`, which is cut to the picture; empty below and beside it.
    pub fn row(&self, area: Rect, row: u16) -> &[u8] {
        self.range(area, row).and_then(|range| self.pixels.get(range)).unwrap_or_default()
    }

    pub(crate) fn row_mut(&mut self, area: Rect, row: u16) -> &mut [u8] {
        match self.range(area, row) {
            Some(range) => self.pixels.get_mut(range).unwrap_or_default(),
            None => &mut [],
        }
    }

    fn range(&self, area: Rect, row: u16) -> Option<std::ops::Range<usize>> {
        let area = area.intersection(&self.area());
        if row >= area.height {
            return None;
        }
        let start = ((usize::from(area.y) + usize::from(row)) * usize::from(self.width) + usize::from(area.x)) * PIXEL;
        Some(start..start + usize::from(area.width) * PIXEL)
    }

    /// Red, green, blue; black outside.
    pub fn at(&self, x: u16, y: u16) -> [u8; 3] {
        match self.row(Rect::new(x, y, 1, 1), 0) {
            [r, g, b, _] => [*r, *g, *b],
            _ => [0; 3],
        }
    }

    pub fn fill(&mut self, area: Rect, [r, g, b]: [u8; 3]) {
        for row in 0..area.intersection(&self.area()).height {
            self.row_mut(area, row).as_chunks_mut::<PIXEL>().0.fill([r, g, b, 255]);
        }
    }

    /// Copies rows of pixels to `area`; what lies outside the picture is left out. `stride` is the bytes from one row to the next.
    /// Rows that `source` does not have are not painted.
    pub fn paint(&mut self, area: Rect, source: &[u8], stride: usize) {
        let inside = area.intersection(&self.area());
        for row in 0..inside.height {
            let target = self.row_mut(inside, row);
            let start = usize::from(row) * stride;
            let Some(from) = source.get(start..start + target.len()) else { return };
            target.copy_from_slice(from);
            target.as_chunks_mut::<PIXEL>().0.iter_mut().for_each(|pixel| pixel[3] = 255);
        }
    }

    /// Copies a place of another picture to the same place here.
    pub fn copy_from(&mut self, other: &Self, area: Rect) {
        let area = area.intersection(&self.area()).intersection(&other.area());
        for row in 0..area.height {
            self.row_mut(area, row).copy_from_slice(other.row(area, row));
        }
    }
}

/// Sizes only: a picture may show anybody.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}
