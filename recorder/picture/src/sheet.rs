//! Regions as one sheet for an OCR program, and its answer back to them.
//!
//! Letters of a screen are 8 to 16 pixels high, and Tesseract was taught letters of some 30: the sheet is an enlargement, in grey. All regions
//! lie below each other on it, so that one run of the program reads all of them.

use crate::{OcrError, Rect, Region, Word};

/// How much larger than the screen.
const SCALE: usize = 3;
/// White around each region, in the sheet's pixels.
const MARGIN: usize = 24;
/// Words of one answer at most, and letters of a word.
const MAX_WORDS: usize = 65_536;
const MAX_LETTERS: usize = 256;

/// An image of grey, one byte a pixel.
pub struct Sheet {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
    /// Where each region is, and its place in the picture.
    places: Vec<(usize, Rect)>,
}

impl Sheet {
    /// At most some 40 MB for [`crate::MAX_REGION_PIXELS`].
    pub fn of(regions: &[Region<'_>]) -> Self {
        let width = regions.iter().map(|region| usize::from(region.area.width)).max().unwrap_or(0) * SCALE + 2 * MARGIN;
        let mut sheet = Self { width, height: MARGIN, pixels: vec![255; width * MARGIN], places: Vec::with_capacity(regions.len()) };
        for region in regions {
            sheet.places.push((sheet.height, region.area));
            sheet.add(region);
        }
        sheet
    }

    /// A binary PGM file of the whole sheet.
    pub fn pgm(&self) -> Vec<u8> {
        let mut file = format!("P5\n{} {}\n255\n", self.width, self.height).into_bytes();
        file.extend_from_slice(&self.pixels);
        file
    }

    fn add(&mut self, region: &Region<'_>) {
        let area = region.area;
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let grey: Vec<Vec<u8>> = (0..area.height)
            .map(|row| region.picture.row(area, row).as_chunks::<4>().0.iter().map(|[r, g, b, _]| luminance(*r, *g, *b)).collect())
            .collect();
        for y in 0..height * SCALE {
            let (above, below, down) = between(y, height);
            let row_at = self.pixels.len() + MARGIN;
            self.pixels.resize(self.pixels.len() + self.width, 255);
            let (Some(above), Some(below)) = (grey.get(above), grey.get(below)) else { continue };
            for x in 0..width * SCALE {
                let (left, right, along) = between(x, width);
                let mix = |row: &[u8]| {
                    let (left, right) = (row.get(left).copied().unwrap_or(255), row.get(right).copied().unwrap_or(255));
                    u32::from(left) * (STEPS - along) + u32::from(right) * along
                };
                let value = (mix(above) * (STEPS - down) + mix(below) * down) / (STEPS * STEPS);
                if let Some(pixel) = self.pixels.get_mut(row_at + x) {
                    *pixel = u8::try_from(value).unwrap_or(255);
                }
            }
        }
        self.height += height * SCALE + MARGIN;
        self.pixels.resize(self.width * self.height, 255);
    }

    /// Takes what `tesseract - - tsv` wrote: a line for each word, with its place on the sheet. Words that lie on no region, or on the border of
    /// two, are left out.
    ///
    /// # Errors
    /// [`OcrError::Answer`] for anything else.
    pub fn words(&self, tsv: &str) -> Result<Vec<Vec<Word>>, OcrError> {
        const WORD: &str = "5";
        let mut words: Vec<Vec<Word>> = vec![Vec::new(); self.places.len()];
        let mut lines = tsv.lines();
        if !lines.next().is_some_and(|header| header.starts_with("level\t")) {
            return Err(OcrError::Answer);
        }
        for line in lines.take(MAX_WORDS) {
            let fields: Vec<&str> = line.splitn(12, '\t').collect();
            let [level, _, _, _, _, _, left, top, width, height, confidence, text] = fields[..] else { return Err(OcrError::Answer) };
            if level != WORD || text.trim().is_empty() {
                continue;
            }
            let number = |field: &str| field.parse::<usize>().map_err(|_| OcrError::Answer);
            let (left, top, width, height) = (number(left)?, number(top)?, number(width)?, number(height)?);
            let confidence = confidence.parse::<f32>().map_err(|_| OcrError::Answer)?;
            if let Some((region, area)) = self.place(left, top, width, height) {
                let text = text.trim().chars().take(MAX_LETTERS).collect();
                words[region].push(Word { text, area, confidence });
            }
        }
        Ok(words)
    }

    /// The region and the place in the picture of a place on the sheet.
    fn place(&self, left: usize, top: usize, width: usize, height: usize) -> Option<(usize, Rect)> {
        let region = self.places.partition_point(|(start, _)| *start <= top + height / 2).checked_sub(1)?;
        let (start, area) = *self.places.get(region)?;
        let down = |value: usize| u32::try_from(value / SCALE).ok();
        let up = |value: usize| u32::try_from(value.div_ceil(SCALE)).ok();
        let (x, y) = (u32::from(area.x), u32::from(area.y));
        let found = Rect::of_edges(
            x + down(left.saturating_sub(MARGIN))?,
            y + down(top.saturating_sub(start))?,
            x + up((left + width).saturating_sub(MARGIN))?,
            y + up((top + height).saturating_sub(start))?,
        )
        .intersection(&area);
        (!found.is_empty()).then_some((region, found))
    }
}

const STEPS: u32 = 2 * SCALE as u32;

/// For a pixel of the enlargement: the two of the original it lies between, and how near to the second, in [`STEPS`].
fn between(at: usize, count: usize) -> (usize, usize, u32) {
    // Centres of pixels, in halves of the enlargement's: the first original's lies at SCALE.
    let centre = (2 * at + 1).saturating_sub(SCALE);
    let first = (centre / (2 * SCALE)).min(count.saturating_sub(1));
    let along = if 2 * at + 1 < SCALE { 0 } else { centre % (2 * SCALE) };
    (first, (first + 1).min(count.saturating_sub(1)), u32::try_from(along).unwrap_or(0))
}

fn luminance(r: u8, g: u8, b: u8) -> u8 {
    ((u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29) >> 8) as u8
}

/// Sizes only.
impl std::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sheet({} x {}, {} regions)", self.width, self.height, self.places.len())
    }
}
