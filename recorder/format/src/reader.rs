//! Reads a segment with its key: from the start, or from a keyframe.
use crate::{
    chain::{Frame, ReadError, read_up_to},
    crypt::{self, ChunkKey, SegmentKey, SegmentSecret},
    damage::Problem,
    event::Events,
    index::{End, IndexEntry, KeyframePart},
    layout::{END_LEN, FRAME_HEADER_LEN, FrameHeader, HASH_LEN, HEADER_LEN, Hash, Kind, MAX_PLAIN, SegmentHeader, chain_hash},
};
use std::{
    fmt,
    io::{Read, Seek, SeekFrom},
};

/// Opens chunks; one a thread is enough.
pub struct Unpacker {
    zstd: zstd::bulk::Decompressor<'static>,
    plain: Vec<u8>,
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unpacker(..)")
    }
}

/// What a chunk holds, decrypted.
#[derive(Debug)]
pub enum Content<'a> {
    Events(Events<'a>),
    Keyframe(KeyframePart<'a>),
    Index(Vec<IndexEntry>),
    End(End),
}

impl Unpacker {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Decompressor::new()?, plain: Vec::new() })
    }

    /// Decrypts and decompresses a chunk. Never makes more than [`MAX_PLAIN`] bytes.
    pub fn open<'a>(
        &'a mut self,
        key: &ChunkKey,
        segment: &Hash,
        header: &FrameHeader,
        previous: &Hash,
        body: &mut [u8],
    ) -> Result<Content<'a>, Problem> {
        let packed = crypt::open(key, segment, header, previous, body)?;
        let len = (header.plain_len as usize).min(MAX_PLAIN);
        self.plain.resize(len, 0);
        if header.kind == Kind::End {
            return Ok(Content::End(End::parse(packed)?));
        }
        let one_frame = zstd::zstd_safe::find_frame_compressed_size(packed).is_ok_and(|n| n == packed.len());
        let fits = one_frame && self.zstd.decompress_to_buffer(packed, self.plain.as_mut_slice()).is_ok_and(|n| n == len);
        if !fits {
            return Err(Problem::Compression);
        }
        Ok(match header.kind {
            Kind::Keyframe => Content::Keyframe(KeyframePart::parse(&self.plain, header.track)?),
            Kind::Index => Content::Index(IndexEntry::parse_all(&self.plain, header.count)?),
            Kind::Events | Kind::End => {
                Content::Events(Events::new(&self.plain, header.track, header.first_us, header.last_us, header.count))
            }
        })
    }
}

/// A segment that can be read from any of its chunks. What it returns was authenticated.
#[derive(Debug)]
pub struct SegmentReader<R> {
    source: R,
    header: SegmentHeader,
    id: Hash,
    secret: SegmentSecret,
    unpacker: Unpacker,
    body: Vec<u8>,
    previous: Hash,
    offset: u64,
    sequence: u64,
    last_us: u64,
    /// Bytes from here on are not part of the recording (torn files).
    limit: u64,
    finished: bool,
}

impl<R: Read + Seek> SegmentReader<R> {
    /// Opens a segment of `limit` valid bytes. A key that the header does not commit to is refused.
    pub fn open(mut source: R, key: &SegmentKey, limit: u64) -> Result<Self, ReadError> {
        let mut bytes = [0u8; HEADER_LEN];
        source.seek(SeekFrom::Start(0))?;
        if limit < HEADER_LEN as u64 || read_up_to(&mut source, &mut bytes)? < HEADER_LEN {
            return Err(Problem::Truncated.at(None, 0).into());
        }
        let (header, id) = SegmentHeader::decode(&bytes).map_err(|p| p.at(None, 0))?;
        let secret = SegmentSecret::new(key, &header.salt);
        if !secret.commits_to(&header.commitment) {
            return Err(Problem::Cipher.at(None, 0).into());
        }
        let unpacker = Unpacker::new()?;
        let offset = HEADER_LEN as u64;
        Ok(Self {
            source,
            header,
            id,
            secret,
            unpacker,
            body: Vec::new(),
            previous: id,
            offset,
            sequence: 0,
            last_us: 0,
            limit,
            finished: false,
        })
    }

    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Goes to the chunk that starts at `offset` and has this number; both from an index, so authenticated when the chunk opens.
    pub fn seek(&mut self, offset: u64, sequence: u64) -> Result<(), ReadError> {
        let before = offset.checked_sub(HASH_LEN as u64).filter(|b| *b + HASH_LEN as u64 >= HEADER_LEN as u64 && offset <= self.limit);
        let before = before.ok_or_else(|| Problem::Content("offset outside the segment").at(Some(sequence), offset))?;
        self.source.seek(SeekFrom::Start(before))?;
        if read_up_to(&mut self.source, &mut self.previous)? < HASH_LEN {
            return Err(Problem::Truncated.at(Some(sequence), offset).into());
        }
        (self.offset, self.sequence, self.last_us, self.finished) = (offset, sequence, 0, false);
        Ok(())
    }

    /// Offset and sequence of the next chunk: where [`seek`](Self::seek) goes on later, in a file that has grown meanwhile.
    pub fn position(&self) -> (u64, u64) {
        (self.offset, self.sequence)
    }

    /// The next chunk, decrypted; none at the end.
    pub fn next_chunk(&mut self) -> Result<Option<(FrameHeader, Content<'_>)>, ReadError> {
        let Some(frame) = self.fetch(false)? else { return Ok(None) };
        let key = self.secret.chunk_key(frame.header.sequence);
        let content = self
            .unpacker
            .open(&key, &self.id, &frame.header, &frame.previous, &mut self.body)
            .map_err(|p| p.at(Some(frame.header.sequence), frame.offset))?;
        Ok(Some((frame.header, content)))
    }

    /// The next chunk's header, its content left alone; not authenticated yet.
    pub fn skip_chunk(&mut self) -> Result<Option<Frame>, ReadError> {
        self.fetch(true)
    }

    /// The final chunk's record, when the segment has one.
    pub fn end(&mut self) -> Result<Option<End>, ReadError> {
        let Some(offset) = self.limit.checked_sub(END_LEN as u64).filter(|o| *o >= HEADER_LEN as u64) else { return Ok(None) };
        self.source.seek(SeekFrom::Start(offset))?;
        let mut frame = [0u8; FRAME_HEADER_LEN];
        if read_up_to(&mut self.source, &mut frame)? < FRAME_HEADER_LEN {
            return Ok(None);
        }
        let Some(header) = FrameHeader::decode(&frame).ok().filter(FrameHeader::is_final) else { return Ok(None) };
        self.seek(offset, header.sequence)?;
        // Any other chunk may look like this by chance; it does not decrypt as one.
        match self.next_chunk() {
            Ok(Some((_, Content::End(end)))) => Ok(Some(end)),
            Ok(_) => Ok(None),
            Err(ReadError::Damage(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Entries of the seek index and the table of channels; empty when the segment was cut short.
    pub fn index(&mut self) -> Result<Vec<IndexEntry>, ReadError> {
        let mut entries = Vec::new();
        let Some(end) = self.end()? else { return Ok(entries) };
        self.seek(end.index_offset, end.index_sequence)?;
        while let Some((_, content)) = self.next_chunk()? {
            match content {
                Content::Index(more) => entries.extend(more),
                _ => break,
            }
        }
        Ok(entries)
    }

    fn fetch(&mut self, skip: bool) -> Result<Option<Frame>, ReadError> {
        let (chunk, offset) = (self.sequence, self.offset);
        let bad = |p: Problem| ReadError::from(p.at(Some(chunk), offset));
        if offset >= self.limit {
            return Ok(None);
        }
        if self.finished {
            return Err(bad(Problem::AfterFinal));
        }
        let mut frame = [0u8; FRAME_HEADER_LEN];
        if read_up_to(&mut self.source, &mut frame)? < FRAME_HEADER_LEN {
            return Err(bad(Problem::Truncated));
        }
        let header = FrameHeader::decode(&frame).map_err(bad)?;
        header.follows(self.header.track, self.sequence, self.last_us).map_err(bad)?;
        if offset + header.frame_len() > self.limit {
            return Err(bad(Problem::Truncated));
        }
        let previous = self.previous;
        if skip {
            self.source.seek(SeekFrom::Start(offset + header.frame_len() - HASH_LEN as u64))?;
        } else {
            self.body.resize(header.body_len as usize, 0);
            if read_up_to(&mut self.source, &mut self.body)? < self.body.len() {
                return Err(bad(Problem::Truncated));
            }
        }
        if read_up_to(&mut self.source, &mut self.previous)? < HASH_LEN {
            return Err(bad(Problem::Truncated));
        }
        if !skip && chain_hash(&previous, &frame, &self.body) != self.previous {
            return Err(bad(Problem::Chain));
        }
        self.offset = offset + header.frame_len();
        self.sequence += 1;
        self.last_us = header.last_us;
        self.finished = header.is_final();
        Ok(Some(Frame { header, offset, previous }))
    }
}
