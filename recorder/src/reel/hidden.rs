//! Where the masked recording shows something else than what was there.
use crate::{
    desk::{Mosaic, pieces},
    film::{HiddenArea, HiddenHow},
};
use anteroom_picture::{PIXEL, TILE, Tiles};
use std::collections::{BTreeMap, BTreeSet};

/// Masking blurs in squares of this side.
const BLOCK: u16 = 16;

/// Two pictures, tile by tile.
pub(super) struct Hidden {
    pub(super) masked: Mosaic,
    /// Tiles that changed in either since they were compared.
    dirty: BTreeSet<(u16, u16)>,
    areas: BTreeMap<(u16, u16), Vec<HiddenArea>>,
}

impl Hidden {
    pub(super) fn new(masked: Mosaic) -> Self {
        Self { masked, dirty: BTreeSet::new(), areas: BTreeMap::new() }
    }

    /// A batch changed one of the two.
    pub(super) fn changed(&mut self, batch: &[u8]) {
        if let Ok((_, _, tiles)) = pieces(batch) {
            self.dirty.extend(tiles.into_iter().map(|(column, row, _)| (column, row)));
        }
    }

    /// Another size: nothing of what was known is true.
    pub(super) fn forget(&mut self) {
        self.dirty.clear();
        self.areas.clear();
    }

    /// Compares what changed; the whole list, when it is another one than before.
    pub(super) fn compare(&mut self, shown: &Mosaic) -> Option<Vec<HiddenArea>> {
        let mut other = false;
        for place in std::mem::take(&mut self.dirty) {
            let areas = self.tile(shown, place).unwrap_or_default();
            let before = if areas.is_empty() { self.areas.remove(&place) } else { self.areas.insert(place, areas.clone()) };
            other |= before.unwrap_or_default() != areas;
        }
        other.then(|| self.areas.values().flatten().copied().collect())
    }

    fn tile(&self, shown: &Mosaic, (column, row): (u16, u16)) -> Option<Vec<HiddenArea>> {
        if (shown.width, shown.height) != (self.masked.width, self.masked.height) {
            return None;
        }
        if shown.tile(column, row)? == self.masked.tile(column, row)? {
            return None;
        }
        let (was, is) = (pixels(shown, column, row)?, pixels(&self.masked, column, row)?);
        let (left, top) = (column * TILE, row * TILE);
        let (width, height) = ((shown.width - left).min(TILE), (shown.height - top).min(TILE));
        let mut areas: Vec<HiddenArea> = Vec::new();
        for y in (0..height).step_by(BLOCK.into()) {
            for x in (0..width).step_by(BLOCK.into()) {
                let (wide, high) = (BLOCK.min(width - x), BLOCK.min(height - y));
                let line = |picture: &[u8], line: u16| {
                    let start = (usize::from(y + line) * usize::from(width) + usize::from(x)) * PIXEL;
                    picture.get(start..start + usize::from(wide) * PIXEL).map(<[u8]>::to_vec)
                };
                if (0..high).all(|l| line(&was, l) == line(&is, l)) {
                    continue;
                }
                let black = (0..high).any(|l| {
                    let (was, is) = (line(&was, l).unwrap_or_default(), line(&is, l).unwrap_or_default());
                    let blackened = |(w, i): (&[u8; PIXEL], &[u8; PIXEL])| i[..3] == [0; 3] && w[..3] != [0; 3];
                    was.as_chunks::<PIXEL>().0.iter().zip(is.as_chunks::<PIXEL>().0).any(blackened)
                });
                let how = if black { HiddenHow::Black } else { HiddenHow::Blurred };
                match areas.last_mut() {
                    Some(a) if a.how == how && a.y == top + y && a.x + a.width == left + x => a.width += wide,
                    _ => areas.push(HiddenArea { x: left + x, y: top + y, width: wide, height: high, how }),
                }
            }
        }
        Some(areas)
    }
}

fn pixels(mosaic: &Mosaic, column: u16, row: u16) -> Option<Vec<u8>> {
    let batch = mosaic.one(column, row)?;
    Some(Tiles::decode(&batch).ok()?.tiles.into_iter().next()?.pixels)
}
