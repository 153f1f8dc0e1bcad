//! A picture in tiles of 64 x 64 pixels: which of them changed.

use crate::{Damage, Picture, Rect};

/// Side of a tile in pixels. Those at the right and the bottom may be smaller.
pub const TILE: u16 = 64;

/// A tile's place, counted in tiles from the left and the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileAt {
    pub column: u16,
    pub row: u16,
}

impl TileAt {
    /// Its pixels, cut at the picture's right and bottom edge; empty for a tile that lies outside.
    pub fn area(self, picture: Rect) -> Rect {
        let place = |at: u16| at.checked_mul(TILE);
        match (place(self.column), place(self.row)) {
            (Some(x), Some(y)) => Rect::new(x, y, TILE, TILE).intersection(&picture),
            _ => Rect::default(),
        }
    }
}

/// Remembers a picture (one more of its size in memory) and says which tiles of the next one are not the same.
#[derive(Debug, Default)]
pub struct Differ {
    last: Option<Picture>,
}

impl Differ {
    pub fn new() -> Self {
        Self::default()
    }

    /// The tiles among `damage` that differ from the picture of the last call; all tiles for the first picture and for one of another size.
    pub fn changed(&mut self, picture: &Picture, damage: &Damage) -> Vec<TileAt> {
        let fresh = self.last.as_ref().is_none_or(|last| last.area() != picture.area());
        if fresh {
            self.last = Some(picture.clone());
            return Damage::all(picture.width(), picture.height()).tiles().collect();
        }
        let Some(last) = &mut self.last else { return Vec::new() };
        let mut changed = Vec::new();
        for at in damage.tiles() {
            let area = at.area(picture.area());
            let same = (0..area.height).all(|row| last.row(area, row) == picture.row(area, row));
            if !same {
                last.copy_from(picture, area);
                changed.push(at);
            }
        }
        changed
    }
}
