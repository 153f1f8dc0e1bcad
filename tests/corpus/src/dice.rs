//! Randomness from a seed: the same corpus on every machine.

use std::cell::Cell;

/// splitmix64 (Steele, Lea, Flood 2014): every seed is a good one.
#[derive(Debug, Clone)]
pub struct Dice(Cell<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    /// Goes on as another one would.
    pub fn become_like(&self, other: &Self) {
        self.0.set(other.0.get());
    }

    pub fn next(&self) -> u64 {
        let mut z = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(z);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, not including, `sides`.
    pub fn roll(&self, sides: u64) -> u64 {
        (self.next() >> 11) % sides.max(1)
    }
}
