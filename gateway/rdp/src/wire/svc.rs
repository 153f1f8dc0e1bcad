//! Static virtual channels: chunks and the messages they make (MS-RDPBCGR 2.2.6.1, 3.1.5.2).

use super::{Put as _, Reader};
use crate::violation::Broken;

const FIRST: u32 = 1;
const LAST: u32 = 2;
/// CHANNEL_PACKET_COMPRESSED. Never negotiated here.
const COMPRESSED: u32 = 0x0020_0000;
const SHOW_PROTOCOL: u32 = 0x10;
/// CHANNEL_CHUNK_LENGTH: what everybody must take.
const CHUNK: usize = 1600;

/// One chunk as it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'a> {
    /// Bytes of the whole message.
    pub(crate) length: usize,
    pub(crate) flags: u32,
    pub(crate) data: &'a [u8],
}

impl Chunk<'_> {
    pub(crate) fn whole(&self) -> bool {
        self.flags & (FIRST | LAST) == FIRST | LAST
    }
}

pub(crate) fn chunk(bytes: &[u8]) -> Result<Chunk<'_>, Broken> {
    let mut r = Reader::new(bytes, "channel chunk");
    let (length, flags) = (r.length32()?, r.u32()?);
    if flags & COMPRESSED != 0 {
        return Err(Broken("compressed channel data"));
    }
    if r.rest().len() > length {
        return Err(Broken("channel chunk longer than its message"));
    }
    Ok(Chunk { length, flags, data: r.rest() })
}

/// A message put together from its chunks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Whole(Vec<u8>),
    /// Longer than the limit: its first bytes and how long it was.
    TooLong {
        head: Vec<u8>,
        length: usize,
    },
}

/// Bytes kept of a message that is too long: enough for a header.
const HEAD: usize = 16;

#[derive(Debug)]
pub(crate) struct Reassembly {
    limit: usize,
    message: Vec<u8>,
    /// Bytes said and bytes seen of the message in progress.
    open: Option<(usize, usize)>,
}

impl Reassembly {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, message: Vec::new(), open: None }
    }

    /// A chunk's message, if this was its last one.
    pub(crate) fn take(&mut self, chunk: Chunk<'_>) -> Result<Option<Message>, Broken> {
        if chunk.flags & FIRST != 0 {
            if self.open.is_some() {
                return Err(Broken("channel message within another"));
            }
            self.open = Some((chunk.length, 0));
            self.message.clear();
        }
        let Some((length, seen)) = &mut self.open else { return Err(Broken("channel chunk without its first")) };
        let length = *length;
        *seen += chunk.data.len();
        let seen = *seen;
        if chunk.length != length || seen > length {
            return Err(Broken("channel chunk longer than its message"));
        }
        let room = if length > self.limit { HEAD } else { length };
        let free = room - self.message.len().min(room);
        self.message.extend_from_slice(&chunk.data[..chunk.data.len().min(free)]);
        if chunk.flags & LAST == 0 {
            return Ok(None);
        }
        if seen != length {
            return Err(Broken("channel message shorter than it said"));
        }
        self.open = None;
        let message = std::mem::take(&mut self.message);
        Ok(Some(if length > self.limit { Message::TooLong { head: message, length } } else { Message::Whole(message) }))
    }
}

/// The chunks of a message, each ready to be sent as user data.
pub(crate) fn chunks(message: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let count = message.len().div_ceil(CHUNK).max(1);
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    (0..count).map(move |i| {
        let part = &message[i * CHUNK..message.len().min((i + 1) * CHUNK)];
        // CHANNEL_FLAG_SHOW_PROTOCOL: every end of ours reads the header
        let flags = SHOW_PROTOCOL | if i == 0 { FIRST } else { 0 } | if i + 1 == count { LAST } else { 0 };
        let mut out = Vec::with_capacity(part.len() + 8);
        out.put32(length);
        out.put32(flags);
        out.extend_from_slice(part);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(r: &mut Reassembly, chunks: impl IntoIterator<Item = Vec<u8>>) -> Result<Option<Message>, Broken> {
        let mut last = None;
        for c in chunks {
            last = r.take(chunk(&c)?)?;
        }
        Ok(last)
    }

    #[test]
    fn a_long_message_comes_together() {
        for n in [0, 1, 1600, 1601, 50_000] {
            let message: Vec<u8> = (0..n).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut r = Reassembly::new(60_000);
            assert_eq!(feed(&mut r, chunks(&message)), Ok(Some(Message::Whole(message))));
        }
    }

    #[test]
    fn a_message_above_the_limit_is_counted_and_not_kept() {
        let mut r = Reassembly::new(2000);
        let Ok(Some(Message::TooLong { head, length: 9000 })) = feed(&mut r, chunks(&[9; 9000])) else { panic!("kept") };
        assert_eq!(head.len(), HEAD);
        assert!(r.message.capacity() < 4000);
        assert_eq!(feed(&mut r, chunks(b"next")), Ok(Some(Message::Whole(b"next".to_vec()))));
    }

    #[test]
    fn chunks_that_lie_are_refused() {
        let mut whole: Vec<_> = chunks(&[1; 4000]).collect();
        whole.swap(0, 1);
        assert!(feed(&mut Reassembly::new(5000), whole).is_err(), "out of order");
        let mut short: Vec<_> = chunks(&[1; 4000]).collect();
        short.remove(1);
        assert!(feed(&mut Reassembly::new(5000), short).is_err(), "one is missing");
        let mut compressed: Vec<_> = chunks(b"x").collect();
        compressed[0].set32(4, FIRST | LAST | COMPRESSED);
        assert!(feed(&mut Reassembly::new(5000), compressed).is_err(), "compressed");
    }
}
