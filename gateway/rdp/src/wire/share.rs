//! Share control and share data headers (MS-RDPBCGR 2.2.8.1.1.1).

use super::{Put as _, Reader};
use crate::violation::Broken;

/// MCS user id that servers say they are.
pub(crate) const SERVER_USER: u16 = 1002;

pub(crate) const DEMAND_ACTIVE: u16 = 1;
pub(crate) const CONFIRM_ACTIVE: u16 = 3;
pub(crate) const DEACTIVATE_ALL: u16 = 6;
pub(crate) const DATA: u16 = 7;
pub(crate) const SERVER_REDIRECTION: u16 = 10;

/// Basic security header flags (MS-RDPBCGR 2.2.8.1.1.2.1).
pub(crate) mod security {
    pub(crate) const TRANSPORT_REQUEST: u16 = 0x0002;
    pub(crate) const TRANSPORT_RESPONSE: u16 = 0x0004;
    pub(crate) const INFO: u16 = 0x0040;
    pub(crate) const LICENSE: u16 = 0x0080;
    pub(crate) const AUTODETECT_REQUEST: u16 = 0x1000;
    pub(crate) const AUTODETECT_RESPONSE: u16 = 0x2000;
    pub(crate) const HEARTBEAT: u16 = 0x4000;
}

/// pduType2 (MS-RDPBCGR 2.2.8.1.1.1.2).
pub(crate) mod kind {
    pub(crate) const UPDATE: u8 = 0x02;
    pub(crate) const CONTROL: u8 = 0x14;
    pub(crate) const POINTER: u8 = 0x1b;
    pub(crate) const INPUT: u8 = 0x1c;
    pub(crate) const SYNCHRONIZE: u8 = 0x1f;
    pub(crate) const REFRESH_RECT: u8 = 0x21;
    pub(crate) const PLAY_SOUND: u8 = 0x22;
    pub(crate) const SUPPRESS_OUTPUT: u8 = 0x23;
    pub(crate) const SHUTDOWN_REQUEST: u8 = 0x24;
    pub(crate) const SHUTDOWN_DENIED: u8 = 0x25;
    pub(crate) const SAVE_SESSION_INFO: u8 = 0x26;
    pub(crate) const FONT_LIST: u8 = 0x27;
    pub(crate) const FONT_MAP: u8 = 0x28;
    pub(crate) const KEYBOARD_INDICATORS: u8 = 0x29;
    pub(crate) const PERSISTENT_LIST: u8 = 0x2b;
    pub(crate) const BITMAP_CACHE_ERROR: u8 = 0x2c;
    pub(crate) const KEYBOARD_IME: u8 = 0x2d;
    pub(crate) const OFFSCREEN_CACHE_ERROR: u8 = 0x2e;
    pub(crate) const SET_ERROR_INFO: u8 = 0x2f;
    pub(crate) const NINE_GRID_ERROR: u8 = 0x30;
    pub(crate) const GDI_PLUS_ERROR: u8 = 0x31;
    pub(crate) const AUTO_RECONNECT_STATUS: u8 = 0x32;
    pub(crate) const STATUS_INFO: u8 = 0x36;
    pub(crate) const MONITOR_LAYOUT: u8 = 0x37;
    pub(crate) const FRAME_ACKNOWLEDGE: u8 = 0x38;
}

/// What one piece of the I/O channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Io<'a> {
    /// With a basic security header: licensing, auto-detection, heartbeat, multitransport, Client Info.
    Secured {
        flags: u16,
        body: &'a [u8],
    },
    Control(Control<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Control<'a> {
    pub(crate) kind: u16,
    /// The whole PDU, its header too.
    pub(crate) whole: &'a [u8],
    /// What follows pduSource.
    pub(crate) body: &'a [u8],
}

/// The share control PDUs in one piece of user data, which may be several, one after the other.
///
/// A basic security header looks different: its second half is zero, where a share control header has a version of 1 in the upper bits of its
/// type (`0x0010`). xrdp leaves there what was in its memory: a licensing packet, which only comes before the share, is known by its own length.
pub(crate) fn pieces(data: &[u8], before_share: bool) -> Result<Vec<Io<'_>>, Broken> {
    let mut r = Reader::new(data, "share control header");
    let (flags, high) = (r.u16()?, r.u16()?);
    // MS-RDPELE 2.2.2: type, flags, length
    let licence = before_share
        && flags & security::LICENSE != 0
        && matches!(*r.rest(), [_, _, a, b, ..] if usize::from(u16::from_le_bytes([a, b])) == r.rest().len());
    if high == 0 || licence {
        return Ok(vec![Io::Secured { flags, body: r.rest() }]);
    }
    let mut out = Vec::new();
    let mut r = Reader::new(data, "share control header");
    while !r.is_empty() {
        let start = r.rest();
        let length = usize::from(r.u16()?);
        // T.128 flow PDUs: Windows sends them, nobody answers (FreeRDP ignores them too)
        if length == 0x8000 {
            r.take(6)?;
            continue;
        }
        let kind = r.u16()?;
        if kind & 0xfff0 != 0x10 || length < 4 {
            return Err(Broken("share control header"));
        }
        let whole = start.get(..length).ok_or(Broken("share control length"))?;
        // Deactivate All may come without its source (MS-RDPBCGR 2.2.3.1: xrdp, Windows 2000)
        let body = if length >= 6 { &whole[6..] } else { &[][..] };
        r = Reader::new(&start[length..], "share control header");
        out.push(Io::Control(Control { kind: kind & 0xf, whole, body }));
    }
    Ok(out)
}

/// A share data PDU, cut open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Data<'a> {
    pub(crate) share_id: u32,
    pub(crate) kind: u8,
    pub(crate) body: &'a [u8],
}

/// MS-RDPBCGR 2.2.8.1.1.1.2. Compressed ones are refused: compression was taken out of Client Info.
pub(crate) fn data(body: &[u8]) -> Result<Data<'_>, Broken> {
    let mut r = Reader::new(body, "share data header");
    let share_id = r.u32()?;
    r.take(2)?; // pad, stream
    r.u16()?; // uncompressedLength: what clients write there differs, nobody reads it
    let kind = r.u8()?;
    let compression = r.u8()?;
    r.u16()?;
    if compression & 0x20 != 0 {
        return Err(Broken("compressed share data"));
    }
    Ok(Data { share_id, kind, body: r.rest() })
}

/// A share control PDU with its header.
pub(crate) fn control(kind: u16, source: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 6);
    out.put16(u16::try_from(body.len() + 6).unwrap_or(u16::MAX));
    out.put16(kind | 0x10);
    out.put16(source);
    out.extend_from_slice(body);
    out
}

/// A share data PDU with its headers.
pub(crate) fn data_pdu(share_id: u32, source: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 12);
    out.put32(share_id);
    out.extend_from_slice(&[0, 1]); // STREAM_LOW
    out.put16(u16::try_from(body.len() + 4).unwrap_or(u16::MAX));
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(body);
    control(DATA, source, &out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ironrdp_core::decode as iron;
    use ironrdp_pdu::rdp::headers::{ShareControlHeader, ShareControlPdu, ShareDataPdu};

    #[test]
    fn others_read_what_is_made_here() {
        let made = data_pdu(0x1_03ea, SERVER_USER, 0x2f, &7u32.to_le_bytes());
        let h: ShareControlHeader = iron(&made).unwrap();
        assert_eq!((h.share_id, h.pdu_source), (0x1_03ea, SERVER_USER));
        let ShareControlPdu::Data(d) = h.share_control_pdu else { panic!("no data") };
        assert!(matches!(d.share_data_pdu, ShareDataPdu::ServerSetErrorInfo(_)));
    }

    #[test]
    fn several_in_a_row_come_apart() {
        let (a, b) = (data_pdu(1, 1002, 0x28, b"one"), data_pdu(1, 1002, 0x1f, b"two"));
        let both = [a.clone(), b].concat();
        let pieces = pieces(&both, false).unwrap();
        let [Io::Control(first), Io::Control(second)] = &pieces[..] else { panic!("{pieces:?}") };
        assert_eq!((first.kind, first.whole), (DATA, &a[..]));
        assert_eq!(data(second.body).unwrap(), Data { share_id: 1, kind: 0x1f, body: b"two" });
    }

    #[test]
    fn a_security_header_is_told_from_a_share_header() {
        let Io::Secured { flags, body } = pieces(&[0x80, 0, 0, 0, 9], false).unwrap()[0] else { panic!("share") };
        assert_eq!((flags, body), (security::LICENSE, &[9][..]));
        let xrdp = [0x80, 0, 0x3e, 1, 1, 2, 6, 0, 7, 7];
        assert!(matches!(pieces(&xrdp, true).unwrap()[..], [Io::Secured { flags: security::LICENSE, .. }]));
        assert!(pieces(&xrdp, false).is_err(), "not once the share has begun");
    }

    #[test]
    fn compressed_data_is_refused() {
        let mut made = data_pdu(1, 1002, 0x02, b"update");
        made[15] = 0x21;
        let pieces = pieces(&made, false).unwrap();
        let Io::Control(c) = pieces[0] else { panic!("secured") };
        assert_eq!(data(c.body), Err(Broken("compressed share data")));
    }
}
