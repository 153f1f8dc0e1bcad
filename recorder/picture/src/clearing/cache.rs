//! What was read before is not read again.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{Picture, Rect, Word};

/// Bytes of pixels that are remembered, and regions.
const MAX_BYTES: usize = 24 << 20;
const MAX_ENTRIES: usize = 512;

/// Regions with their words, the last used last. The pixels themselves are compared: a hash alone could be made to match.
#[derive(Default)]
pub(super) struct Cache {
    entries: VecDeque<Entry>,
    bytes: usize,
}

struct Entry {
    hash: u64,
    width: u16,
    pixels: Vec<u8>,
    /// Places count from the region's corner.
    words: Vec<Word>,
}

impl Cache {
    /// The words of a region that looked the same before.
    pub(super) fn words(&mut self, picture: &Picture, region: Rect) -> Option<Vec<Word>> {
        let hash = hash(picture, region);
        let found = self.entries.iter().position(|entry| entry.hash == hash && entry.is(picture, region))?;
        let entry = self.entries.remove(found)?;
        let words = entry.words.iter().map(|word| moved(word, |at, by| at.saturating_add(by), region)).collect();
        self.entries.push_back(entry);
        Some(words)
    }

    pub(super) fn put(&mut self, picture: &Picture, region: Rect, words: &[Word]) {
        let pixels: Vec<u8> = (0..region.height).flat_map(|row| picture.row(region, row)).copied().collect();
        if pixels.len() > MAX_BYTES / 2 {
            return;
        }
        self.bytes += pixels.len();
        let words = words.iter().map(|word| moved(word, u16::saturating_sub, region)).collect();
        self.entries.push_back(Entry { hash: hash(picture, region), width: region.width, pixels, words });
        while self.bytes > MAX_BYTES || self.entries.len() > MAX_ENTRIES {
            match self.entries.pop_front() {
                Some(oldest) => self.bytes -= oldest.pixels.len(),
                None => break,
            }
        }
    }
}

impl Entry {
    fn is(&self, picture: &Picture, region: Rect) -> bool {
        let stride = usize::from(self.width) * 4;
        self.width == region.width
            && self.pixels.len() == region.area() * 4
            && (0..region.height)
                .all(|row| self.pixels.get(usize::from(row) * stride..(usize::from(row) + 1) * stride) == Some(picture.row(region, row)))
    }
}

fn moved(word: &Word, by: fn(u16, u16) -> u16, region: Rect) -> Word {
    let area = Rect { x: by(word.area.x, region.x), y: by(word.area.y, region.y), ..word.area };
    Word { text: word.text.clone(), area, confidence: word.confidence }
}

fn hash(picture: &Picture, region: Rect) -> u64 {
    let mut hasher = DefaultHasher::new();
    (region.width, region.height).hash(&mut hasher);
    (0..region.height).for_each(|row| picture.row(region, row).hash(&mut hasher));
    hasher.finish()
}
