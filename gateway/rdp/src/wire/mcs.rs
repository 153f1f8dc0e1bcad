//! The MCS PDUs of a running session (ITU-T T.125; the bytes as MS-RDPBCGR 4.1 shows them).

use super::{Reader, frame};
use crate::violation::{Broken, Side};
use bytes::Bytes;

const USER_BASE: u16 = 1001;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mcs<'a> {
    ErectDomain,
    AttachUserRequest,
    AttachUserConfirm { user: Option<u16> },
    JoinRequest { user: u16, channel: u16 },
    JoinConfirm,
    Send { user: u16, channel: u16, data: &'a [u8] },
    Disconnect,
}

/// What `side` may send. An MCS PDU has its kind in the upper six bits of the first byte.
pub(crate) fn decode(bytes: &[u8], side: Side) -> Result<Mcs<'_>, Broken> {
    let mut r = Reader::new(bytes, "MCS PDU");
    let first = r.u8()?;
    Ok(match (first >> 2, side) {
        (1, Side::Client) => Mcs::ErectDomain,
        (8, _) => Mcs::Disconnect,
        (10, Side::Client) => Mcs::AttachUserRequest,
        (11, Side::Target) => {
            let ok = r.u8()? == 0;
            let user = if first & 2 != 0 { Some(user(&mut r)?) } else { None };
            Mcs::AttachUserConfirm { user: user.filter(|_| ok) }
        }
        (14, Side::Client) => Mcs::JoinRequest { user: user(&mut r)?, channel: r.u16_be()? },
        (15, Side::Target) => Mcs::JoinConfirm,
        (25, Side::Client) | (26, Side::Target) => {
            let (user, channel) = (user(&mut r)?, r.u16_be()?);
            // begin and end: user data in pieces of MCS is not used by RDP
            if r.u8()? & 0x30 != 0x30 {
                return Err(Broken("MCS segmentation"));
            }
            let n = per_length(&mut r)?;
            let data = r.take(n)?;
            if !r.is_empty() {
                return Err(Broken("MCS PDU with bytes after it"));
            }
            Mcs::Send { user, channel, data }
        }
        _ => return Err(Broken("unknown MCS PDU")),
    })
}

fn user(r: &mut Reader<'_>) -> Result<u16, Broken> {
    r.u16_be()?.checked_add(USER_BASE).ok_or(Broken("MCS user"))
}

/// ITU-T X.691 section 10.9, below 16 K; longer ones are 15 bits in RDP's way.
fn per_length(r: &mut Reader<'_>) -> Result<usize, Broken> {
    let first = r.u8()?;
    if first & 0x80 == 0 { Ok(usize::from(first)) } else { Ok(usize::from(first & 0x7f) << 8 | usize::from(r.u8()?)) }
}

/// User data as `to` gets it: an indication for the client, a request for the target. None when it is too long.
pub(crate) fn send(to: Side, user: u16, channel: u16, data: &[u8]) -> Option<Bytes> {
    let kind = match to {
        Side::Client => 26,
        Side::Target => 25,
    };
    let length = u16::try_from(data.len()).ok().filter(|n| *n < 0x8000)?;
    let mut out = Vec::with_capacity(data.len() + 8);
    out.push(kind << 2);
    out.extend_from_slice(&user.saturating_sub(USER_BASE).to_be_bytes());
    out.extend_from_slice(&channel.to_be_bytes());
    out.push(0x70);
    out.extend_from_slice(&(length | 0x8000).to_be_bytes());
    out.extend_from_slice(data);
    frame::tpkt(&out).map(Bytes::from)
}

pub(crate) fn join_confirm(user: u16, channel: u16) -> Bytes {
    let mut out = vec![0x3e, 0];
    out.extend_from_slice(&user.saturating_sub(USER_BASE).to_be_bytes());
    out.extend_from_slice(&channel.to_be_bytes());
    out.extend_from_slice(&channel.to_be_bytes());
    Bytes::from(frame::tpkt(&out).unwrap_or_default())
}

/// Disconnect Provider Ultimatum with the reason "user requested" (MS-RDPBCGR 2.2.2.3), which is what Windows says of an ordinary end.
pub(crate) fn disconnect() -> Bytes {
    Bytes::from(frame::tpkt(&[0x21, 0x80]).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ironrdp_core::{decode as iron_decode, encode_vec};
    use ironrdp_pdu::{
        mcs::{ChannelJoinConfirm, DisconnectReason, McsMessage, SendDataIndication, SendDataRequest},
        x224::X224,
    };
    use std::borrow::Cow;

    fn opened(frame: &[u8]) -> &[u8] {
        match frame::open(frame).unwrap() {
            frame::Frame::Mcs(mcs) => mcs,
            frame::Frame::FastPath { .. } => panic!("not MCS"),
        }
    }

    #[test]
    fn user_data_is_read_as_others_write_it() {
        for n in [0, 5, 127, 128, 5000, 20_000] {
            let data = vec![7; n];
            let iron = encode_vec(&X224(SendDataRequest { initiator_id: 1007, channel_id: 1003, user_data: Cow::Borrowed(&data) }));
            // ironrdp refuses what does not fit a PER length
            let Ok(iron) = iron else { continue };
            assert_eq!(decode(opened(&iron), Side::Client), Ok(Mcs::Send { user: 1007, channel: 1003, data: &data }));
            assert!(decode(opened(&iron), Side::Target).is_err(), "a target sends indications");
        }
    }

    #[test]
    fn others_read_what_is_made_here() {
        let made = send(Side::Client, 1002, 1003, b"hello").unwrap();
        let X224(McsMessage::SendDataIndication(SendDataIndication { initiator_id: 1002, channel_id: 1003, user_data })) =
            iron_decode::<X224<McsMessage<'_>>>(&made).unwrap()
        else {
            panic!("not an indication")
        };
        assert_eq!(&*user_data, b"hello");
        let made = join_confirm(1007, 2001);
        let X224(McsMessage::ChannelJoinConfirm(j)) = iron_decode::<X224<McsMessage<'_>>>(&made).unwrap() else { panic!("no join") };
        assert_eq!(j, ChannelJoinConfirm { result: 0, initiator_id: 1007, requested_channel_id: 2001, channel_id: 2001 });
        let made = disconnect();
        let X224(McsMessage::DisconnectProviderUltimatum(d)) = iron_decode::<X224<McsMessage<'_>>>(&made).unwrap() else {
            panic!("no end")
        };
        assert_eq!(d.reason, DisconnectReason::UserRequested);
    }
}
