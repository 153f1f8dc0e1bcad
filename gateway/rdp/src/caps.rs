//! Demand Active and Confirm Active, rewritten so that everything that comes after them can be recorded (MS-RDPBCGR 2.2.1.13).
//!
//! What is not known here is taken out: a capability nobody announces is not used.

use crate::{
    violation::Broken,
    wire::{Put as _, Reader},
};

mod set {
    pub(super) const GENERAL: u16 = 0x01;
    pub(super) const BITMAP: u16 = 0x02;
    pub(super) const ORDER: u16 = 0x03;
    pub(super) const INPUT: u16 = 0x0d;
    pub(super) const VIRTUAL_CHANNEL: u16 = 0x14;
    pub(super) const BITMAP_CODECS: u16 = 0x1d;

    /// Passed as they are: bitmap cache, control, activation, pointer, share, colour cache, sound, font, brush, glyph cache, cache host support,
    /// bitmap cache 2, multifragment update, large pointer, surface commands, frame acknowledge.
    /// Not: off-screen cache, nine-grid, GDI+ and bitmap cache 3 (drawing orders), remote programs, window list, composition.
    pub(super) const PASSED: [u16; 16] = [0x04, 0x05, 0x07, 0x08, 0x09, 0x0a, 0x0c, 0x0e, 0x0f, 0x10, 0x12, 0x13, 0x1a, 0x1b, 0x1c, 0x1e];
}

/// CODEC_GUID_REMOTEFX, CODEC_GUID_IMAGE_REMOTEFX (MS-RDPBCGR 2.2.7.2.10.1.1).
const REMOTE_FX: [[u8; 16]; 2] = [
    [0x12, 0x2f, 0x77, 0x76, 0x72, 0xbd, 0x63, 0x44, 0xaf, 0xb3, 0xb7, 0x3c, 0x9c, 0x6f, 0x78, 0x86],
    [0xd4, 0xcc, 0x44, 0x27, 0x8a, 0x9d, 0x74, 0x4e, 0x80, 0x3c, 0x0e, 0xcb, 0xee, 0xa1, 0x9c, 0x54],
];
/// What clients call RemoteFX, and the only number the recording's decoder knows it by.
pub(crate) const REMOTE_FX_ID: u8 = 3;

/// NEGOTIATEORDERSUPPORT and ZEROBOUNDSDELTASSUPPORT, which must be there.
const ORDER_FLAGS: u16 = 0x000a;
const MAX_SETS: u16 = 64;

/// What the sets said, of either side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Learnt {
    pub(crate) share_id: u32,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Bits per pixel of the session.
    pub(crate) depth: u16,
    pub(crate) fast_path_output: bool,
    pub(crate) fast_path_input: bool,
    pub(crate) refresh: bool,
    pub(crate) suppress: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Demand,
    Confirm,
}

/// The body of a Demand Active PDU (after pduSource), as the client may see it.
pub(crate) fn demand(body: &[u8]) -> Result<(Vec<u8>, Learnt), Broken> {
    rewrite(body, Which::Demand)
}

/// The body of a Confirm Active PDU, as the target may see it.
pub(crate) fn confirm(body: &[u8]) -> Result<(Vec<u8>, Learnt), Broken> {
    rewrite(body, Which::Confirm)
}

fn rewrite(body: &[u8], which: Which) -> Result<(Vec<u8>, Learnt), Broken> {
    let mut r = Reader::new(body, "capabilities");
    let mut learnt = Learnt { share_id: r.u32()?, ..Learnt::default() };
    let mut out = Vec::with_capacity(body.len());
    out.put32(learnt.share_id);
    if which == Which::Confirm {
        out.put16(r.u16()?); // originatorId
    }
    let source_length = r.u16()?;
    let sets_length = usize::from(r.u16()?);
    let source = r.take(usize::from(source_length))?;
    let mut sets = Reader::new(r.take(sets_length)?, "capabilities");
    let count = sets.u16()?;
    sets.u16()?;
    if count > MAX_SETS {
        return Err(Broken("number of capabilities"));
    }
    let mut kept = Vec::with_capacity(sets_length);
    let mut kept_count = 0u16;
    for _ in 0..count {
        let (kind, length) = (sets.u16()?, usize::from(sets.u16()?));
        let set = sets.take(length.checked_sub(4).ok_or(Broken("capability length"))?)?;
        if let Some(set) = one(kind, set, which, &mut learnt)? {
            kept.put16(kind);
            kept.put16(u16::try_from(set.len() + 4).map_err(|_| Broken("capability length"))?);
            kept.extend_from_slice(&set);
            kept_count += 1;
        }
    }
    out.put16(source_length);
    out.put16(u16::try_from(kept.len() + 4).map_err(|_| Broken("capabilities"))?);
    out.extend_from_slice(source);
    out.put16(kept_count);
    out.put16(0);
    out.extend_from_slice(&kept);
    out.extend_from_slice(r.rest()); // sessionId of a Demand Active
    Ok((out, learnt))
}

/// One set as the other side may see it; none: not at all.
fn one(kind: u16, body: &[u8], which: Which, learnt: &mut Learnt) -> Result<Option<Vec<u8>>, Broken> {
    let mut set = body.to_vec();
    let short = |n: usize| if body.len() < n { Err(Broken("capability length")) } else { Ok(()) };
    match kind {
        set::GENERAL => {
            short(20)?;
            learnt.fast_path_output = body[10] & 1 != 0; // FASTPATH_OUTPUT_SUPPORTED
            learnt.refresh = body[18] != 0;
            learnt.suppress = body[19] != 0;
        }
        set::BITMAP => {
            short(12)?;
            learnt.depth = u16::from_le_bytes([body[0], body[1]]);
            learnt.width = u16::from_le_bytes([body[8], body[9]]);
            learnt.height = u16::from_le_bytes([body[10], body[11]]);
        }
        // MS-RDPBCGR 2.2.7.1.3. Drawing orders cannot be decoded: none is supported.
        set::ORDER => {
            if body.len() != 84 {
                return Err(Broken("capability length"));
            }
            if which == Which::Confirm {
                set.set16(30, ORDER_FLAGS);
                set[32..64].fill(0); // orderSupport
                set.set16(66, 0); // orderSupportExFlags
                set.set32(72, 0); // desktopSaveSize
            }
        }
        // MS-RDPBCGR 2.2.7.1.6: INPUT_FLAG_FASTPATH_INPUT, INPUT_FLAG_FASTPATH_INPUT2
        set::INPUT => {
            short(2)?;
            learnt.fast_path_input = body[0] & 0x28 != 0;
        }
        // MS-RDPBCGR 2.2.7.1.10: no compression either way
        set::VIRTUAL_CHANNEL => {
            short(4)?;
            set.set32(0, 0);
        }
        set::BITMAP_CODECS => set = codecs(body, which)?,
        _ if set::PASSED.contains(&kind) => {}
        _ => return Ok(None),
    }
    Ok(Some(set))
}

/// MS-RDPBCGR 2.2.7.2.10: only RemoteFX.
fn codecs(body: &[u8], which: Which) -> Result<Vec<u8>, Broken> {
    let mut r = Reader::new(body, "bitmap codecs");
    let count = r.u8()?;
    let mut out = vec![0];
    for _ in 0..count {
        let start = r.rest();
        let guid = r.take(16)?;
        let id = r.u8()?;
        let length = usize::from(r.u16()?);
        r.take(length)?;
        // the number is the client's to choose; a server's list has none
        if REMOTE_FX.iter().any(|g| g == guid) && (which == Which::Demand || id == REMOTE_FX_ID) {
            out[0] += 1;
            out.extend_from_slice(&start[..19 + length]);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::share::{CONFIRM_ACTIVE, DEMAND_ACTIVE, control};
    use ironrdp_core::{decode, encode_vec};
    use ironrdp_pdu::rdp::{
        capability_sets::{
            BitmapCodecs, CapabilitySet, CaptureFlags, ClientConfirmActive, Codec, CodecProperty, DemandActive, EntropyBits, NsCodec,
            OffscreenBitmapCache, Order, OrderFlags, OrderSupportExFlags, OrderSupportIndex, Rail, RailSupportLevel, RemoteFxContainer,
            RfxCaps, RfxCapset, RfxClientCapsContainer, RfxICap, RfxICapFlags, ServerDemandActive, VirtualChannel, VirtualChannelFlags,
        },
        headers::{ShareControlHeader, ShareControlPdu},
    };

    fn rfx() -> CodecProperty {
        CodecProperty::RemoteFx(RemoteFxContainer::ClientContainer(RfxClientCapsContainer {
            capture_flags: CaptureFlags::empty(),
            caps_data: RfxCaps(RfxCapset(vec![RfxICap { flags: RfxICapFlags::empty(), entropy_bits: EntropyBits::Rlgr3 }])),
        }))
    }

    fn sets() -> Vec<CapabilitySet> {
        let mut order = Order::new(OrderFlags::all(), OrderSupportExFlags::all(), 1, 2);
        order.set_support_flag(OrderSupportIndex::DstBlt, true);
        vec![
            CapabilitySet::Order(order),
            CapabilitySet::OffscreenBitmapCache(OffscreenBitmapCache { is_supported: true, cache_size: 1, cache_entries: 1 }),
            CapabilitySet::Rail(Rail { support_level: RailSupportLevel::SUPPORTED }),
            CapabilitySet::VirtualChannel(VirtualChannel {
                flags: VirtualChannelFlags::COMPRESSION_SERVER_TO_CLIENT,
                chunk_size: Some(1600),
            }),
            CapabilitySet::BitmapCodecs(BitmapCodecs(vec![
                Codec {
                    id: 1,
                    property: CodecProperty::NsCodec(NsCodec {
                        is_dynamic_fidelity_allowed: true,
                        is_subsampling_allowed: true,
                        color_loss_level: 3,
                    }),
                },
                Codec { id: 3, property: rfx() },
            ])),
        ]
    }

    #[test]
    fn a_client_confirms_only_what_can_be_recorded() {
        let pdu = ShareControlPdu::ClientConfirmActive(ClientConfirmActive {
            originator_id: 1002,
            pdu: DemandActive { source_descriptor: "client".into(), capability_sets: sets() },
        });
        let whole = encode_vec(&ShareControlHeader { share_control_pdu: pdu, pdu_source: 1007, share_id: 0x1_03ea }).unwrap();
        let (body, learnt) = confirm(&whole[6..]).unwrap();
        assert_eq!(learnt.share_id, 0x1_03ea);
        let back: ShareControlHeader = decode(&control(CONFIRM_ACTIVE, 1007, &body)).unwrap();
        let ShareControlPdu::ClientConfirmActive(back) = back.share_control_pdu else { panic!("not a confirm") };
        assert_eq!(back.originator_id, 1002);
        let none =
            Order::new(OrderFlags::NEGOTIATE_ORDER_SUPPORT | OrderFlags::ZERO_BOUNDS_DELTAS_SUPPORT, OrderSupportExFlags::empty(), 0, 2);
        assert_eq!(
            back.pdu.capability_sets,
            vec![
                CapabilitySet::Order(none),
                CapabilitySet::VirtualChannel(VirtualChannel { flags: VirtualChannelFlags::NO_COMPRESSION, chunk_size: Some(1600) }),
                CapabilitySet::BitmapCodecs(BitmapCodecs(vec![Codec { id: 3, property: rfx() }])),
            ]
        );
    }

    #[test]
    fn a_target_demands_without_nscodec_and_remote_programs() {
        let pdu = ShareControlPdu::ServerDemandActive(ServerDemandActive {
            pdu: DemandActive { source_descriptor: "RDP".into(), capability_sets: sets() },
        });
        let whole = encode_vec(&ShareControlHeader { share_control_pdu: pdu, pdu_source: 1002, share_id: 9 }).unwrap();
        let (body, _) = demand(&whole[6..]).unwrap();
        let back: ShareControlHeader = decode(&control(DEMAND_ACTIVE, 1002, &body)).unwrap();
        let ShareControlPdu::ServerDemandActive(back) = back.share_control_pdu else { panic!("not a demand") };
        let kinds: Vec<_> = back.pdu.capability_sets.iter().map(std::mem::discriminant).collect();
        let all = sets();
        let expected: Vec<_> = [&all[0], &all[3], &all[4]].into_iter().map(std::mem::discriminant).collect();
        assert_eq!(kinds, expected);
    }

    #[test]
    fn sets_that_lie_about_their_length_are_refused() {
        let mut body = vec![0u8; 4];
        body.put16(1002);
        body.put16(0);
        body.put16(8);
        body.put16(1);
        body.put16(0);
        body.put16(set::GENERAL);
        body.put16(3);
        assert!(confirm(&body).is_err());
    }
}
