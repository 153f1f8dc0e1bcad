//! From the desktop's picture to one that people may see.
//!
//! `regions` says what has to be read; `words` keeps what was; `grid` lays it out as text, `judge` asks the masking rules; `plan` says which
//! pixels may be seen, and `cleared` is the only place where they are copied.

mod alike;
mod cache;
mod cleared;
mod grid;
mod judge;
mod plan;
mod regions;
mod unread;
mod words;

use std::{
    collections::{BTreeMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use anteroom_masking::{MaskedText, PageMasker, RuleSet};

pub use cleared::MaskedTiles;

use self::{
    alike::Alike,
    cache::Cache,
    cleared::Cleared,
    judge::{Read, judge},
    plan::Plan,
    words::{Known, State},
};
use crate::{Damage, Ocr, OcrError, Picture, PictureError, Rect, Region, TileAt, TileError, Tiles, Zone};

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
/// ([`Clearing::blurred`]), and shows what can be cleared when they are read ([`Clearing::settle`]), which takes as long as the [`Ocr`]. Settling is
/// best done when nothing came for some tenths of a second: what is half drawn is judged by what is there.
///
/// Memory: three pictures (each at most 64 MiB), a byte for each pixel, and some 40 MiB of what was read before.
pub struct Clearing {
    zones: Vec<Zone>,
    pages: PageMasker,
    alike: Alike,
    cache: Cache,
    screen: Option<Screen>,
    /// Lines on the screen that were told already.
    told: HashSet<u64>,
}

/// What there is of one size.
struct Screen {
    raw: Picture,
    /// What `raw` was when its words were read; none before the first reading.
    read: Option<Picture>,
    words: Vec<Known>,
    shown: Cleared,
    plan: Plan,
    /// Tiles that came since the last settling, and those that were not painted since they came.
    dirty: Damage,
    fresh: Damage,
}

impl Clearing {
    pub fn new(rules: Arc<RuleSet>, zones: Vec<Zone>) -> Self {
        let pages = PageMasker::new(rules);
        Self { zones, pages, alike: Alike::default(), cache: Cache::default(), screen: None, told: HashSet::new() }
    }

    /// Takes a batch of the sealed track's tiles.
    ///
    /// # Errors
    /// [`TileError`]: it is none.
    pub fn take(&mut self, batch: &[u8]) -> Result<(), TileError> {
        let tiles = Tiles::decode(batch)?;
        let mut screen = match self.screen.take() {
            Some(same) if same.raw.width() == tiles.width && same.raw.height() == tiles.height => same,
            _ => Screen::new(Picture::new(tiles.width, tiles.height)?, &self.zones)?,
        };
        let mut raw = Some(screen.raw);
        let painted = tiles.paint(&mut raw);
        screen.raw = match raw {
            Some(raw) => raw,
            None => return painted.map_err(Into::into),
        };
        for tile in &tiles.tiles {
            screen.dirty.mark_tile(tile.at);
            screen.fresh.mark_tile(tile.at);
        }
        self.screen = Some(screen);
        painted.map_err(Into::into)
    }

    /// Is there nothing to settle?
    pub fn is_settled(&self) -> bool {
        self.screen.as_ref().is_none_or(|screen| screen.dirty.is_empty())
    }

    /// What came since it was last asked, without reading it: words that stand where they stood stay, all else that is not plain ground is averages.
    pub fn blurred(&mut self) -> Shown {
        let Some(screen) = &mut self.screen else { return Shown::default() };
        let none = screen.no_damage();
        let mut fresh = std::mem::replace(&mut screen.fresh, none);
        if fresh.is_empty() {
            return Shown::default();
        }
        let still: Vec<Known> =
            screen.words.iter().filter(|known| known.state == State::Masked || screen.is_still(known.area())).cloned().collect();
        let before = std::mem::replace(&mut screen.plan, Plan::of(screen.raw.area(), &still, &self.zones));
        screen.plan.changes(&before, &mut fresh);
        Shown { tiles: screen.paint(fresh.tiles()), ..Shown::default() }
    }

    /// Reads what came and shows what can be cleared. When the reader fails, what it should have read is averages until it changes.
    pub fn settle(&mut self, ocr: &mut dyn Ocr) -> Shown {
        let Some(screen) = &mut self.screen else { return Shown::default() };
        if screen.dirty.is_empty() {
            return Shown::default();
        }
        let unread = screen.read_anew(ocr, &mut self.cache);
        let lines = judge(&screen.raw, &mut screen.words, &mut self.pages, &mut self.alike);
        let before = std::mem::replace(&mut screen.plan, Plan::of(screen.raw.area(), &screen.words, &self.zones));
        let none = screen.no_damage();
        let mut repaint = std::mem::replace(&mut screen.dirty, none.clone());
        screen.fresh = none;
        screen.plan.changes(&before, &mut repaint);
        let tiles = screen.paint(repaint.tiles());
        Shown { tiles, lines: self.tell(lines), unread }
    }

    /// The lines that were not on the screen at the last settling.
    fn tell(&mut self, lines: Vec<Read>) -> Vec<Line> {
        let mut on_screen = HashSet::with_capacity(lines.len());
        let mut fresh = Vec::new();
        for read in lines {
            let line = Line { text: read.line.text(), area: read.area };
            let mut hasher = DefaultHasher::new();
            (line.text.as_str(), line.area.y / 4, line.area.x / 4).hash(&mut hasher);
            let hash = hasher.finish();
            on_screen.insert(hash);
            if !self.told.contains(&hash) {
                fresh.push(line);
            }
        }
        self.told = on_screen;
        fresh
    }

    /// All of what may be seen now, for a keyframe.
    pub fn keyframe(&self) -> Vec<MaskedTiles> {
        self.screen.as_ref().and_then(|screen| screen.shown.all().ok()).unwrap_or_default()
    }

    /// How many different identifiers were masked, by type.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.pages.counts()
    }

    /// An identifier that was masked at one place may be readable at another.
    pub fn incomplete(&self) -> bool {
        self.pages.incomplete()
    }
}

impl Screen {
    fn new(raw: Picture, zones: &[Zone]) -> Result<Self, PictureError> {
        let none = Damage::none(raw.width(), raw.height());
        let plan = Plan::of(raw.area(), &[], zones);
        Ok(Self { shown: Cleared::new(&raw)?, raw, read: None, words: Vec::new(), plan, dirty: none.clone(), fresh: none })
    }

    fn no_damage(&self) -> Damage {
        Damage::none(self.raw.width(), self.raw.height())
    }

    /// Are the pixels those that were read?
    fn is_still(&self, area: Rect) -> bool {
        self.read.as_ref().is_some_and(|read| words::is_still(&self.raw, read, area))
    }

    /// Paints tiles; gives those that look different now.
    fn paint(&mut self, tiles: impl Iterator<Item = TileAt>) -> Vec<MaskedTiles> {
        let changed: Vec<TileAt> = tiles.filter(|at| self.shown.paint(&self.raw, &self.plan, *at)).collect();
        self.shown.tiles(&changed).unwrap_or_default()
    }

    /// Brings `words` up to what is on the screen.
    fn read_anew(&mut self, ocr: &mut dyn Ocr, cache: &mut Cache) -> Option<OcrError> {
        let whole = self.raw.area();
        let regions = match &self.read {
            Some(read) => regions::to_read(&self.raw, read, &self.dirty),
            None => regions::parts(whole),
        };
        match &self.read {
            Some(read) => words::keep(&mut self.words, &self.raw, read, &regions),
            None => self.words.clear(),
        }
        let mut ask = Vec::new();
        for region in regions {
            if let Some(found) = cache.words(&self.raw, region) {
                words::add(&mut self.words, &found, region, &self.raw);
            } else if !regions::is_blank(&self.raw, region) {
                ask.push(region);
            }
        }
        let mut unread = None;
        for asked in regions::sheets(&ask) {
            let regions: Vec<Region<'_>> = asked.iter().map(|area| Region { picture: &self.raw, area: *area }).collect();
            let answer = ocr.read(&regions).and_then(|words| if words.len() == asked.len() { Ok(words) } else { Err(OcrError::Answer) });
            match answer {
                Ok(answer) => {
                    for (region, found) in asked.iter().zip(answer) {
                        cache.put(&self.raw, *region, &found);
                        words::add(&mut self.words, &found, *region, &self.raw);
                    }
                }
                Err(error) => unread = Some(error),
            }
        }
        match &mut self.read {
            Some(read) => self.dirty.tiles().for_each(|at| read.copy_from(&self.raw, at.area(whole))),
            None => self.read = Some(self.raw.clone()),
        }
        unread
    }
}

impl std::fmt::Debug for Clearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clearing").field("picture", &self.screen.as_ref().map(|screen| &screen.raw)).finish_non_exhaustive()
    }
}
