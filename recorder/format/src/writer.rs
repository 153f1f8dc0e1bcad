//! Writes one segment: events in, bytes to append out.
use crate::{
    Track,
    crypt::{self, SegmentKey, SegmentSecret},
    damage::Problem,
    desktop::{MAX_TILES, is_size},
    event::{self, Body, Event, MAX_OVERHEAD, MAX_SMALL, MAX_TEXT},
    index::{ChannelEntry, End, EndReason, IndexEntry, KeyframeAt, KeyframePart, MAX_ENTRY, MAX_PART, MAX_PARTS},
    layout::{
        FRAME_HEADER_LEN, FrameHeader, HASH_LEN, HEADER_LEN, Hash, Kind, MAX_BODY, MAX_PLAIN, MAX_TIME_US, SegmentHeader, TAG_LEN,
        chain_hash,
    },
    stored,
};
use std::{fmt, io};
use uuid::Uuid;

/// What cannot be written. None of it is the session's fault.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("compression failed: {0}")]
    Compress(#[from] io::Error),
    #[error("cannot be written: {0}")]
    Refused(#[from] Problem),
}

/// Compression state; one a thread, used by all its segments.
pub struct Packer(zstd::bulk::Compressor<'static>);

impl fmt::Debug for Packer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Packer(..)")
    }
}

impl Packer {
    /// Level 1: the recorder must keep up with the wire.
    pub fn new() -> io::Result<Self> {
        zstd::bulk::Compressor::new(1).map(Self)
    }
}

/// What a segment is and where it hangs.
#[derive(Debug, Clone)]
pub struct SegmentStart {
    pub track: Track,
    pub segment: u32,
    pub session: Uuid,
    /// SHA-256 of `header.json`.
    pub recording: Hash,
    /// Chain hash at the end of the previous segment; zeros in the first.
    pub link: Hash,
    /// 32 random bytes.
    pub salt: [u8; 32],
}

impl SegmentStart {
    /// The header that this start and key make.
    pub fn header(self, key: &SegmentKey) -> SegmentHeader {
        let Self { track, segment, session, recording, link, salt } = self;
        let commitment = SegmentSecret::new(key, &salt).commitment();
        SegmentHeader { track, segment, session, recording, link, salt, commitment }
    }
}

/// A channel's masked screen at one time.
#[derive(Debug, Clone, Copy)]
pub struct Screen<'a> {
    pub at_us: u64,
    pub channel: u32,
    pub cols: u16,
    pub rows: u16,
    /// Terminal text that paints it onto an empty terminal of that size.
    pub text: &'a str,
}

/// A desktop's whole picture at one time.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    pub at_us: u64,
    pub channel: u32,
    /// In pixels.
    pub width: u16,
    pub height: u16,
    /// Batches of all tiles that were ever shown; each of at most [`MAX_TILES`] bytes.
    pub tiles: &'a [Vec<u8>],
}

/// A segment being written. Every method appends what must be appended to the file to `out`.
#[derive(Debug)]
pub struct SegmentWriter {
    header: SegmentHeader,
    id: Hash,
    secret: SegmentSecret,
    chain: Hash,
    sequence: u64,
    bytes: u64,
    events: u64,
    /// Plaintext of the chunk that is being filled.
    plain: Vec<u8>,
    count: u32,
    /// The last chunk that was compressed did not become smaller.
    noise: bool,
    first_us: u64,
    last_us: u64,
    keyframes: Vec<KeyframeAt>,
}

impl SegmentWriter {
    pub fn start(start: SegmentStart, key: &SegmentKey, out: &mut Vec<u8>) -> Self {
        let secret = SegmentSecret::new(key, &start.salt);
        let header = start.header(key);
        let bytes = header.encode();
        let mut id = [0; HASH_LEN];
        id.copy_from_slice(&bytes[HEADER_LEN - HASH_LEN..]);
        out.extend_from_slice(&bytes);
        Self {
            header,
            id,
            secret,
            chain: id,
            sequence: 0,
            bytes: HEADER_LEN as u64,
            events: 0,
            plain: Vec::new(),
            count: 0,
            noise: false,
            first_us: 0,
            last_us: 0,
            keyframes: Vec::new(),
        }
    }

    /// Takes one event; a full chunk goes to `out`. Time never goes back: an earlier time is written as the last one.
    pub fn event(&mut self, event: &Event<'_>, packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), WriteError> {
        event.body.fits(self.header.track)?;
        if let Body::Clipboard { way, more, text } = event.body {
            let mut rest = text;
            loop {
                let (head, tail) = rest.split_at(rest.floor_char_boundary(MAX_TEXT));
                self.room(MAX_SMALL, packer, out)?;
                self.put(event.at_us, event.channel, &Body::Clipboard { way, more: more || !tail.is_empty(), text: head });
                if tail.is_empty() {
                    return Ok(());
                }
                rest = tail;
            }
        }
        let Some((mut data, piece)) = event.body.data() else {
            self.room(event.body.room(), packer, out)?;
            self.put(event.at_us, event.channel, &event.body);
            return Ok(());
        };
        loop {
            // Not worth a piece when little room is left.
            self.room(MAX_OVERHEAD + data.len().min(512), packer, out)?;
            let mut take = data.len().min(MAX_PLAIN - self.plain.len() - MAX_OVERHEAD);
            if take < data.len() && self.header.track == Track::Masked {
                take = text_boundary(data, take);
            }
            let (head, rest) = data.split_at(take);
            self.put(event.at_us, event.channel, &piece(head));
            data = rest;
            if data.is_empty() {
                return Ok(());
            }
        }
    }

    /// A screen that replay can start from. Masked track only.
    pub fn keyframe(&mut self, screen: &Screen<'_>, packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let &Screen { at_us, channel, cols, rows, text } = screen;
        if self.header.track != Track::Masked {
            return Err(Problem::OtherTrack.into());
        }
        self.flush(packer, out)?;
        let at_us = self.clamp(at_us);
        self.keyframes.push(KeyframeAt { channel, at_us, sequence: self.sequence, offset: self.bytes });
        let (mut rest, mut part) = (text, 0);
        loop {
            let (head, tail) = rest.split_at(rest.floor_char_boundary(MAX_PART));
            let part_of = KeyframePart { channel, cols, rows, part, last: tail.is_empty(), text: head, tiles: None };
            self.keyframe_part(at_us, &part_of, packer, out)?;
            if tail.is_empty() {
                return Ok(());
            }
            (rest, part) = (tail, part + 1);
        }
    }

    /// A picture that replay can start from. Both tracks.
    pub fn picture(&mut self, picture: &Picture<'_>, packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let &Picture { at_us, channel, width, height, tiles } = picture;
        let count = u32::try_from(tiles.len().max(1)).unwrap_or(u32::MAX);
        if !is_size(width, height) || count > MAX_PARTS || tiles.iter().any(|t| t.len() > MAX_TILES) {
            return Err(Problem::Content("a picture beyond the limits").into());
        }
        self.flush(packer, out)?;
        let at_us = self.clamp(at_us);
        self.keyframes.push(KeyframeAt { channel, at_us, sequence: self.sequence, offset: self.bytes });
        for part in 0..count {
            let tiles = tiles.get(part as usize).map_or(&[][..], Vec::as_slice);
            let part_of = KeyframePart { channel, cols: width, rows: height, part, last: part + 1 == count, text: "", tiles: Some(tiles) };
            self.keyframe_part(at_us, &part_of, packer, out)?;
        }
        Ok(())
    }

    fn keyframe_part(&mut self, at_us: u64, part: &KeyframePart<'_>, packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.plain.clear();
        part.put(&mut self.plain);
        (self.first_us, self.last_us, self.count) = (at_us, at_us, 1);
        self.emit(Kind::Keyframe, packer, out)
    }

    /// Closes the chunk that is being filled, if it holds anything.
    pub fn flush(&mut self, packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), WriteError> {
        if self.count > 0 { self.emit(Kind::Events, packer, out) } else { Ok(()) }
    }

    /// Gives back the memory of a chunk when none is being filled: the session is quiet.
    pub fn rest(&mut self) {
        if self.plain.is_empty() {
            self.plain = Vec::new();
        }
    }

    /// Writes index and final chunk. `channels` is the table so far, earlier segments included.
    pub fn finish(
        mut self,
        channels: &[ChannelEntry],
        reason: EndReason,
        packer: &mut Packer,
        out: &mut Vec<u8>,
    ) -> Result<Finished, WriteError> {
        self.flush(packer, out)?;
        let end = End { index_offset: self.bytes, index_sequence: self.sequence, events: self.events, reason };
        self.first_us = self.last_us;
        let keyframes = std::mem::take(&mut self.keyframes);
        let entries = keyframes.into_iter().map(IndexEntry::Keyframe).chain(channels.iter().cloned().map(IndexEntry::Channel));
        for entry in entries {
            if self.plain.len() + MAX_ENTRY > MAX_PLAIN {
                self.emit(Kind::Index, packer, out)?;
            }
            entry.put(&mut self.plain);
            self.count += 1;
        }
        if self.count > 0 {
            self.emit(Kind::Index, packer, out)?;
        }
        self.plain.extend_from_slice(&end.encode());
        self.count = 1;
        self.emit(Kind::End, packer, out)?;
        Ok(Finished { head: self.chain, bytes: self.bytes, chunks: self.sequence, events: self.events })
    }

    /// Length of the segment so far, without the chunk that is being filled.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether events wait for a flush.
    pub fn has_pending(&self) -> bool {
        self.count > 0
    }

    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    fn room(&mut self, needed: usize, packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), WriteError> {
        if self.plain.len() + needed > MAX_PLAIN { self.flush(packer, out) } else { Ok(()) }
    }

    fn clamp(&self, at_us: u64) -> u64 {
        at_us.max(self.last_us).min(MAX_TIME_US - 1)
    }

    fn put(&mut self, at_us: u64, channel: u32, body: &Body<'_>) {
        let at_us = self.clamp(at_us);
        if self.count == 0 {
            self.first_us = at_us;
        }
        let delta = at_us - if self.count == 0 { at_us } else { self.last_us };
        self.last_us = at_us;
        event::put(&mut self.plain, delta, channel, body);
        self.count += 1;
        self.events += 1;
    }

    /// Compresses, encrypts and chains `self.plain`.
    fn emit(&mut self, kind: Kind, packer: &mut Packer, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let start = out.len();
        let body_at = start + FRAME_HEADER_LEN;
        out.resize(body_at, 0);
        if kind == Kind::End {
            out.extend_from_slice(&self.plain);
        } else if self.noise && stored::looks_like_noise(&self.plain) {
            stored::frame(&self.plain, out);
        } else {
            out.resize(body_at + MAX_BODY, 0);
            let packed = packer.0.compress_to_buffer(&self.plain, &mut out[body_at..])?;
            out.truncate(body_at + packed);
            self.noise = packed > self.plain.len() / 32 * 31;
        }
        let packed = out.len() - body_at;
        out.resize(body_at + packed + TAG_LEN, 0);
        let header = FrameHeader {
            body_len: (packed + TAG_LEN) as u32,
            kind,
            track: self.header.track,
            sequence: self.sequence,
            first_us: self.first_us,
            last_us: self.last_us,
            plain_len: self.plain.len() as u32,
            count: self.count,
        };
        let frame = header.encode();
        let body = &mut out[body_at..];
        crypt::seal(&self.secret.chunk_key(self.sequence), &self.id, &header, &frame, &self.chain, body)?;
        self.chain = chain_hash(&self.chain, &frame, body);
        out[start..body_at].copy_from_slice(&frame);
        out.extend_from_slice(&self.chain);
        self.sequence += 1;
        self.bytes += (out.len() - start) as u64;
        self.plain.clear();
        self.count = 0;
        self.first_us = self.last_us;
        Ok(())
    }
}

/// A finished segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub head: Hash,
    pub bytes: u64,
    pub chunks: u64,
    pub events: u64,
}

/// The last place at or before `at` where UTF-8 text can be cut.
fn text_boundary(data: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at).rev().find(|i| data.get(*i).is_none_or(|b| b & 0xc0 != 0x80)).unwrap_or(at)
}
