//! Writes chunks that a `SegmentWriter` would not.
#![allow(clippy::unwrap_used)]
use super::{key, start};
use crate::{layout::*, *};
use anteroom_domain::Secret;

pub(super) struct Raw {
    pub(super) out: Vec<u8>,
    id: Hash,
    chain: Hash,
    secret: SegmentSecret,
    track: Track,
    sequence: u64,
}

/// A chunk to be written; everything may be wrong.
pub(super) struct Chunk<'a> {
    pub(super) kind: Kind,
    pub(super) times: (u64, u64),
    pub(super) plain: &'a [u8],
    pub(super) count: u32,
    /// What is announced, if not the truth.
    pub(super) plain_len: Option<u32>,
    /// What is encrypted, if not the zstd frame of `plain`.
    pub(super) packed: Option<Vec<u8>>,
    pub(super) tamper: fn(&mut [u8; FRAME_HEADER_LEN]),
}

impl Default for Chunk<'_> {
    fn default() -> Self {
        Self { kind: Kind::Events, times: (0, 0), plain: HELLO, count: 1, plain_len: None, packed: None, tamper: |_| {} }
    }
}

/// Output of channel 0 at the chunk's first time: "hello\n".
pub(super) const HELLO: &[u8] = b"\x05\x00\x00\x06hello\n";

impl Raw {
    pub(super) fn new(track: Track) -> Self {
        let header = start(track).header(&key()).encode();
        let id: Hash = array(&header[160..]);
        Self { out: header.to_vec(), id, chain: id, secret: SegmentSecret::new(&key(), &[0x5a; 32]), track, sequence: 0 }
    }

    pub(super) fn chunk(mut self, c: Chunk<'_>) -> Self {
        let mut body =
            c.packed.unwrap_or_else(|| if c.kind == Kind::End { c.plain.to_vec() } else { zstd::bulk::compress(c.plain, 1).unwrap() });
        body.resize(body.len() + TAG_LEN, 0);
        let header = FrameHeader {
            body_len: body.len() as u32,
            kind: c.kind,
            track: self.track,
            sequence: self.sequence,
            first_us: c.times.0,
            last_us: c.times.1,
            plain_len: c.plain_len.unwrap_or(c.plain.len() as u32),
            count: c.count,
        };
        let mut frame = header.encode();
        (c.tamper)(&mut frame);
        crypt::seal(&self.secret.chunk_key(self.sequence), &self.id, &header, &frame, &self.chain, &mut body).unwrap();
        self.chain = chain_hash(&self.chain, &frame, &body);
        self.out.extend_from_slice(&frame);
        self.out.extend_from_slice(&body);
        self.out.extend_from_slice(&self.chain);
        self.sequence += 1;
        self
    }

    pub(super) fn hello(self) -> Self {
        self.chunk(Chunk::default())
    }

    pub(super) fn end(self) -> Vec<u8> {
        self.end_chunk().out
    }

    pub(super) fn end_chunk(self) -> Self {
        let end =
            End { index_offset: self.out.len() as u64, index_sequence: self.sequence, events: self.sequence, reason: EndReason::Closed };
        self.chunk(Chunk { kind: Kind::End, plain: &end.encode(), ..Chunk::default() })
    }
}

/// What somebody can do who has another segment and no key: hashes are right, authentication is not.
pub(super) fn spliced() -> Vec<u8> {
    let donor = Raw { secret: SegmentSecret::new(&Secret::new([7; 32]), &[0x5a; 32]), ..Raw::new(Track::Sealed) };
    donor.hello().end()
}

impl Raw {
    /// Made with a key that is not the one of the vectors.
    pub(super) fn other_key(self) -> Vec<u8> {
        let key = Secret::new([7; 32]);
        let header = start(self.track).header(&key).encode();
        let id: Hash = array(&header[160..]);
        Self { out: header.to_vec(), id, chain: id, secret: SegmentSecret::new(&key, &[0x5a; 32]), ..self }.hello().end()
    }
}
