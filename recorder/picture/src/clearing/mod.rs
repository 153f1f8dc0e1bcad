//! From the desktop's picture to one that people may see.

mod cleared;

use std::{collections::BTreeMap, sync::Arc};

use anteroom_masking::{MaskedText, RuleSet};

pub use cleared::MaskedTiles;

use self::cleared::Cleared;
use crate::{Damage, Ocr, OcrError, Picture, Rect, TileError, Tiles, Zone};

/// What may be seen since the last time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// In the order they have to be painted.
    pub tiles: Vec<MaskedTiles>,
    /// Lines of text that are on the screen now and were not before, for search. What was classified is masked in them.
    pub lines: Vec<Line>,
    /// Why nothing was read, when something was to be: it stays blurred until it changes.
    pub unread: Option<OcrError>,
}

/// A line of words as they stand on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: MaskedText,
    pub area: Rect,
}

/// Clears the picture of one channel.
///
/// It is given the sealed track's batches of tiles as they come ([`Clearing::take`]), may show at once what they are in outline
/// ([`Clearing::blurred`]), and shows what can be cleared when they are read ([`Clearing::settle`]), which takes as long as the [`Ocr`].
pub struct Clearing {
    rules: Arc<RuleSet>,
    zones: Vec<Zone>,
    raw: Option<Picture>,
    shown: Option<Cleared>,
    dirty: Damage,
}

impl Clearing {
    pub fn new(rules: Arc<RuleSet>, zones: Vec<Zone>) -> Self {
        Self { rules, zones, raw: None, shown: None, dirty: Damage::default() }
    }

    /// Takes a batch of the sealed track's tiles.
    ///
    /// # Errors
    /// [`TileError`]: it is none.
    pub fn take(&mut self, batch: &[u8]) -> Result<(), TileError> {
        let tiles = Tiles::decode(batch)?;
        if self.raw.as_ref().is_none_or(|raw| raw.width() != tiles.width || raw.height() != tiles.height) {
            self.dirty = Damage::none(tiles.width, tiles.height);
            self.shown = None;
        }
        tiles.paint(&mut self.raw)?;
        tiles.tiles.iter().for_each(|tile| self.dirty.mark_tile(tile.at));
        Ok(())
    }

    /// Is there nothing to settle?
    pub fn is_settled(&self) -> bool {
        self.dirty.is_empty()
    }

    /// What came since it was last asked, without reading it: what is new is averages. It stays to be settled.
    pub fn blurred(&mut self) -> Shown {
        let Some(raw) = &self.raw else { return Shown::default() };
        let tiles: Vec<_> = self.dirty.tiles().collect();
        let shown = match &mut self.shown {
            Some(shown) => {
                tiles.iter().for_each(|at| shown.blur(raw, at.area(raw.area())));
                shown
            }
            // The size was checked with the first tile.
            none => match Cleared::new(raw) {
                Ok(shown) => none.insert(shown),
                Err(_) => return Shown::default(),
            },
        };
        Shown { tiles: shown.tiles(&tiles).unwrap_or_default(), ..Shown::default() }
    }

    /// Reads what came and shows what can be cleared. When the reader fails, what it should have read is averages.
    pub fn settle(&mut self, _ocr: &mut dyn Ocr) -> Shown {
        let shown = self.blurred();
        self.dirty = self.raw.as_ref().map_or_else(Damage::default, |raw| Damage::none(raw.width(), raw.height()));
        shown
    }

    /// All of what may be seen now, for a keyframe.
    pub fn keyframe(&self) -> Vec<MaskedTiles> {
        self.shown.as_ref().and_then(|shown| shown.all().ok()).unwrap_or_default()
    }

    /// How many different identifiers were masked, by type.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

impl std::fmt::Debug for Clearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clearing").field("raw", &self.raw).finish_non_exhaustive()
    }
}
