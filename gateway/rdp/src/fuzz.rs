//! What fuzzers call: any bytes of either side, cut anywhere, between any calls.
use crate::{
    Action, EndReason, Ids, Limits, Policy, Relay, RelayConfig, Side, Start, StaticChannel, TextRule, caps,
    channel::{
        Turn,
        clipboard::Clipboard,
        devices::Devices,
        dynamic::Dynamic,
        graphics::{command, put_command},
        zgfx::{self, Decompressor},
    },
    frame_length, input,
    output::Output,
    sample::{SHARE, USER, confirm, demand},
    wire::{
        frame::{self, Frame},
        mcs::{self, Mcs},
        share::{self, SERVER_USER, kind},
        svc::{self, Message},
    },
};
use bytes::Bytes;
use std::time::Duration;

const IO: u16 = 1003;
const CLIPBOARD: u16 = 1004;
const DYNAMIC: u16 = 1005;
const DEVICES: u16 = 1006;
const SOUND: u16 = 1008;
const FAKE: u16 = 2001;
const CHANNELS: [u16; 6] = [IO, CLIPBOARD, DYNAMIC, DEVICES, SOUND, FAKE];
/// Most that one frame brings about: a notice is painted, a long message is cut.
const MOST_ACTIONS: usize = 2000;

/// A session that shows its desktop; `waited`: its client came out of the lobby.
fn session(policy: Policy, waited: bool) -> Relay {
    let channel = |name: &str, id: u16, there: bool| StaticChannel { name: name.into(), client: id, target: there.then_some(id) };
    let limits = Limits { clipboard_bytes: 4096, device_message: 4096, graphics_message: 1 << 20, ..Limits::default() };
    let mut relay = Relay::new(RelayConfig {
        start: if waited { Start::Lobby } else { Start::Licensing },
        io: Ids::same(IO),
        user: Some(Ids::same(USER)),
        message: Some(Ids::same(1010)),
        channels: vec![
            channel("cliprdr", CLIPBOARD, true),
            channel("drdynvc", DYNAMIC, true),
            channel("rdpdr", DEVICES, true),
            channel("rdpsnd", SOUND, true),
            channel("rail", FAKE, false),
        ],
        policy,
        width: 800,
        height: 600,
        limits,
    });
    let map = share::data_pdu(SHARE, SERVER_USER, kind::FONT_MAP, &[0; 8]);
    for (side, pdu) in [(Side::Target, demand(800, 600)), (Side::Client, confirm(16, true)), (Side::Target, map)] {
        assert!(feed(&mut relay, side, wire(side, IO, &pdu), Duration::ZERO));
    }
    while relay.next_action().is_some() {}
    relay
}

fn wire(from: Side, channel: u16, data: &[u8]) -> Bytes {
    let user = if from == Side::Client { USER } else { SERVER_USER };
    mcs::send(from.other(), user, channel, data).unwrap_or_default()
}

fn feed(relay: &mut Relay, from: Side, frame: Bytes, now: Duration) -> bool {
    match from {
        Side::Client => relay.from_client(frame, now),
        Side::Target => relay.from_target(frame, now),
    }
    .is_ok()
}

/// Takes what is to be done, and holds it against what is promised.
fn check(relay: &mut Relay, bare: bool) {
    let mut count = 0;
    while let Some(action) = relay.next_action() {
        count += 1;
        let (to, frame) = match action {
            Action::ToClient(f) => (Side::Client, f),
            Action::ToTarget(f) => (Side::Target, f),
            Action::ClientInfo(_) | Action::Saw(_) => continue,
        };
        assert_eq!(frame_length(&frame, to), Ok(Some(frame.len())), "only whole frames are sent");
        let Ok(Frame::Mcs(pdu)) = frame::open(&frame) else { continue };
        let Ok(Mcs::Send { channel, data, .. }) = mcs::decode(pdu, to.other()) else { continue };
        assert!(channel != FAKE, "a channel that is not there is silent");
        assert!(!bare || [IO, DYNAMIC, 1010].contains(&channel), "nothing passes on a channel that was not granted");
        if channel == DYNAMIC && to == Side::Client {
            let compressed = matches!(data.get(8).map(|b| b >> 4), Some(6..=9));
            assert!(!compressed, "no compression, no soft-sync");
        }
    }
    assert!(count < MOST_ACTIONS, "one frame brings about {count} actions");
}

/// A whole session. The first byte is the grant; then each round has what is done, how long, and the bytes.
///
/// # Panics
/// If a promise of this crate is broken.
pub fn relay(data: &[u8]) {
    let Some((&grant, mut data)) = data.split_first() else { return };
    let bare = grant & 1 == 0;
    let text = Some(TextRule { max_bytes: None });
    let policy = if bare {
        Policy::default()
    } else {
        Policy { clipboard_to_target: text, clipboard_from_target: text, drives: true, audio_out: true, ..Policy::default() }
    };
    let mut relay = session(policy, grant & 2 != 0);
    let mut now = Duration::from_secs(1);
    while let [what, length, rest @ ..] = data {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let side = if what & 1 == 0 { Side::Client } else { Side::Target };
        let channel = CHANNELS[usize::from(what >> 4) % CHANNELS.len()];
        now += Duration::from_millis(u64::from(*length));
        let fine = match what >> 1 & 7 {
            0 => frame::fast_path(what & 0xc0, bytes).is_none_or(|f| feed(&mut relay, side, f.into(), now)),
            1 => feed(&mut relay, side, Bytes::copy_from_slice(bytes), now),
            2 => feed(&mut relay, side, wire(side, channel, bytes), now),
            3 | 4 => svc::chunks(bytes).all(|c| feed(&mut relay, side, wire(side, channel, &c), now)),
            5 => {
                let source = if side == Side::Client { USER } else { SERVER_USER };
                let (kind, body) = bytes.split_first().unwrap_or((&0, &[]));
                feed(&mut relay, side, wire(side, IO, &share::data_pdu(SHARE, source, *kind, body)), now)
            }
            6 => {
                relay.say(&String::from_utf8_lossy(bytes), Some(now + Duration::from_secs(1)), now);
                true
            }
            _ => {
                match what >> 4 & 3 {
                    0 => relay.pause("paused", now),
                    1 => relay.resume(now),
                    _ => {
                        relay.tick(now);
                        assert!(relay.next_tick().is_none_or(|at| at > now), "a driver that obeys does not spin");
                    }
                }
                true
            }
        };
        check(&mut relay, bare);
        if !fine {
            break;
        }
    }
    relay.end(EndReason::Refused, "the end", now);
    check(&mut relay, bare);
    assert!(feed(&mut relay, Side::Client, Bytes::new(), now), "what comes later is ignored");
}

/// Messages of one channel: the first byte says of which.
///
/// # Panics
/// If a promise of this crate is broken.
pub fn channels(data: &[u8]) {
    let Some((&which, mut data)) = data.split_first() else { return };
    let text = Some(TextRule { max_bytes: Some(64) });
    let policy = Policy { clipboard_to_target: text, clipboard_from_target: text, drives: true, ..Policy::default() };
    let limits = Limits { graphics_message: 1 << 20, ..Limits::default() };
    let mut clipboard = Clipboard::new(&policy, &limits);
    let mut devices = Devices::new(&policy);
    let mut dynamic = graphics(&policy, &limits);
    while let [what, length, rest @ ..] = data {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let side = if what & 1 == 0 { Side::Client } else { Side::Target };
        let paused = what & 2 != 0;
        let message = match what & 4 {
            0 => Message::Whole(bytes.to_vec()),
            _ => Message::TooLong { head: bytes.get(..16).unwrap_or(bytes).to_vec(), length: 1 << 20 },
        };
        let mut turn = Turn::new();
        let fine = match which % 4 {
            0 => clipboard.take(side, message, paused, &mut turn).is_ok(),
            1 => devices.take(side, message, paused, &mut turn).is_ok(),
            2 => dynamic.take(side, bytes.to_vec(), paused, &mut turn).is_ok(),
            // what the graphics channel says, without its envelope
            _ => {
                let plain = if side == Side::Target { zgfx::wrap(bytes) } else { bytes.to_vec() };
                let pdu = [&[0x30, 3][..], &plain].concat();
                dynamic.take(side, pdu, paused, &mut turn).is_ok()
            }
        };
        assert!(turn.len() <= 4 + bytes.len() / 8, "{} things said of {} bytes", turn.len(), bytes.len());
        if !fine {
            return;
        }
    }
}

/// Dynamic channels with the graphics channel open and its capabilities agreed on.
fn graphics(policy: &Policy, limits: &Limits) -> Dynamic {
    let mut dynamic = Dynamic::new(policy, limits);
    let mut advertise = vec![0x30, 3];
    put_command(&mut advertise, command::CAPS_ADVERTISE, &[1, 0, 1, 7, 10, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
    let pdus: [(Side, &[u8]); 5] = [
        (Side::Target, &[0x50, 0, 1, 0]),
        (Side::Client, &[0x50, 0, 1, 0]),
        (Side::Target, b"\x10\x03Microsoft::Windows::RDS::Graphics\0"),
        (Side::Client, &[0x10, 3, 0, 0, 0, 0]),
        (Side::Client, &advertise),
    ];
    for (side, pdu) in pdus {
        assert!(dynamic.take(side, pdu.to_vec(), false, &mut Turn::new()).is_ok());
    }
    dynamic
}

/// Frames, updates, capabilities, compressed graphics.
///
/// # Panics
/// If a promise of this crate is broken.
pub fn pieces(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which % 5 {
        0 => {
            // a length that was said once stays the same however much has come
            let said = (0..data.len().min(8)).find_map(|n| frame_length(&data[..n], Side::Client).transpose());
            if let Some(Ok(n)) = said {
                assert_eq!(frame_length(data, Side::Client), Ok(Some(n)));
            }
            if let Ok(Frame::FastPath { first, body }) = frame::open(data) {
                assert!(input::fast_path(first, body).map_or(0, |events| events.len()) < 256);
            }
        }
        1 => drop(Output::default().fast_path(0, data)),
        2 => {
            if let Ok((body, _)) = caps::confirm(data) {
                let again = caps::confirm(&body).map(|(b, _)| b);
                assert_eq!(again, Ok(body), "what was rewritten is not rewritten again");
            }
            drop(caps::demand(data));
        }
        3 => {
            if let Ok(out) = Decompressor::new().message(&[&[0xe0, 0x24][..], data].concat(), 1 << 16) {
                assert!(out.len() <= 65_535 + 4);
            }
        }
        _ => {
            if let Ok(out) = Decompressor::new().message(data, 1 << 16) {
                assert!(out.len() <= 1 << 17);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![2 => any::<u8>(), 2 => 0..=16u8], 0..1500)
    }

    proptest! {
        #[test]
        fn any_session_keeps_every_promise(data in bytes()) {
            super::relay(&data);
        }

        #[test]
        fn any_message_of_a_channel_keeps_every_promise(data in bytes()) {
            super::channels(&data);
        }

        #[test]
        fn any_piece_is_read_or_refused(data in bytes()) {
            super::pieces(&data);
        }
    }
}
