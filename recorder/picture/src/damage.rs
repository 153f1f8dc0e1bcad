//! Which tiles of a picture may have changed.

use crate::{
    Rect,
    tiles::{TILE, TileAt},
};

/// Tiles that were painted, as a set. A picture of the largest size has 4,096 of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Damage {
    columns: u16,
    rows: u16,
    tiles: Vec<bool>,
}

impl Damage {
    /// Nothing of a picture of this size.
    pub fn none(width: u16, height: u16) -> Self {
        let (columns, rows) = (width.div_ceil(TILE), height.div_ceil(TILE));
        Self { columns, rows, tiles: vec![false; usize::from(columns) * usize::from(rows)] }
    }

    /// All of a picture of this size.
    pub fn all(width: u16, height: u16) -> Self {
        let mut damage = Self::none(width, height);
        damage.tiles.fill(true);
        damage
    }

    /// Adds every tile that `area` touches.
    pub fn mark(&mut self, area: Rect) {
        if area.is_empty() {
            return;
        }
        let last =
            |end: u32, count: u16| u16::try_from(end.saturating_sub(1) / u32::from(TILE)).unwrap_or(u16::MAX).min(count.saturating_sub(1));
        for row in area.y / TILE..=last(area.bottom(), self.rows) {
            for column in area.x / TILE..=last(area.right(), self.columns) {
                self.mark_tile(TileAt { column, row });
            }
        }
    }

    pub fn mark_tile(&mut self, at: TileAt) {
        if at.column < self.columns
            && let Some(tile) = self.tiles.get_mut(usize::from(at.row) * usize::from(self.columns) + usize::from(at.column))
        {
            *tile = true;
        }
    }

    pub fn is_empty(&self) -> bool {
        !self.tiles.contains(&true)
    }

    pub fn has(&self, at: TileAt) -> bool {
        at.column < self.columns
            && self.tiles.get(usize::from(at.row) * usize::from(self.columns) + usize::from(at.column)).copied().unwrap_or(false)
    }

    /// The tiles, row by row.
    pub fn tiles(&self) -> impl Iterator<Item = TileAt> + '_ {
        let columns = usize::from(self.columns).max(1);
        self.tiles.iter().enumerate().filter(|(_, painted)| **painted).map(move |(at, _)| TileAt {
            column: u16::try_from(at % columns).unwrap_or(u16::MAX),
            row: u16::try_from(at / columns).unwrap_or(u16::MAX),
        })
    }
}
