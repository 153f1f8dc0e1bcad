//! RDP 8.0 bulk compression, the reading half (MS-RDPEGFX 2.2.5, 3.1.9.1).
//!
//! The gateway reads what the graphics channel says, and from its first notice on it sends the channel on uncompressed: a message of its own would
//! shift the history that the target's compressor and the client share.

use crate::{
    violation::Broken,
    wire::{Put as _, Reader},
};

const WINDOW: usize = 2_500_000;
/// MS-RDPEGFX 2.2.5.1: most bytes of one segment, uncompressed.
const SEGMENT: usize = 65_535;
const COMPRESSED: u8 = 0x20;
const RDP8: u8 = 0x04;

/// A prefix of bits, and what follows it.
struct Token {
    length: u32,
    prefix: u32,
    then: Then,
}

enum Then {
    Literal(u8),
    /// So many bits of distance above a base.
    Match(u32, u32),
}

const fn literal(length: u32, prefix: u32, byte: u8) -> Token {
    Token { length, prefix, then: Then::Literal(byte) }
}

const fn distance(length: u32, prefix: u32, bits: u32, base: u32) -> Token {
    Token { length, prefix, then: Then::Match(bits, base) }
}

/// MS-RDPEGFX 3.1.9.1.2, but for the prefix 0 with eight bits of a literal. Shortest first.
#[rustfmt::skip]
const TOKENS: [Token; 39] = [
    distance(5, 0b10001, 5, 0), distance(5, 0b10010, 7, 32), distance(5, 0b10011, 9, 160), distance(5, 0b10100, 10, 672),
    distance(5, 0b10101, 12, 1_696), literal(5, 0b11000, 0x00), literal(5, 0b11001, 0x01),
    distance(6, 0b101100, 14, 5_792), distance(6, 0b101101, 15, 22_176),
    literal(6, 0b110100, 0x02), literal(6, 0b110101, 0x03), literal(6, 0b110110, 0xff),
    distance(7, 0b1011100, 18, 54_944), distance(7, 0b1011101, 20, 317_088),
    literal(7, 0b1101110, 0x04), literal(7, 0b1101111, 0x05), literal(7, 0b1110000, 0x06), literal(7, 0b1110001, 0x07),
    literal(7, 0b1110010, 0x08), literal(7, 0b1110011, 0x09), literal(7, 0b1110100, 0x0a), literal(7, 0b1110101, 0x0b),
    literal(7, 0b1110110, 0x3a), literal(7, 0b1110111, 0x3b), literal(7, 0b1111000, 0x3c), literal(7, 0b1111001, 0x3d),
    literal(7, 0b1111010, 0x3e), literal(7, 0b1111011, 0x3f), literal(7, 0b1111100, 0x40), literal(7, 0b1111101, 0x80),
    distance(8, 0b10111100, 20, 1_365_664), distance(8, 0b10111101, 21, 2_414_240),
    literal(8, 0b11111100, 0x0c), literal(8, 0b11111101, 0x38), literal(8, 0b11111110, 0x39), literal(8, 0b11111111, 0x66),
    distance(9, 0b101111100, 22, 4_511_392), distance(9, 0b101111101, 23, 8_705_696), distance(9, 0b101111110, 24, 17_094_304),
];

/// Which token begins with these nine bits: the longest has as many.
fn lookup() -> [u8; 512] {
    let mut table = [u8::MAX; 512];
    for (i, t) in TOKENS.iter().enumerate() {
        let first = t.prefix << (9 - t.length);
        for slot in first..first + (1 << (9 - t.length)) {
            table[slot as usize] = u8::try_from(i).unwrap_or(u8::MAX);
        }
    }
    table
}

pub(crate) struct Decompressor {
    window: Vec<u8>,
    at: usize,
    table: [u8; 512],
}

impl std::fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decompressor")
    }
}

const BROKEN: Broken = Broken("compressed graphics");

impl Decompressor {
    pub(crate) fn new() -> Self {
        Self { window: Vec::new(), at: 0, table: lookup() }
    }

    /// RDP_SEGMENTED_DATA. More than `limit` bytes are refused before they are made.
    pub(crate) fn message(&mut self, bytes: &[u8], limit: usize) -> Result<Vec<u8>, Broken> {
        if self.window.is_empty() {
            self.window = vec![0; WINDOW];
        }
        let mut r = Reader::new(bytes, "compressed graphics");
        let mut out = Vec::new();
        match r.u8()? {
            0xe0 => self.segment(r.rest(), &mut out)?,
            0xe1 => {
                let (count, length) = (r.u16()?, r.length32()?);
                if length > limit {
                    return Err(Broken("graphics message is too long"));
                }
                for _ in 0..count {
                    let n = r.length32()?;
                    self.segment(r.take(n)?, &mut out)?;
                    if out.len() > length {
                        return Err(BROKEN);
                    }
                }
                if out.len() != length {
                    return Err(BROKEN);
                }
            }
            _ => return Err(BROKEN),
        }
        Ok(out)
    }

    fn segment(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        let (&flags, data) = bytes.split_first().ok_or(BROKEN)?;
        if flags & 0x0f != RDP8 {
            return Err(BROKEN);
        }
        let most = out.len() + SEGMENT;
        if flags & COMPRESSED == 0 {
            if data.len() > SEGMENT {
                return Err(BROKEN);
            }
            data.iter().for_each(|b| self.put(*b, out));
            return Ok(());
        }
        let Some((&unused, data)) = data.split_last() else { return Ok(()) };
        let count = (data.len() * 8).checked_sub(usize::from(unused & 7)).ok_or(BROKEN)?;
        let mut bits = Bits { data, left: count, byte: 0, hold: 0, held: 0 };
        while bits.left > 0 {
            if bits.peek(1) == 0 {
                bits.take(1)?;
                let byte = bits.take(8)?.to_le_bytes()[0];
                self.put(byte, out);
            } else {
                let token = TOKENS.get(usize::from(self.table[bits.peek(9) as usize])).ok_or(BROKEN)?;
                if bits.take(token.length)? != token.prefix {
                    return Err(BROKEN);
                }
                match token.then {
                    Then::Literal(byte) => self.put(byte, out),
                    Then::Match(n, base) => {
                        let far = (bits.take(n)? + base) as usize;
                        if far == 0 {
                            let n = bits.take(15)? as usize;
                            for byte in bits.bytes(n)? {
                                self.put(*byte, out);
                            }
                        } else {
                            self.repeat(far, match_length(&mut bits)?, most, out)?;
                        }
                    }
                }
            }
            if out.len() > most {
                return Err(BROKEN);
            }
        }
        Ok(())
    }

    fn repeat(&mut self, far: usize, length: usize, most: usize, out: &mut Vec<u8>) -> Result<(), Broken> {
        if far > WINDOW || length > most.saturating_sub(out.len()) {
            return Err(BROKEN);
        }
        for _ in 0..length {
            let byte = self.window[(self.at + WINDOW - far) % WINDOW];
            self.put(byte, out);
        }
        Ok(())
    }

    fn put(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.window[self.at] = byte;
        self.at += 1;
        if self.at == WINDOW {
            self.at = 0;
        }
        out.push(byte);
    }
}

fn match_length(bits: &mut Bits<'_>) -> Result<usize, Broken> {
    if bits.take(1)? == 0 {
        return Ok(3);
    }
    let (mut base, mut extra) = (4usize, 2);
    while bits.take(1)? == 1 {
        base *= 2;
        extra += 1;
        if extra > 15 {
            return Err(BROKEN);
        }
    }
    Ok(base + bits.take(extra)? as usize)
}

/// Bits, the highest of a byte first.
struct Bits<'a> {
    data: &'a [u8],
    /// Bits that count.
    left: usize,
    byte: usize,
    hold: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    fn fill(&mut self, n: u32) {
        while self.held < n {
            // past the end are zeros: `left` says what counts
            self.hold = self.hold << 8 | u64::from(self.data.get(self.byte).copied().unwrap_or(0));
            self.byte += 1;
            self.held += 8;
        }
    }

    fn peek(&mut self, n: u32) -> u32 {
        self.fill(n);
        (self.hold >> (self.held - n)) as u32 & ((1 << n) - 1)
    }

    fn take(&mut self, n: u32) -> Result<u32, Broken> {
        if n == 0 {
            return Ok(0);
        }
        self.left = self.left.checked_sub(n as usize).ok_or(BROKEN)?;
        let value = self.peek(n);
        self.held -= n;
        Ok(value)
    }

    /// Whole bytes from the next byte on.
    fn bytes(&mut self, n: usize) -> Result<&'a [u8], Broken> {
        let at = self.byte - (self.held / 8) as usize;
        let slack = (self.held % 8) as usize;
        self.left = self.left.checked_sub(slack + n * 8).ok_or(BROKEN)?;
        let bytes = self.data.get(at..at + n).ok_or(BROKEN)?;
        (self.byte, self.hold, self.held) = (at + n, 0, 0);
        Ok(bytes)
    }
}

/// A message in RDP_SEGMENTED_DATA without compression.
pub(crate) fn wrap(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    if message.len() <= SEGMENT {
        out.extend_from_slice(&[0xe0, RDP8]);
        out.extend_from_slice(message);
        return out;
    }
    out.push(0xe1);
    out.put16(u16::try_from(message.len().div_ceil(SEGMENT)).unwrap_or(u16::MAX));
    out.put32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    for segment in message.chunks(SEGMENT) {
        out.put32(u32::try_from(segment.len() + 1).unwrap_or(u32::MAX));
        out.push(RDP8);
        out.extend_from_slice(segment);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_wrapped_comes_out() {
        for n in [0usize, 1, 65_535, 65_536, 200_000] {
            let message: Vec<u8> = (0..n).map(|i| (i % 253) as u8).collect();
            assert_eq!(Decompressor::new().message(&wrap(&message), 1 << 20).unwrap(), message);
            let mut iron = Vec::new();
            ironrdp_graphics::zgfx::Decompressor::new().decompress(&wrap(&message), &mut iron).unwrap();
            assert_eq!(iron, message);
        }
    }

    #[test]
    fn what_others_compress_is_read() {
        use ironrdp_graphics::zgfx::{CompressionMode, Compressor, compress_and_wrap_egfx};
        let (mut theirs, mut ours) = (Compressor::new(), Decompressor::new());
        let mut saved = 0;
        for n in [10usize, 3000, 70_000, 5] {
            let message: Vec<u8> = (0..n).flat_map(|i| [b"the same words, "[i % 16], (i / 700) as u8]).collect();
            let wrapped = compress_and_wrap_egfx(&message, &mut theirs, CompressionMode::Always).unwrap();
            saved += message.len().saturating_sub(wrapped.len());
            assert_eq!(ours.message(&wrapped, 1 << 20).unwrap(), message);
        }
        assert!(saved > 50_000, "it was compressed");
    }

    #[test]
    fn a_message_that_says_it_is_huge_is_refused_before_it_is_made() {
        let mut bomb = vec![0xe1, 1, 0];
        bomb.put32(1 << 30);
        assert_eq!(Decompressor::new().message(&bomb, 1 << 20), Err(Broken("graphics message is too long")));
    }

    proptest! {
        /// The only other reader here agrees, byte for byte, across messages that share a history.
        #[test]
        fn reads_as_others_read(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..6)) {
            let (mut ours, mut theirs) = (Decompressor::new(), ironrdp_graphics::zgfx::Decompressor::new());
            for m in messages {
                let segment = [&[0xe0, 0x24][..], &m].concat();
                let mut iron = Vec::new();
                let read = theirs.decompress(&segment, &mut iron);
                match (ours.message(&segment, 1 << 20), read) {
                    (Ok(a), Ok(_)) => prop_assert_eq!(a, iron),
                    (Err(_), _) => break,
                    (Ok(_), Err(e)) => prop_assert!(false, "only we read it: {e}"),
                }
            }
        }
    }
}
