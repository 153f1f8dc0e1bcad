use super::*;
use crate::sample::{SHARE, USER, confirm, demand};
use crate::{
    action::Way,
    channel::graphics::{command, put_command},
    config::TextRule,
    frame_length,
    wire::{
        Put as _,
        frame::{self, Frame},
        mcs::Mcs,
        share::{kind, security},
    },
};

mod channels;
mod life;
mod screen;

const IO: u16 = 1003;
const CLIP: u16 = 1004;
const DYNAMIC: u16 = 1005;
const DEVICES: u16 = 1006;
const MESSAGE: u16 = 1010;
const FAKE: u16 = 2001;
const NOW: Duration = Duration::from_secs(100);

fn config(policy: Policy) -> RelayConfig {
    let channel = |name: &str, client, target| StaticChannel { name: name.into(), client, target };
    RelayConfig {
        start: Start::Licensing,
        io: Ids::same(IO),
        user: Some(Ids::same(USER)),
        message: Some(Ids::same(MESSAGE)),
        channels: vec![
            channel("cliprdr", CLIP, Some(CLIP)),
            channel("drdynvc", DYNAMIC, Some(DYNAMIC)),
            channel("rdpdr", DEVICES, Some(DEVICES)),
            channel("rail", FAKE, None),
        ],
        policy,
        width: 1280,
        height: 800,
        limits: Limits::default(),
    }
}

fn everything() -> Policy {
    Policy {
        clipboard_to_target: Some(TextRule::default()),
        clipboard_from_target: Some(TextRule::default()),
        drives: true,
        ..Policy::default()
    }
}

/// User data of one side, in its frame.
fn wire(from: Side, channel: u16, data: &[u8]) -> Bytes {
    match from {
        Side::Client => mcs::send(Side::Target, USER, channel, data).unwrap(),
        Side::Target => mcs::send(Side::Client, SERVER_USER, channel, data).unwrap(),
    }
}

fn all(r: &mut Relay) -> Vec<Action> {
    std::iter::from_fn(|| r.next_action()).collect()
}

fn feed(r: &mut Relay, from: Side, frame: Bytes, now: Duration) -> Result<Vec<Action>, Violation> {
    assert_eq!(frame_length(&frame, from), Ok(Some(frame.len())));
    match from {
        Side::Client => r.from_client(frame, now)?,
        Side::Target => r.from_target(frame, now)?,
    }
    Ok(all(r))
}

fn say(r: &mut Relay, from: Side, channel: u16, data: &[u8]) -> Result<Vec<Action>, Violation> {
    feed(r, from, wire(from, channel, data), NOW)
}

fn data(from: Side, kind: u8, body: &[u8]) -> Vec<u8> {
    share::data_pdu(SHARE, if from == Side::Client { USER } else { SERVER_USER }, kind, body)
}

/// A session whose picture is there.
fn active(policy: Policy) -> Relay {
    let mut r = Relay::new(config(policy));
    say(&mut r, Side::Target, IO, &demand(1280, 800)).unwrap();
    say(&mut r, Side::Client, IO, &confirm(16, true)).unwrap();
    let got = say(&mut r, Side::Target, IO, &data(Side::Target, kind::FONT_MAP, &[0; 8])).unwrap();
    assert!(matches!(got[0], Action::Saw(Seen::Activated { width: 1280, height: 800 })), "{got:?}");
    r
}

/// What a side gets on a channel, chunks taken off where it is not the I/O channel.
fn got(actions: &[Action], to: Side, channel: u16) -> Vec<Vec<u8>> {
    let frames = actions.iter().filter_map(|a| match (a, to) {
        (Action::ToClient(f), Side::Client) | (Action::ToTarget(f), Side::Target) => Some(f),
        _ => None,
    });
    frames
        .filter_map(|f| match frame::open(f).unwrap() {
            Frame::Mcs(pdu) => match mcs::decode(pdu, to.other()).unwrap() {
                Mcs::Send { channel: c, data, .. } if c == channel => Some(data.to_vec()),
                _ => None,
            },
            Frame::FastPath { .. } => None,
        })
        .map(|d| if channel == IO || channel == MESSAGE { d } else { d[8..].to_vec() })
        .collect()
}

fn seen(actions: &[Action]) -> Vec<Seen> {
    actions.iter().filter_map(|a| if let Action::Saw(s) = a { Some(s.clone()) } else { None }).collect()
}
