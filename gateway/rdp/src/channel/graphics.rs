//! The graphics pipeline (MS-RDPEGFX): H.264 is negotiated away, and what comes is looked at only as far as that promise and our notices need.

use super::zgfx::{self, Decompressor};
use crate::{
    violation::Broken,
    wire::{Put as _, Reader},
};
use std::collections::BTreeMap;

pub(crate) mod command {
    pub(crate) const WIRE_TO_SURFACE_1: u16 = 0x01;
    pub(crate) const WIRE_TO_SURFACE_2: u16 = 0x02;
    pub(crate) const DELETE_ENCODING_CONTEXT: u16 = 0x03;
    pub(crate) const SOLID_FILL: u16 = 0x04;
    pub(crate) const SURFACE_TO_SURFACE: u16 = 0x05;
    pub(crate) const SURFACE_TO_CACHE: u16 = 0x06;
    pub(crate) const CACHE_TO_SURFACE: u16 = 0x07;
    pub(crate) const EVICT_CACHE: u16 = 0x08;
    pub(crate) const CREATE_SURFACE: u16 = 0x09;
    pub(crate) const DELETE_SURFACE: u16 = 0x0a;
    pub(crate) const START_FRAME: u16 = 0x0b;
    pub(crate) const END_FRAME: u16 = 0x0c;
    pub(crate) const FRAME_ACKNOWLEDGE: u16 = 0x0d;
    pub(crate) const RESET: u16 = 0x0e;
    pub(crate) const MAP_TO_OUTPUT: u16 = 0x0f;
    pub(crate) const CACHE_OFFER: u16 = 0x10;
    pub(crate) const CACHE_REPLY: u16 = 0x11;
    pub(crate) const CAPS_ADVERTISE: u16 = 0x12;
    pub(crate) const CAPS_CONFIRM: u16 = 0x13;
    pub(crate) const QOE_ACKNOWLEDGE: u16 = 0x16;
    pub(crate) const MAP_TO_SCALED_OUTPUT: u16 = 0x17;
}

/// Codecs of WIRE_TO_SURFACE_1 that are recorded: uncompressed, RemoteFX, ClearCodec, planar, alpha. Not H.264: 0xb, 0xe, 0xf.
const CODECS: [u16; 5] = [0x0, 0x3, 0x8, 0xa, 0xc];
/// RemoteFX Progressive.
const PROGRESSIVE: u16 = 0x9;

/// RDPGFX_CAPVERSION_8, _81, _10, _102 and up. 10.1 has no flags: it could not say "no H.264".
mod version {
    pub(super) const V8: u32 = 0x0008_0004;
    pub(super) const V8_1: u32 = 0x0008_0105;
    pub(super) const V10: [u32; 8] =
        [0x000a_0002, 0x000a_0200, 0x000a_0301, 0x000a_0400, 0x000a_0502, 0x000a_0600, 0x000a_0601, 0x000a_0701];
}
/// RDPGFX_CAPS_FLAG_AVC420_ENABLED (8.1), RDPGFX_CAPS_FLAG_AVC_DISABLED and _AVC_THINCLIENT (10.x).
const AVC420_ENABLED: u32 = 0x10;
const AVC_DISABLED: u32 = 0x20;
const AVC_THIN_CLIENT: u32 = 0x40;

/// Frames of ours have numbers from here on: the client's answer to them never reaches the target.
pub(crate) const OUR_FRAMES: u32 = 0xffff_f000;
const MAX_SURFACES: usize = 1024;
const HEADER: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Surface {
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Where it is on the desktop, if it is there.
    pub(crate) at: Option<(u32, u32)>,
}

#[derive(Debug)]
pub(crate) struct Graphics {
    reader: Decompressor,
    limit: usize,
    advertised: Vec<u32>,
    pub(crate) confirmed: bool,
    pub(crate) surfaces: BTreeMap<u16, Surface>,
    pub(crate) in_frame: bool,
    /// The surface of our notice.
    pub(crate) ours: Option<u16>,
}

/// What a message of the target did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// A frame ended, or something changed outside of one.
    pub(crate) shown: bool,
    /// All surfaces are gone, ours too.
    pub(crate) reset: bool,
}

impl Graphics {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            reader: Decompressor::new(),
            limit,
            advertised: Vec::new(),
            confirmed: false,
            surfaces: BTreeMap::new(),
            in_frame: false,
            ours: None,
        }
    }

    /// A message of the client, as the target may see it: what is left of it.
    pub(crate) fn from_client(&mut self, message: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::with_capacity(message.len());
        for (kind, whole) in commands(message)? {
            let mut r = Reader::new(&whole[HEADER..], "graphics command");
            match kind {
                command::CAPS_ADVERTISE => self.advertise(r, &mut out)?,
                command::FRAME_ACKNOWLEDGE => {
                    let (_depth, frame) = (r.u32()?, r.u32()?);
                    if frame < OUR_FRAMES {
                        out.extend_from_slice(whole);
                    }
                }
                command::QOE_ACKNOWLEDGE => {
                    if r.u32()? < OUR_FRAMES {
                        out.extend_from_slice(whole);
                    }
                }
                command::CACHE_OFFER => out.extend_from_slice(whole),
                _ => return Err(Broken("unknown graphics command")),
            }
        }
        Ok(out)
    }

    /// RDPGFX_CAPS_ADVERTISE_PDU with H.264 off in every version, and no version that cannot say so.
    fn advertise(&mut self, mut r: Reader<'_>, out: &mut Vec<u8>) -> Result<(), Broken> {
        let count = r.u16()?;
        let mut body = Vec::new();
        self.advertised.clear();
        for _ in 0..count {
            let (version, length) = (r.u32()?, r.length32()?);
            let mut set = Reader::new(r.take(length)?, "graphics capabilities");
            let flags = match version {
                version::V8 => set.u32()?,
                version::V8_1 => set.u32()? & !AVC420_ENABLED,
                v if version::V10.contains(&v) => (set.u32()? | AVC_DISABLED) & !AVC_THIN_CLIENT,
                _ => continue,
            };
            self.advertised.push(version);
            body.put32(version);
            body.put32(4);
            body.put32(flags);
        }
        let n = u16::try_from(self.advertised.len()).map_err(|_| Broken("graphics capabilities"))?;
        begin(out, command::CAPS_ADVERTISE, body.len() + 2);
        out.put16(n);
        out.extend_from_slice(&body);
        Ok(())
    }

    /// A whole message of the target, still compressed. Returns what it says uncompressed.
    pub(crate) fn from_target(&mut self, message: &[u8]) -> Result<(Vec<u8>, Drawn), Broken> {
        let plain = self.reader.message(message, self.limit)?;
        let mut drawn = Drawn::default();
        for (kind, whole) in commands(&plain)? {
            self.command(kind, Reader::new(&whole[HEADER..], "graphics command"), &mut drawn)?;
        }
        Ok((plain, drawn))
    }

    fn command(&mut self, kind: u16, mut r: Reader<'_>, drawn: &mut Drawn) -> Result<(), Broken> {
        match kind {
            command::WIRE_TO_SURFACE_1 => {
                let (_surface, codec) = (r.u16()?, r.u16()?);
                if !CODECS.contains(&codec) {
                    return Err(Broken("graphics codec that cannot be recorded"));
                }
            }
            command::WIRE_TO_SURFACE_2 => {
                let (_surface, codec) = (r.u16()?, r.u16()?);
                if codec != PROGRESSIVE {
                    return Err(Broken("graphics codec that cannot be recorded"));
                }
            }
            command::CAPS_CONFIRM => self.confirm(r)?,
            command::CREATE_SURFACE => {
                let (id, width, height) = (r.u16()?, r.u16()?, r.u16()?);
                self.not_ours(id)?;
                if self.surfaces.len() >= MAX_SURFACES {
                    return Err(Broken("number of graphics surfaces"));
                }
                self.surfaces.insert(id, Surface { width, height, at: None });
            }
            command::DELETE_SURFACE => {
                let id = r.u16()?;
                self.not_ours(id)?;
                self.surfaces.remove(&id);
            }
            command::MAP_TO_OUTPUT | command::MAP_TO_SCALED_OUTPUT => {
                let (id, _) = (r.u16()?, r.u16()?);
                let at = (r.u32()?, r.u32()?);
                if let Some(surface) = self.surfaces.get_mut(&id) {
                    surface.at = Some(at);
                }
            }
            command::RESET => {
                self.surfaces.clear();
                self.ours = None;
                drawn.reset = true;
            }
            command::START_FRAME => {
                if self.in_frame {
                    return Err(Broken("graphics frame within another"));
                }
                self.in_frame = true;
            }
            command::END_FRAME => self.in_frame = false,
            command::DELETE_ENCODING_CONTEXT
            | command::SOLID_FILL
            | command::SURFACE_TO_SURFACE
            | command::SURFACE_TO_CACHE
            | command::CACHE_TO_SURFACE
            | command::EVICT_CACHE
            | command::CACHE_REPLY => {}
            // windows of remote programs are not asked for
            _ => return Err(Broken("unknown graphics command")),
        }
        drawn.shown |= !self.in_frame;
        Ok(())
    }

    fn confirm(&mut self, mut r: Reader<'_>) -> Result<(), Broken> {
        let (version, _length) = (r.u32()?, r.u32()?);
        if !self.advertised.contains(&version) {
            return Err(Broken("graphics version that was not offered"));
        }
        let flags = r.u32()?;
        let avc = match version {
            version::V8 => false,
            version::V8_1 => flags & AVC420_ENABLED != 0,
            _ => flags & AVC_DISABLED == 0,
        };
        if avc {
            return Err(Broken("H.264, which was not offered"));
        }
        self.confirmed = true;
        Ok(())
    }

    fn not_ours(&self, id: u16) -> Result<(), Broken> {
        if self.ours == Some(id) { Err(Broken("graphics surface of the gateway")) } else { Ok(()) }
    }

    /// A number that no surface of the target has.
    pub(crate) fn free_surface(&self) -> Option<u16> {
        (0xff00..=0xffff).rev().find(|id| !self.surfaces.contains_key(id))
    }
}

/// The commands of a message (MS-RDPEGFX 2.2.1.5): each its kind and all of its bytes.
pub(crate) fn commands(message: &[u8]) -> Result<Vec<(u16, &[u8])>, Broken> {
    let mut out = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let mut r = Reader::new(rest, "graphics command");
        let (kind, _flags, length) = (r.u16()?, r.u16()?, r.length32()?);
        let (whole, next) = rest.split_at_checked(length).filter(|_| length >= HEADER).ok_or(r.broken())?;
        out.push((kind, whole));
        rest = next;
    }
    Ok(out)
}

fn begin(out: &mut Vec<u8>, kind: u16, body: usize) {
    out.put16(kind);
    out.put16(0);
    out.put32(u32::try_from(body + HEADER).unwrap_or(u32::MAX));
}

/// One command.
pub(crate) fn put_command(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
    begin(out, kind, body.len());
    out.extend_from_slice(body);
}

/// A message of ours as the client reads it.
pub(crate) fn plain(message: &[u8]) -> Vec<u8> {
    zgfx::wrap(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ironrdp_core::{decode, encode_vec};
    use ironrdp_egfx::pdu::{
        CapabilitiesAdvertisePdu, CapabilitiesConfirmPdu, CapabilitiesV8Flags, CapabilitiesV10Flags, CapabilitiesV81Flags,
        CapabilitiesV103Flags, CapabilitiesV104Flags, CapabilitiesV107Flags, CapabilitySet, GfxPdu,
    };

    fn everything() -> Vec<CapabilitySet> {
        vec![
            CapabilitySet::V8 { flags: CapabilitiesV8Flags::THIN_CLIENT },
            CapabilitySet::V8_1 { flags: CapabilitiesV81Flags::AVC420_ENABLED | CapabilitiesV81Flags::SMALL_CACHE },
            CapabilitySet::V10 { flags: CapabilitiesV10Flags::SMALL_CACHE },
            CapabilitySet::V10_1,
            CapabilitySet::V10_2 { flags: CapabilitiesV10Flags::empty() },
            CapabilitySet::V10_3 { flags: CapabilitiesV103Flags::AVC_THIN_CLIENT },
            CapabilitySet::V10_4 { flags: CapabilitiesV104Flags::AVC_THIN_CLIENT },
            CapabilitySet::V10_5 { flags: CapabilitiesV104Flags::empty() },
            CapabilitySet::V10_6 { flags: CapabilitiesV104Flags::empty() },
            CapabilitySet::V10_7 { flags: CapabilitiesV107Flags::empty() },
        ]
    }

    fn advertised(g: &mut Graphics) -> Vec<u8> {
        let bytes = encode_vec(&GfxPdu::CapabilitiesAdvertise(CapabilitiesAdvertisePdu::from_typed(&everything()))).unwrap();
        g.from_client(&bytes).unwrap()
    }

    fn confirm(set: CapabilitySet) -> Vec<u8> {
        zgfx::wrap(&encode_vec(&GfxPdu::CapabilitiesConfirm(CapabilitiesConfirmPdu::from_typed(&set))).unwrap())
    }

    #[test]
    fn h264_is_off_in_every_version() {
        let mut g = Graphics::new(1 << 20);
        let bytes = advertised(&mut g);
        let GfxPdu::CapabilitiesAdvertise(read) = decode(&bytes).unwrap() else { panic!("no capabilities") };
        let off10 = CapabilitiesV10Flags::AVC_DISABLED;
        let off104 = CapabilitiesV104Flags::AVC_DISABLED;
        let read: Vec<_> = read.0.iter().map(|c| c.parsed().unwrap().unwrap()).collect();
        assert_eq!(
            read,
            vec![
                CapabilitySet::V8 { flags: CapabilitiesV8Flags::THIN_CLIENT },
                CapabilitySet::V8_1 { flags: CapabilitiesV81Flags::SMALL_CACHE },
                CapabilitySet::V10 { flags: CapabilitiesV10Flags::SMALL_CACHE | off10 },
                CapabilitySet::V10_2 { flags: off10 },
                CapabilitySet::V10_3 { flags: CapabilitiesV103Flags::AVC_DISABLED },
                CapabilitySet::V10_4 { flags: off104 },
                CapabilitySet::V10_5 { flags: off104 },
                CapabilitySet::V10_6 { flags: off104 },
                CapabilitySet::V10_7 { flags: CapabilitiesV107Flags::AVC_DISABLED },
            ]
        );
    }

    #[test]
    fn a_target_that_confirms_h264_is_stopped() {
        for set in [
            CapabilitySet::V8_1 { flags: CapabilitiesV81Flags::AVC420_ENABLED },
            CapabilitySet::V10_7 { flags: CapabilitiesV107Flags::empty() },
            CapabilitySet::V10_1,
        ] {
            let mut g = Graphics::new(1 << 20);
            advertised(&mut g);
            assert!(g.from_target(&confirm(set.clone())).is_err(), "{set:?}");
        }
        let mut g = Graphics::new(1 << 20);
        advertised(&mut g);
        g.from_target(&confirm(CapabilitySet::V10_7 { flags: CapabilitiesV107Flags::AVC_DISABLED })).unwrap();
        assert!(g.confirmed);
    }

    #[test]
    fn a_picture_in_h264_is_stopped() {
        for codec in 0..=0x10u16 {
            let mut g = Graphics::new(1 << 20);
            let mut body = vec![0, 0];
            body.put16(codec);
            body.extend_from_slice(&[0x20; 13]);
            let mut message = Vec::new();
            put_command(&mut message, command::WIRE_TO_SURFACE_1, &body);
            assert_eq!(g.from_target(&zgfx::wrap(&message)).is_ok(), CODECS.contains(&codec), "{codec:#x}");
        }
    }

    #[test]
    fn answers_to_frames_of_ours_do_not_reach_the_target() {
        let mut g = Graphics::new(1 << 20);
        let ack = |frame: u32| {
            let mut body = vec![0; 4];
            body.put32(frame);
            body.put32(9);
            let mut out = Vec::new();
            put_command(&mut out, command::FRAME_ACKNOWLEDGE, &body);
            out
        };
        assert_eq!(g.from_client(&[ack(5), ack(OUR_FRAMES + 1), ack(6)].concat()).unwrap(), [ack(5), ack(6)].concat());
    }

    #[test]
    fn surfaces_are_known() {
        let mut g = Graphics::new(1 << 20);
        let mut message = Vec::new();
        put_command(&mut message, command::CREATE_SURFACE, &[0xff, 0xff, 0, 4, 0, 3, 0x20]);
        put_command(&mut message, command::MAP_TO_OUTPUT, &[0xff, 0xff, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        assert!(g.from_target(&zgfx::wrap(&message)).unwrap().1.shown);
        assert_eq!(g.surfaces.get(&0xffff), Some(&Surface { width: 1024, height: 768, at: Some((1, 2)) }));
        assert_eq!(g.free_surface(), Some(0xfffe));
        let mut reset = Vec::new();
        put_command(&mut reset, command::RESET, &[0; 332]);
        assert!(g.from_target(&zgfx::wrap(&reset)).unwrap().1.reset);
        assert_eq!(g.free_surface(), Some(0xffff));
    }
}
