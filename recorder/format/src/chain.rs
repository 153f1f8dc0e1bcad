//! Walks a segment without any key: structure, order and chain hashes.
use crate::{
    SegmentSummary,
    damage::{Damage, Problem},
    hex,
    layout::{FRAME_HEADER_LEN, FrameHeader, HASH_LEN, HEADER_LEN, Hash, SegmentHeader, chain_hash},
};
use std::io::{self, Read};

/// Reading failed: the disk did, or the bytes are wrong.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
}

/// A chunk that hangs in its chain; its body is still encrypted.
#[derive(Debug)]
pub struct Frame {
    pub header: FrameHeader,
    /// Where it starts in the file.
    pub offset: u64,
    /// Chain hash of the chunk before it.
    pub previous: Hash,
}

/// A segment as far as it was read. Keeps one chunk in memory, whatever the file says.
#[derive(Debug)]
pub struct ChainReader<R> {
    source: R,
    header: SegmentHeader,
    id: Hash,
    head: Hash,
    offset: u64,
    sequence: u64,
    events: u64,
    last_us: u64,
    finished: bool,
    body: Vec<u8>,
}

impl<R: Read> ChainReader<R> {
    pub fn open(mut source: R) -> Result<Self, ReadError> {
        let mut bytes = [0u8; HEADER_LEN];
        let got = read_up_to(&mut source, &mut bytes)?;
        // Too short to hold a header: say which of the two it is.
        if got < HEADER_LEN {
            let wrong = bytes[..got.min(8)] != crate::layout::MAGIC[..got.min(8)];
            return Err(if wrong { Problem::Magic } else { Problem::Truncated }.at(None, 0).into());
        }
        let (header, id) = SegmentHeader::decode(&bytes).map_err(|p| p.at(None, 0))?;
        let body = Vec::new();
        Ok(Self { source, header, id, head: id, offset: HEADER_LEN as u64, sequence: 0, events: 0, last_us: 0, finished: false, body })
    }

    /// The next chunk and its encrypted body, or none after the last. A file that stops between chunks just ends: ask `finished`.
    pub fn next_frame(&mut self) -> Result<Option<(Frame, &mut [u8])>, ReadError> {
        let (chunk, offset) = (self.sequence, self.offset);
        let bad = |p: Problem| ReadError::from(p.at(Some(chunk), offset));
        let mut frame = [0u8; FRAME_HEADER_LEN];
        match read_up_to(&mut self.source, &mut frame)? {
            0 => return Ok(None),
            _ if self.finished => return Err(bad(Problem::AfterFinal)),
            FRAME_HEADER_LEN => {}
            _ => return Err(bad(Problem::Truncated)),
        }
        let header = FrameHeader::decode(&frame).map_err(bad)?;
        header.follows(self.header.track, self.sequence, self.last_us).map_err(bad)?;
        let len = header.body_len as usize + HASH_LEN;
        self.body.resize(len, 0);
        if read_up_to(&mut self.source, &mut self.body)? < len {
            return Err(bad(Problem::Truncated));
        }
        let (body, hash) = self.body.split_at_mut(header.body_len as usize);
        let expected = chain_hash(&self.head, &frame, body);
        if *hash != expected {
            return Err(bad(Problem::Chain));
        }
        let previous = std::mem::replace(&mut self.head, expected);
        self.offset += header.frame_len();
        self.sequence += 1;
        self.last_us = header.last_us;
        self.finished = header.is_final();
        if header.kind == crate::layout::Kind::Events {
            self.events += u64::from(header.count);
        }
        Ok(Some((Frame { header, offset, previous }, body)))
    }

    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// Hash of the header, first link of the chain.
    pub fn id(&self) -> &Hash {
        &self.id
    }

    /// Chain hash of the last good chunk.
    pub fn head(&self) -> &Hash {
        &self.head
    }

    /// Length of the good part.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Good chunks so far.
    pub fn chunks(&self) -> u64 {
        self.sequence
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn last_us(&self) -> u64 {
        self.last_us
    }

    /// The final chunk was seen.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// What was good so far, as a manifest says it.
    pub fn summary(&self) -> SegmentSummary {
        SegmentSummary {
            segment: self.header.segment,
            bytes: self.offset,
            chunks: self.sequence,
            events: self.events,
            head: hex(&self.head),
            finished: self.finished,
        }
    }
}

/// Fills `buf` as far as the source goes.
pub(crate) fn read_up_to(source: &mut impl Read, buf: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buf.len() {
        match source.read(&mut buf[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}
