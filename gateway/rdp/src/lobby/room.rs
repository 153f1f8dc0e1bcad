//! What a target does that has nothing but words to show: it licenses everybody, agrees on little, and paints when it is asked to.

use crate::{
    caps,
    notice::{Banner, PAGE, bitmap},
    violation::Side,
    wire::{
        Put as _,
        frame::{self, Frame},
        mcs::{self, Mcs},
        share::{self, Io, SERVER_USER, kind, security},
    },
};
use bytes::Bytes;
use ironrdp_pdu::rdp::{
    capability_sets::{
        Bitmap, BitmapDrawingFlags, CapabilitySet, DemandActive, General, GeneralExtraFlags, Input, InputFlags, Order, OrderFlags,
        OrderSupportExFlags, Pointer, ServerDemandActive, VirtualChannel, VirtualChannelFlags,
    },
    headers::{ShareControlHeader, ShareControlPdu},
};
use std::time::Duration;

/// Between two paintings: who asks more often than that is not answered more often.
const AGAIN: Duration = Duration::from_millis(250);

/// License Error: STATUS_VALID_CLIENT, ST_NO_TRANSITION, no more words (MS-RDPBCGR 2.2.1.12.1.3).
const VALID_CLIENT: [u8; 16] = [0xff, 3, 16, 0, 7, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0];
/// CTRLACTION_REQUEST_CONTROL, _GRANTED_CONTROL, _COOPERATE (MS-RDPBCGR 2.2.1.15.1).
const REQUEST: u16 = 1;
const GRANTED: u16 = 2;
const COOPERATE: u16 = 4;
/// The only server there is says this of itself (2.2.1.21).
const CONTROL_ID: u32 = 0x03ea;

#[derive(Debug)]
pub(super) struct Room {
    io: u16,
    size: (u16, u16),
    /// Bits per pixel; what the client agreed to, once it has.
    depth: u16,
    fast_path: bool,
    text: String,
    open: bool,
    /// Something is to be painted.
    stale: bool,
    painted_at: Option<Duration>,
    answers: Vec<Bytes>,
}

impl Room {
    pub(super) fn new(io: u16, size: (u16, u16), depth: u16, text: &str) -> Self {
        Self { io, size, depth, fast_path: false, text: text.to_owned(), open: false, stale: false, painted_at: None, answers: Vec::new() }
    }

    /// What comes after Client Info: a licence for nothing, and what the desktop is like.
    pub(super) fn welcome(&mut self) -> Vec<Bytes> {
        let mut licence = Vec::with_capacity(20);
        licence.put16(security::LICENSE);
        licence.put16(0);
        licence.extend_from_slice(&VALID_CLIENT);
        self.say(&licence);
        self.say(&self.demand());
        std::mem::take(&mut self.answers)
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn set_text(&mut self, text: &str) {
        if self.text != text {
            text.clone_into(&mut self.text);
            self.stale = true;
        }
    }

    pub(super) fn next_tick(&self) -> Option<Duration> {
        self.painted_at.filter(|_| self.stale && self.open).map(|at| at + AGAIN)
    }

    /// A frame the relay has let pass. What a room has no answer to is for nobody.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let Ok(Frame::Mcs(pdu)) = frame::open(bytes) else { return };
        let Ok(Mcs::Send { channel, data, .. }) = mcs::decode(pdu, Side::Client) else { return };
        if channel != self.io {
            return;
        }
        for piece in share::pieces(data, false).unwrap_or_default() {
            match piece {
                Io::Control(c) if c.kind == share::CONFIRM_ACTIVE => {
                    if let Ok((_, learnt)) = caps::confirm(c.body) {
                        (self.depth, self.fast_path) = (learnt.depth, learnt.fast_path_output);
                    }
                }
                Io::Control(c) if c.kind == share::DATA => {
                    if let Ok(d) = share::data(c.body) {
                        self.data(d.kind, d.body);
                    }
                }
                _ => {}
            }
        }
    }

    /// MS-RDPBCGR 1.3.1.1, connection finalization; 2.2.2.1 for a client whose window is being closed.
    fn data(&mut self, kind: u8, body: &[u8]) {
        match kind {
            kind::SYNCHRONIZE => self.say_data(kind::SYNCHRONIZE, &[1, 0, SERVER_USER.to_le_bytes()[0], SERVER_USER.to_le_bytes()[1]]),
            kind::CONTROL => match body.get(..2).map(|b| u16::from_le_bytes([b[0], b[1]])) {
                Some(COOPERATE) => self.control(COOPERATE, 0, 0),
                Some(REQUEST) => self.control(GRANTED, SERVER_USER, CONTROL_ID),
                _ => {}
            },
            kind::FONT_LIST => {
                // no entries; FONTMAP_FIRST, FONTMAP_LAST; their size
                self.say_data(kind::FONT_MAP, &[0, 0, 0, 0, 3, 0, 4, 0]);
                (self.open, self.stale) = (true, true);
            }
            kind::REFRESH_RECT => self.stale = true,
            // ALLOW_DISPLAY_UPDATES
            kind::SUPPRESS_OUTPUT => self.stale |= body.first() == Some(&1),
            kind::SHUTDOWN_REQUEST => self.say_data(kind::SHUTDOWN_DENIED, &[]),
            _ => {}
        }
    }

    /// What there is to say by now.
    pub(super) fn frames(&mut self, now: Duration) -> Vec<Bytes> {
        if self.open && self.stale && self.painted_at.is_none_or(|at| now >= at + AGAIN) {
            (self.stale, self.painted_at) = (false, Some(now));
            self.paint();
        }
        std::mem::take(&mut self.answers)
    }

    fn paint(&mut self) {
        let (width, height) = self.size;
        let mut updates = bitmap::blank(width, height, PAGE, self.depth);
        if let Some(page) = Banner::page(&self.text, width, height) {
            updates.extend(bitmap::updates(&page, self.depth));
        }
        for body in updates {
            if self.fast_path {
                self.answers.extend(bitmap::fast_path(&body));
            } else {
                self.say_data(kind::UPDATE, &body);
            }
        }
    }

    fn say(&mut self, data: &[u8]) {
        self.answers.extend(mcs::send(Side::Client, SERVER_USER, self.io, data));
    }

    fn say_data(&mut self, kind: u8, body: &[u8]) {
        self.say(&share::data_pdu(super::SHARE, SERVER_USER, kind, body));
    }

    fn control(&mut self, action: u16, grant: u16, id: u32) {
        let mut body = Vec::with_capacity(8);
        body.put16(action);
        body.put16(grant);
        body.put32(id);
        self.say_data(kind::CONTROL, &body);
    }

    fn demand(&self) -> Vec<u8> {
        let (desktop_width, desktop_height) = self.size;
        let sets = vec![
            CapabilitySet::General(General {
                extra_flags: GeneralExtraFlags::FASTPATH_OUTPUT_SUPPORTED,
                refresh_rect_support: true,
                suppress_output_support: true,
                ..General::default()
            }),
            CapabilitySet::Bitmap(Bitmap {
                pref_bits_per_pix: self.depth,
                desktop_width,
                desktop_height,
                desktop_resize_flag: true,
                drawing_flags: BitmapDrawingFlags::ALLOW_SKIP_ALPHA,
            }),
            CapabilitySet::Order(Order::new(
                OrderFlags::NEGOTIATE_ORDER_SUPPORT | OrderFlags::ZERO_BOUNDS_DELTAS_SUPPORT,
                OrderSupportExFlags::empty(),
                0,
                0,
            )),
            CapabilitySet::Pointer(Pointer { color_pointer_cache_size: 25, pointer_cache_size: 25 }),
            CapabilitySet::Input(Input {
                input_flags: InputFlags::SCANCODES | InputFlags::UNICODE | InputFlags::FASTPATH_INPUT | InputFlags::FASTPATH_INPUT_2,
                keyboard_layout: 0,
                keyboard_type: None,
                keyboard_subtype: 0,
                keyboard_function_key: 0,
                keyboard_ime_filename: String::new(),
            }),
            CapabilitySet::VirtualChannel(VirtualChannel { flags: VirtualChannelFlags::NO_COMPRESSION, chunk_size: Some(1600) }),
        ];
        let pdu = DemandActive { source_descriptor: String::new(), capability_sets: sets };
        let whole = ShareControlHeader {
            share_control_pdu: ShareControlPdu::ServerDemandActive(ServerDemandActive { pdu }),
            pdu_source: SERVER_USER,
            share_id: super::SHARE,
        };
        ironrdp_core::encode_vec(&whole).unwrap_or_default()
    }
}
