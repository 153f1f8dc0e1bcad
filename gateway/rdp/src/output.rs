//! The picture as fast-path or slow-path updates: only what the recording can decode passes (MS-RDPBCGR 2.2.9.1).

use crate::{caps::REMOTE_FX_ID, violation::Broken, wire::Reader};

/// FASTPATH_UPDATETYPE_*.
mod update {
    pub(super) const ORDERS: u8 = 0;
    pub(super) const BITMAP: u8 = 1;
    pub(super) const PALETTE: u8 = 2;
    pub(super) const SYNCHRONIZE: u8 = 3;
    pub(super) const SURFACE: u8 = 4;
    /// Hidden, default, position, colour, cached, new, large.
    pub(super) const POINTERS: [u8; 7] = [5, 6, 8, 9, 0xa, 0xb, 0xc];
}

const ORDERS: Broken = Broken("drawing orders");

/// Looks at what the target shows.
#[derive(Debug, Default)]
pub(crate) struct Output {
    surface: SurfaceWalk,
    in_fragments: bool,
}

impl Output {
    /// A fast-path frame's header byte and body. Whether it changed the picture.
    pub(crate) fn fast_path(&mut self, first: u8, body: &[u8]) -> Result<bool, Broken> {
        if first & 0xc0 != 0 {
            return Err(Broken("encrypted fast-path output"));
        }
        let mut r = Reader::new(body, "fast-path update");
        let mut painted = false;
        while !r.is_empty() {
            let header = r.u8()?;
            let (code, fragment) = (header & 0xf, header >> 4 & 3);
            if header >> 6 & 2 != 0 {
                return Err(Broken("compressed update"));
            }
            let length = usize::from(r.u16()?);
            let data = r.take(length)?;
            // FASTPATH_FRAGMENT_SINGLE 0, _LAST 1, _FIRST 2, _NEXT 3
            self.in_fragments = fragment & 2 != 0;
            match code {
                update::ORDERS => orders(data)?,
                update::BITMAP | update::PALETTE | update::SYNCHRONIZE => {}
                update::SURFACE => self.surface.take(data, matches!(fragment, 0 | 2), matches!(fragment, 0 | 1))?,
                c if update::POINTERS.contains(&c) => continue,
                _ => return Err(Broken("unknown update")),
            }
            painted = true;
        }
        Ok(painted)
    }

    /// An update is half sent: nothing of ours may come between.
    pub(crate) fn in_fragments(&self) -> bool {
        self.in_fragments
    }

    /// The body of a Graphics Update PDU (MS-RDPBCGR 2.2.9.1.1.3).
    pub(crate) fn slow_path(body: &[u8]) -> Result<(), Broken> {
        let mut r = Reader::new(body, "slow-path update");
        match r.u16()? {
            0 => {
                r.u16()?;
                orders(r.rest())
            }
            1..=3 => Ok(()),
            _ => Err(Broken("unknown update")),
        }
    }
}

/// An update may hold no orders at all; servers send such.
fn orders(data: &[u8]) -> Result<(), Broken> {
    match data {
        [] | [0, 0, ..] => Ok(()),
        _ => Err(ORDERS),
    }
}

/// Surface commands (MS-RDPBCGR 2.2.9.2), across the fragments of an update: their headers are read, their pixels skipped.
#[derive(Debug, Default)]
struct SurfaceWalk {
    header: Vec<u8>,
    skip: usize,
}

/// cmdType, destination, bpp, flags, reserved, codecID, width, height, length.
const BITS_HEADER: usize = 22;

impl SurfaceWalk {
    fn take(&mut self, mut data: &[u8], first: bool, last: bool) -> Result<(), Broken> {
        if first {
            *self = Self::default();
        }
        loop {
            let n = self.skip.min(data.len());
            (self.skip, data) = (self.skip - n, &data[n..]);
            let Some((&byte, rest)) = data.split_first() else { break };
            self.header.push(byte);
            data = rest;
            self.skip = match *self.header {
                [1 | 6, 0, .., codec, _, _, _, _, a, b, c, d] if self.header.len() == BITS_HEADER => {
                    if codec != 0 && codec != REMOTE_FX_ID {
                        return Err(Broken("bitmap codec that cannot be recorded"));
                    }
                    let extra = if self.header[11] & 1 != 0 { 24 } else { 0 };
                    usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX).saturating_add(extra)
                }
                [4, 0, ..] if self.header.len() == 8 => 0,
                [1 | 4 | 6, 0, ..] | [1 | 4 | 6] => continue,
                _ => return Err(Broken("unknown surface command")),
            };
            self.header.clear();
        }
        if last && (self.skip > 0 || !self.header.is_empty()) {
            return Err(Broken("surface command that is not whole"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Put as _;

    fn fast(code: u8, data: &[u8]) -> Vec<u8> {
        let mut out = vec![code];
        out.put16(u16::try_from(data.len()).unwrap());
        out.extend_from_slice(data);
        out
    }

    fn bits(codec: u8, n: u32) -> Vec<u8> {
        let mut out = Vec::new();
        [1, 0, 0, 64, 64].into_iter().for_each(|n| out.put16(n));
        out.extend_from_slice(&[32, 0, 0, codec]);
        [64, 64].into_iter().for_each(|n| out.put16(n));
        out.put32(n);
        out.resize(out.len() + n as usize, 0xaa);
        out
    }

    fn marker() -> Vec<u8> {
        vec![4, 0, 0, 0, 1, 0, 0, 0]
    }

    #[test]
    fn pictures_and_pointers_pass() {
        let mut o = Output::default();
        assert_eq!(o.fast_path(0, &fast(1, b"bitmap")), Ok(true));
        assert_eq!(o.fast_path(0, &fast(5, &[])), Ok(false), "a pointer does not change the picture");
        assert_eq!(o.fast_path(0, &[fast(0xa, &[0, 0]), fast(4, &[marker(), bits(3, 500), marker()].concat())].concat()), Ok(true));
        assert_eq!(o.fast_path(0, &fast(0, &[0, 0])), Ok(true), "no orders");
    }

    #[test]
    fn what_cannot_be_recorded_is_refused() {
        for body in [fast(0, &[1, 0, 9]), fast(7, &[]), fast(0xd, &[]), fast(0x81, b"compressed"), fast(4, &bits(1, 9)), vec![1, 9, 0, 1]] {
            assert!(Output::default().fast_path(0, &body).is_err(), "{body:?}");
        }
        assert!(Output::default().fast_path(0x80, &fast(1, b"x")).is_err(), "encrypted");
        assert!(Output::slow_path(&[0, 0, 0, 0, 1, 0]).is_err(), "slow-path orders");
        assert!(Output::slow_path(&[1, 0, 0, 0]).is_ok());
    }

    #[test]
    fn a_codec_is_found_however_the_update_is_cut() {
        let good = [marker(), bits(3, 30), bits(0, 5), marker()].concat();
        let bad = [marker(), bits(3, 30), bits(1, 5), marker()].concat();
        for size in 1..good.len() {
            let feed = |all: &[u8]| {
                let mut o = Output::default();
                let count = all.chunks(size).count();
                all.chunks(size).enumerate().try_for_each(|(i, piece)| {
                    let fragment = match (i == 0, i + 1 == count) {
                        (true, true) => 0,
                        (false, true) => 1,
                        (true, false) => 2,
                        (false, false) => 3,
                    };
                    o.fast_path(0, &fast(4 | fragment << 4, piece)).map(drop)
                })
            };
            assert_eq!(feed(&good), Ok(()), "{size}");
            assert_eq!(feed(&bad), Err(Broken("bitmap codec that cannot be recorded")), "{size}");
        }
    }
}
