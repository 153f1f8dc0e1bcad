//! One direction of one open file: how much went through, its SHA-256, and whether that was all of it.
use crate::{Event, Outcome, policy::Terms};
use anteroom_domain::capability::Direction;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Bytes of one file that may be ahead of their turn before its SHA-256 is given up.
pub const MAX_WINDOW: usize = 2 << 20;
/// The same for all files of a channel together.
pub const MAX_WINDOWS: usize = 16 << 20;
/// Pieces of one file that may be ahead of their turn.
const MAX_PIECES: usize = 4096;

#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) terms: Terms,
    direction: Direction,
    bytes: u64,
    /// None once the order or the beginning is lost.
    sha256: Option<Sha256>,
    /// All before this offset is in `sha256`.
    next: u64,
    ahead: BTreeMap<u64, Vec<u8>>,
    ahead_bytes: usize,
    /// First and last offset seen.
    start: u64,
    end: u64,
    /// As the target told at the beginning.
    size: Option<u64>,
    at_end: bool,
    broken: bool,
}

impl Track {
    pub(crate) fn new(direction: Direction, terms: Terms, hashed: bool) -> Self {
        Self {
            terms,
            direction,
            bytes: 0,
            sha256: hashed.then(Sha256::new),
            next: 0,
            ahead: BTreeMap::new(),
            ahead_bytes: 0,
            start: u64::MAX,
            end: 0,
            size: None,
            at_end: false,
            broken: false,
        }
    }

    pub(crate) fn set_size(&mut self, size: Option<u64>) {
        self.size = size;
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether content may reach up to this offset.
    pub(crate) fn fits(&self, end: u64) -> bool {
        self.terms.max.is_none_or(|max| end <= max)
    }

    /// Content went through. `windows` is what all files of the channel hold ahead.
    pub(crate) fn moved(&mut self, offset: u64, data: &[u8], windows: &mut usize) {
        if data.is_empty() {
            return;
        }
        let end = offset.saturating_add(data.len() as u64);
        self.bytes = self.bytes.saturating_add(data.len() as u64);
        (self.start, self.end) = (self.start.min(offset), self.end.max(end));
        let Some(hash) = &mut self.sha256 else { return };
        if offset == self.next {
            hash.update(data);
            self.next = end;
            if !self.ahead.is_empty() {
                self.catch_up(windows);
            }
        } else if offset > self.next {
            self.keep_ahead(offset, data, windows);
        } else if self.direction == Direction::Upload {
            // Written over: what was hashed is not what is there.
            self.forget(windows);
        } else if end > self.next {
            let new = &data[(self.next - offset) as usize..];
            hash.update(new);
            self.next = end;
            self.catch_up(windows);
        }
    }

    /// The target says that there is nothing at this offset any more.
    pub(crate) fn no_more(&mut self, offset: u64) {
        self.at_end |= offset <= self.end;
    }

    /// A part failed or was refused.
    pub(crate) fn set_broken(&mut self) {
        self.broken = true;
    }

    /// The file was cut or grown to this size. Where that is what was sent so far, the SHA-256 still holds: OpenSSH's scp writes
    /// in place and says at the end how long the file is.
    pub(crate) fn resized(&mut self, size: u64, windows: &mut usize) {
        if !(self.ahead.is_empty() && self.next == size && self.end == size) {
            self.forget(windows);
        }
    }

    /// Gives up the SHA-256.
    pub(crate) fn forget(&mut self, windows: &mut usize) {
        self.sha256 = None;
        self.ahead.clear();
        *windows -= std::mem::take(&mut self.ahead_bytes);
    }

    pub(crate) fn close(mut self, path: &Bytes, closed: bool, windows: &mut usize) -> Event {
        let ordered = self.ahead.is_empty() && !(self.broken && self.direction == Direction::Upload);
        let whole = match self.direction {
            Direction::Upload => true,
            Direction::Download => {
                let seen = if self.sha256.is_some() { self.next >= self.end } else { self.start == 0 && self.bytes >= self.end };
                seen && (self.at_end || self.size.is_some_and(|s| self.end >= s && self.end > 0))
            }
        };
        let hash = self.sha256.take().filter(|_| ordered);
        self.forget(windows);
        Event::Moved {
            direction: self.direction,
            path: path.clone(),
            bytes: self.bytes,
            sha256: hash.map(|h| h.finalize().into()),
            outcome: if closed && whole && !self.broken { Outcome::Complete } else { Outcome::Partial },
        }
    }

    fn keep_ahead(&mut self, offset: u64, data: &[u8], windows: &mut usize) {
        let n = data.len();
        if self.ahead_bytes + n > MAX_WINDOW || *windows + n > MAX_WINDOWS || self.ahead.len() >= MAX_PIECES {
            return self.forget(windows);
        }
        // Pieces of one packet are neighbours.
        if self.ahead.contains_key(&offset) {
            return self.forget(windows);
        }
        let neighbour = self.ahead.range_mut(..offset).next_back().filter(|(at, b)| **at + b.len() as u64 == offset);
        match neighbour {
            Some((_, before)) => before.extend_from_slice(data),
            None => {
                self.ahead.insert(offset, data.to_vec());
            }
        }
        self.ahead_bytes += n;
        *windows += n;
    }

    fn catch_up(&mut self, windows: &mut usize) {
        while let Some(first) = self.ahead.first_entry() {
            let at = *first.key();
            if at > self.next {
                return;
            }
            if at < self.next {
                return self.forget(windows);
            }
            let data = first.remove();
            self.ahead_bytes -= data.len();
            *windows -= data.len();
            self.next += data.len() as u64;
            if let Some(hash) = &mut self.sha256 {
                hash.update(&data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { max: None, keep: false };

    fn sha(data: &[u8]) -> Option<[u8; 32]> {
        Some(Sha256::digest(data).into())
    }

    fn closed(t: Track, windows: &mut usize) -> (Option<[u8; 32]>, Outcome) {
        match t.close(&Bytes::new(), true, windows) {
            Event::Moved { sha256, outcome, .. } => (sha256, outcome),
            e => panic!("{e:?}"),
        }
    }

    #[test]
    fn pieces_a_little_out_of_order_still_have_their_hash() {
        let (mut t, mut w) = (Track::new(Direction::Upload, TERMS, true), 0);
        t.moved(3, b"def", &mut w);
        t.moved(6, b"ghi", &mut w);
        assert_eq!(w, 6);
        t.moved(0, b"abc", &mut w);
        assert_eq!((w, t.bytes()), (0, 9));
        assert_eq!(closed(t, &mut w), (sha(b"abcdefghi"), Outcome::Complete));
    }

    #[test]
    fn far_out_of_order_the_count_stays_and_the_hash_goes() {
        let (mut t, mut w) = (Track::new(Direction::Upload, TERMS, true), 0);
        let block = vec![7; 64 << 10];
        for i in 1..=MAX_WINDOW as u64 / block.len() as u64 {
            t.moved(i * block.len() as u64, &block, &mut w);
            assert!(w <= MAX_WINDOW);
        }
        assert_eq!(w, MAX_WINDOW);
        t.moved(100 << 20, b"x", &mut w);
        assert_eq!(w, 0, "a window that overflows is given back");
        assert_eq!(t.bytes(), (MAX_WINDOW + 1) as u64);
        assert_eq!(closed(t, &mut w).0, None);
    }

    #[test]
    fn all_windows_together_are_bounded() {
        let mut w = 0;
        let mut tracks: Vec<_> = (0..20).map(|_| Track::new(Direction::Upload, TERMS, true)).collect();
        for t in &mut tracks {
            t.moved(1, &vec![0; MAX_WINDOW], &mut w);
            assert!(w <= MAX_WINDOWS);
        }
        for t in tracks {
            closed(t, &mut w);
        }
        assert_eq!(w, 0);
    }

    #[test]
    fn a_download_is_complete_when_its_end_was_seen() {
        let mut w = 0;
        let mut t = Track::new(Direction::Download, TERMS, true);
        t.set_size(Some(6));
        t.moved(0, b"abc", &mut w);
        assert_eq!(closed(t, &mut w), (sha(b"abc"), Outcome::Partial));
        let mut t = Track::new(Direction::Download, TERMS, true);
        t.set_size(Some(0));
        t.moved(0, b"abc", &mut w);
        t.no_more(3);
        assert_eq!(closed(t, &mut w), (sha(b"abc"), Outcome::Complete));
        let mut t = Track::new(Direction::Download, TERMS, true);
        t.set_size(Some(6));
        t.moved(3, b"def", &mut w);
        t.no_more(6);
        assert_eq!(closed(t, &mut w), (None, Outcome::Partial), "its beginning did not move");
    }

    #[test]
    fn a_size_that_says_what_was_sent_keeps_the_hash_and_another_takes_it() {
        for (size, kept) in [(4, true), (3, false), (5, false)] {
            let (mut t, mut w) = (Track::new(Direction::Upload, TERMS, true), 0);
            t.moved(0, b"abcd", &mut w);
            t.resized(size, &mut w);
            assert_eq!(closed(t, &mut w).0.is_some(), kept, "{size}");
        }
    }

    #[test]
    fn what_is_written_over_has_no_hash() {
        let (mut t, mut w) = (Track::new(Direction::Upload, TERMS, true), 0);
        t.moved(0, b"abc", &mut w);
        t.moved(0, b"x", &mut w);
        assert_eq!(closed(t, &mut w).0, None);
    }
}
