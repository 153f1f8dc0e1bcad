//! The picture that people may see.

use super::plan::{Mark, Plan};
use crate::{Damage, PIXEL, Picture, PictureError, Rect, TileAt, TileError, encode_tiles};

/// Side of the squares that stand for what was not cleared, in pixels. Two letters of ordinary text fit into one.
pub(super) const BLOCK: u16 = 16;

/// A batch of tiles for the masked track, as `encode_tiles` writes them. It cannot be made outside of this crate, and inside of it only from a
/// cleared picture:
///
/// ```compile_fail
/// let leak = anteroom_picture::MaskedTiles(vec![1, 2, 3]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedTiles(Vec<u8>);

impl MaskedTiles {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Steps of a colour in an average. Averages as they are could tell which letters they were made of, to somebody who tries all letters.
const STEP: u8 = 32;

/// **Invariant:** its pixels are copied from the desktop only where a [`Plan`] says that they were cleared.
#[derive(Debug)]
pub(super) struct Cleared(Picture);

impl Cleared {
    /// Black: nothing was painted yet.
    pub(super) fn new(raw: &Picture) -> Result<Self, PictureError> {
        Picture::new(raw.width(), raw.height()).map(Self)
    }

    pub(super) fn tiles(&self, tiles: &[TileAt]) -> Result<Vec<MaskedTiles>, TileError> {
        Ok(encode_tiles(&self.0, tiles)?.into_iter().map(MaskedTiles).collect())
    }

    pub(super) fn all(&self) -> Result<Vec<MaskedTiles>, TileError> {
        self.tiles(&Damage::all(self.0.width(), self.0.height()).tiles().collect::<Vec<_>>())
    }

    /// Paints a tile by the plan. Says whether it looks different now.
    pub(super) fn paint(&mut self, raw: &Picture, plan: &Plan, at: TileAt) -> bool {
        let area = at.area(raw.area());
        if area.is_empty() || !plan.fits(raw.area()) || self.0.area() != raw.area() {
            return false;
        }
        let before: Vec<u8> = (0..area.height).flat_map(|row| self.0.row(area, row)).copied().collect();
        for y in (area.y..).step_by(BLOCK.into()).take_while(|y| u32::from(*y) < area.bottom()) {
            for x in (area.x..).step_by(BLOCK.into()).take_while(|x| u32::from(*x) < area.right()) {
                self.block(raw, plan, Rect::new(x, y, BLOCK, BLOCK).intersection(&area));
            }
        }
        let stride = usize::from(area.width) * PIXEL;
        (0..area.height).any(|row| before.get(usize::from(row) * stride..(usize::from(row) + 1) * stride) != Some(self.0.row(area, row)))
    }

    fn block(&mut self, raw: &Picture, plan: &Plan, block: Rect) {
        let plain = plan.is_plain(raw, block);
        let [r, g, b] = if plain { [0; 3] } else { average(raw, plan, block) };
        for row in 0..block.height {
            let source = raw.row(block, row).as_chunks::<PIXEL>().0;
            let marks = plan.row(block, row);
            let target = self.0.row_mut(block, row).as_chunks_mut::<PIXEL>().0;
            for ((target, source), mark) in target.iter_mut().zip(source).zip(marks) {
                *target = match mark {
                    Mark::Black => [0, 0, 0, 255],
                    Mark::Word => *source,
                    Mark::None if plain => *source,
                    Mark::None | Mark::Unsure => [r, g, b, 255],
                };
            }
        }
    }
}

/// The square's colour, roughly. What is black anyway does not count.
fn average(raw: &Picture, plan: &Plan, block: Rect) -> [u8; 3] {
    let mut sums = [0_u32; 3];
    let mut count = 0;
    for row in 0..block.height {
        for (pixel, mark) in raw.row(block, row).as_chunks::<PIXEL>().0.iter().zip(plan.row(block, row)) {
            if *mark != Mark::Black {
                (0..3).for_each(|channel| sums[channel] += u32::from(pixel[channel]));
                count += 1;
            }
        }
    }
    sums.map(|sum| {
        let mean = u8::try_from(sum.checked_div(count).unwrap_or(0)).unwrap_or(255);
        (mean / STEP * STEP).saturating_add(STEP / 2)
    })
}
