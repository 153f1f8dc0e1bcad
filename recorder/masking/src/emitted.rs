//! What stayed readable, to be searched for originals at the end.

use std::collections::HashSet;

use crate::words::{MAX_GAP, Passed, Word, pair};

/// Words of the emitted text, as hashes: exactly while they are few, then in a Bloom filter (which may raise a false alarm, never miss).
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    exact: HashSet<u64, Passed>,
    bloom: Vec<Block>,
    /// The last hashes, so that repeated words cost nothing.
    recent: Vec<u64>,
    /// On their way into the filter. Each lies somewhere else in it: together they wait for the memory once, not each by itself.
    waiting: Vec<u64>,
}

/// A line of a processor's cache.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Block([u64; 8]);

const EXACT_WORDS: usize = 32_768;
/// 4 MiB: what a processor can still address without missing its caches at every word.
const BLOCKS: usize = 1 << 16;
const RECENT: usize = 2048;
const WAITING: usize = 256;

impl Emitted {
    /// Remembers the words of a line; `masked` tells which of them nobody sees.
    pub(crate) fn add_words(&mut self, found: &[Word], mut masked: impl FnMut(&Word) -> bool) {
        let mut previous: Option<Word> = None;
        for word in found {
            if masked(word) {
                previous = None;
                continue;
            }
            let candidate = word.is_candidate();
            if candidate {
                self.insert(word.hash);
            }
            if let Some(before) = previous
                && (candidate || before.is_candidate())
                && word.start - before.end <= MAX_GAP
            {
                self.insert(pair(before, *word));
            }
            previous = Some(*word);
        }
    }

    #[inline]
    fn insert(&mut self, hash: u64) {
        let slot = (hash >> 48) as usize % RECENT;
        match self.recent.get_mut(slot) {
            Some(recent) if *recent == hash => {}
            Some(recent) => {
                *recent = hash;
                self.insert_rare(hash);
            }
            None => self.insert_rare(hash),
        }
    }

    fn insert_rare(&mut self, hash: u64) {
        // Few words: the set itself is as quick, and most sessions are short.
        if self.bloom.is_empty() {
            if self.exact.len() < EXACT_WORDS {
                self.exact.insert(hash);
                if self.exact.len() == RECENT {
                    self.recent = vec![0; RECENT];
                }
                return;
            }
            self.bloom = vec![Block::default(); BLOCKS];
            for hash in std::mem::take(&mut self.exact) {
                set(&mut self.bloom, hash);
            }
        }
        self.waiting.push(hash);
        if self.waiting.len() == WAITING {
            let touched = self.waiting.iter().fold(0, |touched, hash| touched ^ self.bloom[block(*hash)].0[0]);
            std::hint::black_box(touched);
            for hash in self.waiting.drain(..) {
                set(&mut self.bloom, hash);
            }
        }
    }

    /// Which of these hashes may have been emitted?
    pub(crate) fn contains_both(&self, pairs: impl Iterator<Item = (u64, u64)>) -> bool {
        let waiting: HashSet<u64, Passed> = self.waiting.iter().copied().collect();
        let contains = |hash: u64| {
            waiting.contains(&hash)
                || match self.bloom.get(block(hash)) {
                    None => self.exact.contains(&hash),
                    Some(block) => bits(hash).all(|(word, bit)| block.0[word] & bit != 0),
                }
        };
        pairs.into_iter().any(|(first, last)| contains(first) && contains(last))
    }
}

#[inline]
fn set(bloom: &mut [Block], hash: u64) {
    let block = &mut bloom[block(hash)].0;
    for (word, bit) in bits(hash) {
        block[word] |= bit;
    }
}

/// Where the bits of this hash are.
#[inline]
fn block(hash: u64) -> usize {
    hash as usize % BLOCKS
}

/// Six bits in one cache line, each in a word of its own: none waits for what was just written to another.
#[inline]
fn bits(hash: u64) -> impl Iterator<Item = (usize, u64)> {
    let spread = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let first = (spread >> 61) as usize;
    (0..6).map(move |n| ((first + n) & 7, 1 << ((spread >> (6 * n)) & 63)))
}
