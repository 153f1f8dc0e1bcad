//! Fast-path updates (MS-RDPBCGR 2.2.9.1.2): put together, told apart.

use super::{DecodeError, Reader, bitmaps, canvas::Canvas, palette::Palette, remotefx::RemoteFx};

/// Longest update that is put together from fragments. Clients ask for at most a few MiB (2.2.7.2.6); an update of a whole screen of the largest
/// size without any compression would not be shown.
const MAX_UPDATE_BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
pub(super) struct FastPath {
    fragments: Option<(u8, Vec<u8>)>,
    pub(super) palette: Palette,
    remotefx: RemoteFx,
}

impl FastPath {
    pub(super) fn frame(&mut self, frame: &[u8], canvas: &mut Canvas) -> Result<(), DecodeError> {
        let mut reader = Reader::new(frame, "fast-path frame");
        let security = reader.u8()? >> 6;
        if security != 0 {
            return Err(DecodeError::Unknown("standard RDP security"));
        }
        let length = match reader.u8()? {
            short @ 0..0x80 => usize::from(short),
            long => usize::from(long & 0x7f) << 8 | usize::from(reader.u8()?),
        };
        if length != frame.len() {
            return Err(DecodeError::Malformed("fast-path frame"));
        }
        while !reader.is_empty() {
            self.update(&mut reader, canvas)?;
        }
        Ok(())
    }

    fn update(&mut self, reader: &mut Reader<'_>, canvas: &mut Canvas) -> Result<(), DecodeError> {
        const SINGLE: u8 = 0;
        const LAST: u8 = 1;
        const FIRST: u8 = 2;
        const COMPRESSION_USED: u8 = 2;
        const COMPRESSED: u8 = 0x20;
        let header = reader.u8()?;
        let (code, fragment, compression) = (header & 0xf, header >> 4 & 3, header >> 6);
        if compression == COMPRESSION_USED && reader.u8()? & COMPRESSED != 0 {
            return Err(DecodeError::Unknown("bulk compression"));
        }
        let length = usize::from(reader.u16()?);
        let data = reader.take(length)?;
        if fragment == SINGLE || fragment == FIRST {
            // The rest of what was begun will not come.
            if self.fragments.take().is_some() {
                return Err(DecodeError::Malformed("fragments of an update"));
            }
            if fragment == SINGLE {
                return self.whole(code, data, canvas);
            }
            self.fragments = Some((code, data.to_vec()));
            return Ok(());
        }
        let Some((begun, so_far)) = &mut self.fragments else { return Err(DecodeError::Malformed("fragments of an update")) };
        if *begun != code {
            return Err(DecodeError::Malformed("fragments of an update"));
        }
        if so_far.len() + data.len() > MAX_UPDATE_BYTES {
            return Err(DecodeError::Limit("length of an update"));
        }
        so_far.extend_from_slice(data);
        match self.fragments.take_if(|_| fragment == LAST) {
            Some((code, data)) => self.whole(code, &data, canvas),
            None => Ok(()),
        }
    }

    /// 2.2.9.1.2.1, `updateCode`.
    fn whole(&mut self, code: u8, data: &[u8], canvas: &mut Canvas) -> Result<(), DecodeError> {
        match code {
            0x0 => no_orders(Reader::new(data, "orders").u16()?),
            0x1 => self.bitmaps(data, canvas),
            0x2 => self.palette.update(data),
            0x4 => self.surface_commands(data, canvas),
            // Synchronize; pointers are not a part of the picture: hidden, default, position, colour, cached, new, large.
            0x3 | 0x5 | 0x6 | 0x8..=0xc => Ok(()),
            _ => Err(DecodeError::Unknown("fast-path update")),
        }
    }

    /// TS_UPDATE_BITMAP_DATA, which slow-path updates carry as well.
    pub(super) fn bitmaps(&mut self, data: &[u8], canvas: &mut Canvas) -> Result<(), DecodeError> {
        bitmaps::update(data, &self.palette, canvas)
    }

    /// 2.2.9.1.2.1.10: TS_SURFCMD.
    fn surface_commands(&mut self, data: &[u8], canvas: &mut Canvas) -> Result<(), DecodeError> {
        const SET_SURFACE_BITS: u16 = 1;
        const FRAME_MARKER: u16 = 4;
        const STREAM_SURFACE_BITS: u16 = 6;
        const FRAME_ENDS: u16 = 1;
        const FRAME_ID: usize = 4;
        let mut reader = Reader::new(data, "surface command");
        while !reader.is_empty() {
            match reader.u16()? {
                SET_SURFACE_BITS | STREAM_SURFACE_BITS => self.surface_bits(&mut reader, canvas)?,
                FRAME_MARKER => {
                    if reader.u16()? == FRAME_ENDS {
                        canvas.frame_ends();
                    }
                    // Windows 10 leaves the id out of the last one.
                    reader.up_to(FRAME_ID);
                }
                _ => return Err(DecodeError::Unknown("surface command")),
            }
        }
        Ok(())
    }

    /// 2.2.9.2.1: where, and TS_BITMAP_DATA_EX.
    fn surface_bits(&mut self, reader: &mut Reader<'_>, canvas: &mut Canvas) -> Result<(), DecodeError> {
        const HAS_HEADER: u8 = 1;
        const HEADER: usize = 24;
        const UNCOMPRESSED: u8 = 0;
        const REMOTEFX: u8 = 3;
        let (left, top, _right, _bottom) = (reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
        let [bits, flags, _reserved, codec] = reader.bytes()?;
        let (width, height, length) = (reader.u16()?, reader.u16()?, reader.u32()?);
        if flags & HAS_HEADER != 0 {
            reader.take(HEADER)?;
        }
        let data = reader.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        match codec {
            UNCOMPRESSED => bitmaps::raw(bitmaps::Raw { left, top, width, height, bits: bits.into(), data }, &self.palette, canvas),
            REMOTEFX => self.remotefx.paint(left, top, data, canvas),
            _ => Err(DecodeError::Unknown("codec of a surface command")),
        }
    }
}

/// Drawing orders were not agreed to. An update without any is harmless.
pub(super) fn no_orders(count: u16) -> Result<(), DecodeError> {
    if count == 0 { Ok(()) } else { Err(DecodeError::Unknown("drawing order")) }
}
