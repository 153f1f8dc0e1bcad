//! The picture that people may see.

use crate::{Damage, Picture, PictureError, Rect, TileAt, TileError, encode_tiles};

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

/// **Invariant:** its pixels are copied from the desktop only where [`super::plan::Plan`] says that they were cleared.
#[derive(Debug)]
pub(super) struct Cleared(Picture);

impl Cleared {
    /// Averages everywhere: nothing was cleared yet.
    pub(super) fn new(raw: &Picture) -> Result<Self, PictureError> {
        let mut cleared = Self(Picture::new(raw.width(), raw.height())?);
        cleared.blur(raw, raw.area());
        Ok(cleared)
    }

    pub(super) fn tiles(&self, tiles: &[TileAt]) -> Result<Vec<MaskedTiles>, TileError> {
        Ok(encode_tiles(&self.0, tiles)?.into_iter().map(MaskedTiles).collect())
    }

    pub(super) fn all(&self) -> Result<Vec<MaskedTiles>, TileError> {
        self.tiles(&Damage::all(self.0.width(), self.0.height()).tiles().collect::<Vec<_>>())
    }

    /// Every square that `area` touches becomes its average.
    pub(super) fn blur(&mut self, raw: &Picture, area: Rect) {
        let whole = Rect::of_edges(
            u32::from(area.x / BLOCK * BLOCK),
            u32::from(area.y / BLOCK * BLOCK),
            area.right().next_multiple_of(BLOCK.into()),
            area.bottom().next_multiple_of(BLOCK.into()),
        )
        .intersection(&raw.area());
        for y in (whole.y..).step_by(BLOCK.into()).take_while(|y| u32::from(*y) < whole.bottom()) {
            for x in (whole.x..).step_by(BLOCK.into()).take_while(|x| u32::from(*x) < whole.right()) {
                let block = Rect::new(x, y, BLOCK, BLOCK).intersection(&raw.area());
                self.0.fill(block, average(raw, block));
            }
        }
    }
}

fn average(raw: &Picture, block: Rect) -> [u8; 3] {
    let mut sums = [0_u32; 3];
    for row in 0..block.height {
        for [r, g, b, _] in raw.row(block, row).as_chunks::<4>().0 {
            sums[0] += u32::from(*r);
            sums[1] += u32::from(*g);
            sums[2] += u32::from(*b);
        }
    }
    let count = u32::try_from(block.area()).unwrap_or(1).max(1);
    sums.map(|sum| u8::try_from(sum / count).unwrap_or(255))
}
