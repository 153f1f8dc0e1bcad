//! The session's own channel (MS-RDPBCGR 2.2.8.1.1.1): slow-path updates, and the beginning of an active phase with its size.

use super::{
    DecodeError, Reader,
    canvas::Canvas,
    fast_path::{FastPath, no_orders},
};

#[derive(Debug, Default)]
pub(super) struct Share;

/// PDUs inside of one frame.
const MAX_PDUS: usize = 256;

impl Share {
    /// Returns whether an active phase began: what was half sent before is void.
    pub(super) fn data(&mut self, data: &[u8], updates: &mut FastPath, canvas: &mut Canvas) -> Result<bool, DecodeError> {
        const FLOW: u16 = 0x8000;
        if data.get(2..4) == Some(&[0, 0]) {
            return security(data).map(|()| false);
        }
        let mut restarts = false;
        let mut rest = Reader::new(data, "share control PDU");
        for _ in 0..MAX_PDUS {
            if rest.is_empty() {
                return Ok(restarts);
            }
            let all = rest.rest();
            let length = Reader::new(all, "share control PDU").u16()?;
            if length == FLOW {
                return Ok(restarts);
            }
            // Some targets count wrongly when there is only one.
            let whole = all.len() == data.len() && usize::from(length) > all.len();
            let pdu = if whole { rest.up_to(all.len()) } else { rest.take(length.into())? };
            restarts |= self.pdu(pdu, updates, canvas)?;
        }
        Err(DecodeError::Limit("PDUs of a frame"))
    }

    fn pdu(&mut self, pdu: &[u8], updates: &mut FastPath, canvas: &mut Canvas) -> Result<bool, DecodeError> {
        const DEMAND_ACTIVE: u16 = 0x1;
        const DEACTIVATE_ALL: u16 = 0x6;
        const DATA: u16 = 0x7;
        const REDIRECTION: u16 = 0xa;
        let mut reader = Reader::new(pdu, "share control PDU");
        let (_length, kind) = (reader.u16()?, reader.u16()? & 0xf);
        match kind {
            DEMAND_ACTIVE => {
                reader.u16()?;
                demand_active(&mut reader, canvas).map(|()| true)
            }
            DATA => {
                reader.u16()?;
                share_data(&mut reader, updates, canvas).map(|()| false)
            }
            DEACTIVATE_ALL | REDIRECTION => Ok(false),
            _ => Err(DecodeError::Unknown("share control PDU")),
        }
    }
}

/// What comes with a security header instead (2.2.8.1.1.2.1): licences and such, nothing that paints.
fn security(data: &[u8]) -> Result<(), DecodeError> {
    const ENCRYPTED: u16 = 0x0008;
    // TRANSPORT_REQ, REDIRECTION_PKT, LICENSE_PKT, AUTODETECT_REQ, HEARTBEAT.
    const HARMLESS: u16 = 0x0002 | 0x0400 | 0x0080 | 0x1000 | 0x4000;
    match Reader::new(data, "security header").u16()? {
        flags if flags & ENCRYPTED != 0 => Err(DecodeError::Unknown("standard RDP security")),
        flags if flags & HARMLESS != 0 => Ok(()),
        _ => Err(DecodeError::Malformed("security header")),
    }
}

/// 2.2.1.13.1: the desktop's size is in the Bitmap capability set.
fn demand_active(reader: &mut Reader<'_>, canvas: &mut Canvas) -> Result<(), DecodeError> {
    const BITMAP: u16 = 2;
    let (_share, source, _combined) = (reader.u32()?, reader.u16()?, reader.u16()?);
    reader.take(source.into())?;
    let (sets, _pad) = (reader.u16()?, reader.u16()?);
    for _ in 0..sets {
        let (kind, length) = (reader.u16()?, reader.u16()?);
        let set = reader.take(usize::from(length).checked_sub(4).ok_or(DecodeError::Malformed("capability set"))?)?;
        if kind == BITMAP {
            let mut set = Reader::new(set, "capability set");
            set.take(8)?;
            let (width, height) = (set.u16()?, set.u16()?);
            if (width, height) != canvas.size() {
                canvas.resize(width.into(), height.into())?;
            }
        }
    }
    Ok(())
}

/// 2.2.8.1.1.1.2.
fn share_data(reader: &mut Reader<'_>, updates: &mut FastPath, canvas: &mut Canvas) -> Result<(), DecodeError> {
    const COMPRESSED: u8 = 0x20;
    const UPDATE: u8 = 0x02;
    reader.u32()?;
    let [_pad, _stream] = reader.bytes()?;
    reader.u16()?;
    let [kind, compression] = reader.bytes()?;
    reader.u16()?;
    if compression & COMPRESSED != 0 {
        return Err(DecodeError::Unknown("bulk compression"));
    }
    match kind {
        UPDATE => slow_path(reader.rest(), updates, canvas),
        // Control, pointer, synchronize, play sound, shutdown denied, save session info, font list and map, keyboard indicators, persistent list,
        // bitmap cache error, keyboard IME status, offscreen cache error, set error info, nine-grid error, GDI+ error, auto-reconnect status,
        // status info, monitor layout, frame acknowledge.
        0x14 | 0x1b | 0x1f | 0x22 | 0x25..=0x29 | 0x2b..=0x32 | 0x36..=0x38 => Ok(()),
        _ => Err(DecodeError::Unknown("share data PDU")),
    }
}

/// 2.2.9.1.1.3.
fn slow_path(data: &[u8], updates: &mut FastPath, canvas: &mut Canvas) -> Result<(), DecodeError> {
    let mut reader = Reader::new(data, "slow-path update");
    match reader.u16()? {
        0 => {
            reader.u16()?;
            no_orders(reader.u16()?)
        }
        1 => updates.bitmaps(data, canvas),
        2 => updates.palette.update(data),
        3 => Ok(()),
        _ => Err(DecodeError::Unknown("slow-path update")),
    }
}
