use crate::violation::{Broken, Side, Violation};

/// TPKT (RFC 1006 section 6).
const TPKT: u8 = 3;
/// Shortest TPKT with an X.224 data header in it.
const TPKT_LEAST: usize = 7;

/// How long the frame is that begins here: TPKT (at most 65,535 bytes) or fast-path (at most 32,767; MS-RDPBCGR 2.2.8.1.2, 2.2.9.1.2).
/// None: more bytes are needed to say (at most four).
pub fn frame_length(bytes: &[u8], side: Side) -> Result<Option<usize>, Violation> {
    length(bytes).map_err(|b| b.by(side))
}

fn length(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    if first == TPKT {
        let [_, _, high, low, ..] = *bytes else { return Ok(None) };
        let n = usize::from(u16::from_be_bytes([high, low]));
        return if n < TPKT_LEAST { Err(Broken("frame length")) } else { Ok(Some(n)) };
    }
    if first & 3 != 0 {
        return Err(Broken("frame that is neither TPKT nor fast-path"));
    }
    let (header, n) = match *bytes {
        [_, high, low, ..] if high & 0x80 != 0 => (3, usize::from(u16::from_be_bytes([high & 0x7f, low]))),
        [_, high, ..] if high & 0x80 != 0 => return Ok(None),
        [_, n, ..] => (2, usize::from(n)),
        _ => return Ok(None),
    };
    if n <= header { Err(Broken("frame length")) } else { Ok(Some(n)) }
}

/// A whole frame, cut open.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Frame<'a> {
    /// The first byte, and what follows the length.
    FastPath { first: u8, body: &'a [u8] },
    /// What follows the X.224 data header: an MCS PDU.
    Mcs(&'a [u8]),
}

/// The bytes must be exactly one frame.
pub(crate) fn open(bytes: &[u8]) -> Result<Frame<'_>, Broken> {
    if length(bytes)? != Some(bytes.len()) {
        return Err(Broken("frame length"));
    }
    match *bytes {
        // X.224 class 0 data, end of TSDU (ITU-T X.224 section 13.7)
        [TPKT, _, _, _, 2, 0xf0, 0x80, ref mcs @ ..] => Ok(Frame::Mcs(mcs)),
        [TPKT, ..] => Err(Broken("X.224 PDU")),
        [first, high, _, ref body @ ..] if high & 0x80 != 0 => Ok(Frame::FastPath { first, body }),
        [first, _, ref body @ ..] => Ok(Frame::FastPath { first, body }),
        _ => Err(Broken("frame length")),
    }
}

/// An MCS PDU in its TPKT. None when it is too long for one.
pub(crate) fn tpkt(mcs: &[u8]) -> Option<Vec<u8>> {
    let n = u16::try_from(mcs.len() + TPKT_LEAST).ok()?;
    let mut out = Vec::with_capacity(usize::from(n));
    out.extend_from_slice(&[TPKT, 0]);
    out.extend_from_slice(&n.to_be_bytes());
    out.extend_from_slice(&[2, 0xf0, 0x80]);
    out.extend_from_slice(mcs);
    Some(out)
}

/// A fast-path frame. None when it is too long for one.
pub(crate) fn fast_path(first: u8, body: &[u8]) -> Option<Vec<u8>> {
    let n = u16::try_from(body.len() + 3).ok().filter(|n| *n < 0x8000)?;
    let mut out = Vec::with_capacity(usize::from(n));
    out.push(first);
    out.extend_from_slice(&(n | 0x8000).to_be_bytes());
    out.extend_from_slice(body);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_how_long_it_is_as_soon_as_it_can() {
        assert_eq!(length(&[]), Ok(None));
        assert_eq!(length(&[3, 0, 0]), Ok(None));
        assert_eq!(length(&[3, 0, 1, 2]), Ok(Some(0x102)));
        assert_eq!(length(&[4]), Ok(None));
        assert_eq!(length(&[4, 0x81]), Ok(None));
        assert_eq!(length(&[4, 0x81, 2]), Ok(Some(0x102)));
        assert_eq!(length(&[4, 9]), Ok(Some(9)));
    }

    #[test]
    fn a_frame_that_could_not_hold_its_own_header_is_refused() {
        for bytes in [&[3, 0, 0, 6][..], &[4, 2], &[4, 0x80, 3], &[4, 0], &[1, 9], &[2, 9], &[0x16, 3, 1, 0]] {
            assert!(length(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_made_opens_again() {
        let made = tpkt(b"mcs").unwrap();
        assert!(matches!(open(&made).unwrap(), Frame::Mcs(b"mcs")));
        let made = fast_path(0, b"update").unwrap();
        assert!(matches!(open(&made).unwrap(), Frame::FastPath { first: 0, body: b"update" }));
        assert!(tpkt(&vec![0; 65_529]).is_none());
        assert!(fast_path(0, &vec![0; 32_765]).is_none());
    }
}
