use super::*;
use crate::{
    connect::tests::initial,
    relay::Relay,
    sample::{USER, confirm, demand},
    violation::Side,
    wire::{
        frame::{self, Frame},
        mcs::{self, Mcs},
        share::{self, Io, SERVER_USER, kind, security},
    },
};
use ironrdp_core::decode;
use ironrdp_pdu::{
    bitmap::BitmapUpdateData,
    rdp::{
        capability_sets::CapabilitySet,
        headers::{ShareControlHeader, ShareControlPdu},
        server_license::{LicenseErrorCode, LicensePdu},
    },
};
use proptest::prelude::*;

const IO: u16 = 1003;
const CLIP: u16 = 1005;
const WORDS: &str = "svc on reading-room\n\nWaiting for a supervisor to join.";

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn numbers() -> Numbers {
    Numbers { user: USER, io: IO, message: Some(1008), statics: vec![Some(1004), Some(CLIP), Some(1006), Some(1007)] }
}

fn entered() -> Lobby {
    Lobby::new(&initial(&["rdpdr", "cliprdr", "rdpsnd", "drdynvc"]), &numbers(), WORDS, at(0))
}

fn got(lobby: &mut Lobby) -> Vec<Bytes> {
    std::iter::from_fn(|| lobby.next_frame()).collect()
}

/// User data on the I/O channel.
fn said(frames: &[Bytes]) -> Vec<Vec<u8>> {
    let opened = frames.iter().filter_map(|f| match frame::open(f).unwrap() {
        Frame::Mcs(pdu) => match mcs::decode(pdu, Side::Target).unwrap() {
            Mcs::Send { channel: IO, data, .. } => Some(data.to_vec()),
            other => panic!("{other:?}"),
        },
        Frame::FastPath { .. } => None,
    });
    opened.collect()
}

fn kinds(frames: &[Bytes]) -> Vec<u8> {
    let data = said(frames);
    let all = data.iter().flat_map(|d| share::pieces(d, false).unwrap());
    all.filter_map(|p| if let Io::Control(c) = p { Some(share::data(c.body).unwrap().kind) } else { None }).collect()
}

/// Rectangles of bitmaps that were painted.
fn painted(frames: &[Bytes]) -> usize {
    let bodies =
        frames.iter().filter_map(|f| if let Frame::FastPath { body, .. } = frame::open(f).unwrap() { Some(body.to_vec()) } else { None });
    bodies.map(|b| decode::<BitmapUpdateData<'_>>(&b[3..]).unwrap().rectangles.len()).sum()
}

fn say(lobby: &mut Lobby, data: &[u8], now: Duration) -> Vec<Bytes> {
    lobby.from_client(mcs::send(Side::Target, USER, IO, data).unwrap(), now).unwrap();
    got(lobby)
}

fn say_data(lobby: &mut Lobby, kind: u8, body: &[u8], now: Duration) -> Vec<Bytes> {
    say(lobby, &share::data_pdu(SHARE, USER, kind, body), now)
}

/// Up to its picture.
fn open() -> Lobby {
    let mut l = entered();
    got(&mut l);
    say(&mut l, &confirm(16, true), at(1));
    say_data(&mut l, kind::FONT_LIST, &[0, 0, 0, 0, 3, 0, 50, 0], at(2));
    assert!(l.is_open());
    l
}

#[test]
fn whoever_comes_in_is_licensed_and_told_what_there_is() {
    let mut l = entered();
    let data = said(&got(&mut l));
    let LicensePdu::LicensingErrorMessage(licence) = decode(&data[0]).unwrap() else { panic!("no licence") };
    assert_eq!(licence.error_code, LicenseErrorCode::StatusValidClient);
    let header: ShareControlHeader = decode(&data[1]).unwrap();
    assert_eq!((header.share_id, data.len()), (SHARE, 2));
    let ShareControlPdu::ServerDemandActive(active) = header.share_control_pdu else { panic!("no demand") };
    let size = active.pdu.capability_sets.iter().find_map(|s| match s {
        CapabilitySet::Bitmap(b) => Some((b.desktop_width, b.desktop_height, b.pref_bits_per_pix)),
        _ => None,
    });
    assert_eq!(size, Some((1280, 800, 24)), "as the client asked");
    assert!(!l.is_open());
}

#[test]
fn a_client_gets_through_and_sees_the_words() {
    let mut l = entered();
    got(&mut l);
    assert!(say(&mut l, &confirm(16, true), at(1)).is_empty());
    assert_eq!(kinds(&say_data(&mut l, kind::SYNCHRONIZE, &[1, 0, 0xea, 3], at(2))), [kind::SYNCHRONIZE]);
    assert_eq!(kinds(&say_data(&mut l, kind::CONTROL, &[4, 0, 0, 0, 0, 0, 0, 0], at(3))), [kind::CONTROL]);
    let granted = said(&say_data(&mut l, kind::CONTROL, &[1, 0, 0, 0, 0, 0, 0, 0], at(4)));
    assert_eq!(granted[0][18..], [2, 0, 0xea, 3, 0xea, 3, 0, 0], "control is granted to the only user there is");
    let frames = say_data(&mut l, kind::FONT_LIST, &[0, 0, 0, 0, 3, 0, 50, 0], at(5));
    assert_eq!(kinds(&frames), [kind::FONT_MAP]);
    // 1280 x 800 in tiles of 64, and the words over them
    assert!(painted(&frames) > 20 * 13, "{}", painted(&frames));
    assert!(l.is_open());
}

#[test]
fn a_client_without_fast_path_sees_them_too() {
    let mut l = entered();
    got(&mut l);
    say(&mut l, &confirm(16, false), at(1));
    let frames = say_data(&mut l, kind::FONT_LIST, &[0; 8], at(5));
    // the colour and the words
    assert!(kinds(&frames).iter().filter(|k| **k == kind::UPDATE).count() >= 2);
}

#[test]
fn keys_and_channels_go_nowhere() {
    let mut l = open();
    l.from_client(frame::fast_path(1 << 2, &[0, 0x1e]).unwrap().into(), at(10)).unwrap();
    l.from_client(mcs::send(Side::Target, USER, CLIP, &[4, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3, 4]).unwrap(), at(10)).unwrap();
    assert!(got(&mut l).is_empty());
    let wrong = l.from_client(mcs::send(Side::Target, USER, 2000, &[1]).unwrap(), at(10)).unwrap_err();
    assert_eq!((wrong.side, wrong.what), (Side::Client, "unknown channel"));
}

#[test]
fn it_is_painted_again_when_asked_and_not_more_often_than_four_times_a_second() {
    let mut l = open();
    let rect = [1, 0, 0, 0, 0, 0, 0, 0, 10, 0, 10, 0];
    assert_eq!(painted(&say_data(&mut l, kind::REFRESH_RECT, &rect, at(100))), 0);
    assert_eq!(l.next_tick(), Some(at(252)));
    l.tick(at(252));
    assert!(painted(&got(&mut l)) > 100);
    for ms in 253..400 {
        assert_eq!(painted(&say_data(&mut l, kind::REFRESH_RECT, &rect, at(ms))), 0, "{ms}");
    }
    assert_eq!(kinds(&say_data(&mut l, kind::SHUTDOWN_REQUEST, &[], at(401))), [kind::SHUTDOWN_DENIED]);
}

#[test]
fn other_words_and_messages_are_shown() {
    let mut l = open();
    l.set_text("A supervisor has joined.", at(1000));
    assert!(painted(&got(&mut l)) > 100);
    assert_eq!(l.next_tick(), None);
    l.say("Call me at 4711", at(30_000), at(2000));
    let band = painted(&got(&mut l));
    assert!((1..100).contains(&band), "{band}");
    assert_eq!(l.next_tick(), Some(at(30_000)));
    l.tick(at(30_000));
    assert!(painted(&got(&mut l)) > 100, "what was under the band is back");
}

#[test]
fn a_client_leaves_or_is_sent_away() {
    let mut l = open();
    l.from_client(mcs::disconnect(), at(10)).unwrap();
    assert!(l.client_left());
    let mut l = open();
    l.end(EndReason::GrantEnded, "this session has ended", at(10));
    let frames = got(&mut l);
    let error = said(&frames[..frames.len() - 1]);
    let Io::Control(c) = share::pieces(&error[0], false).unwrap()[0] else { panic!("no data") };
    let d = share::data(c.body).unwrap();
    assert_eq!((d.share_id, d.kind, d.body), (SHARE, kind::SET_ERROR_INFO, &[4, 0, 0, 0][..]));
    assert_eq!(*frames.last().unwrap(), mcs::disconnect());
    l.from_client(Bytes::new(), at(11)).unwrap();
}

/// The relay that follows the lobby.
fn relay() -> Relay {
    let clip = StaticChannel { name: "cliprdr".into(), client: CLIP, target: Some(CLIP) };
    Relay::new(RelayConfig {
        start: Start::Lobby,
        io: Ids::same(IO),
        user: Some(Ids::same(USER)),
        message: None,
        channels: vec![clip],
        policy: Policy::default(),
        width: 1280,
        height: 800,
        limits: Limits::default(),
    })
}

fn actions(r: &mut Relay) -> Vec<Action> {
    std::iter::from_fn(|| r.next_action()).collect()
}

fn client(r: &mut Relay, data: &[u8]) -> Vec<Action> {
    r.from_client(mcs::send(Side::Target, USER, IO, data).unwrap(), at(1)).unwrap();
    actions(r)
}

fn target(r: &mut Relay, data: &[u8]) -> Vec<Action> {
    r.from_target(mcs::send(Side::Client, SERVER_USER, IO, data).unwrap(), at(1)).unwrap();
    actions(r)
}

#[test]
fn the_lobby_ends_when_the_target_has_a_desktop() {
    let mut r = relay();
    let refresh = share::data_pdu(SHARE, USER, kind::REFRESH_RECT, &[0; 12]);
    assert!(client(&mut r, &refresh).is_empty(), "the target knows nothing of the lobby");
    r.from_client(mcs::send(Side::Target, USER, CLIP, &[1; 12]).unwrap(), at(1)).unwrap();
    r.from_client(frame::fast_path(1 << 2, &[0, 0x1e]).unwrap().into(), at(1)).unwrap();
    assert!(actions(&mut r).is_empty());
    let began = target(&mut r, &demand(1024, 768));
    let [Action::ToClient(off), Action::ToClient(on)] = &began[..] else { panic!("{began:?}") };
    let off = said(std::slice::from_ref(off)).remove(0);
    let header: ShareControlHeader = decode(&off).unwrap();
    assert!(matches!(header.share_control_pdu, ShareControlPdu::ServerDeactivateAll(_)), "{header:?}");
    assert_eq!(header.share_id, SHARE);
    assert!(
        matches!(share::pieces(&said(std::slice::from_ref(on))[0], false).unwrap()[..], [Io::Control(c)] if c.kind == share::DEMAND_ACTIVE)
    );
    // What it said before it heard of that.
    assert!(client(&mut r, &refresh).is_empty());
    assert!(matches!(client(&mut r, &confirm(16, true))[..], [Action::ToTarget(_)]));
    assert!(matches!(client(&mut r, &refresh)[..], [Action::ToTarget(_)]));
    let shown = target(&mut r, &share::data_pdu(SHARE, SERVER_USER, kind::FONT_MAP, &[0; 8]));
    assert!(matches!(shown[0], Action::Saw(Seen::Activated { width: 1024, height: 768 })), "{shown:?}");
}

#[test]
fn who_was_licensed_in_the_lobby_is_not_licensed_again() {
    let licence = [&security::LICENSE.to_le_bytes()[..], &[0, 0], &[0xff, 3, 16, 0, 7, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0]].concat();
    let mut r = relay();
    let from_target = r.from_target(mcs::send(Side::Client, SERVER_USER, IO, &licence).unwrap(), at(1));
    assert_eq!(from_target.unwrap_err().side, Side::Target);
    let from_client = r.from_client(mcs::send(Side::Target, USER, IO, &licence).unwrap(), at(1));
    assert_eq!(from_client.unwrap_err().side, Side::Client);
}

#[test]
fn an_end_before_the_target_showed_anything_names_the_lobbys_share() {
    let mut r = relay();
    r.end(EndReason::TargetLost, "", at(1));
    let did = actions(&mut r);
    let Action::ToClient(error) = &did[0] else { panic!("{did:?}") };
    let error = said(std::slice::from_ref(error)).remove(0);
    let Io::Control(c) = share::pieces(&error, false).unwrap()[0] else { panic!("no data") };
    assert_eq!(share::data(c.body).unwrap().share_id, SHARE);
}

proptest! {
    #[test]
    fn nothing_a_client_says_makes_the_lobby_stumble(
        said in prop::collection::vec((any::<bool>(), prop_oneof![Just(IO), Just(CLIP), Just(1008)], any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20)
    ) {
        let mut l = open();
        for (n, (as_data, channel, kind, bytes)) in (1000..).step_by(100).zip(said) {
            let data = if as_data { share::data_pdu(SHARE, USER, kind, &bytes) } else { bytes };
            let fine = l.from_client(mcs::send(Side::Target, USER, channel, &data).unwrap(), at(n)).is_ok();
            for f in got(&mut l) {
                prop_assert_eq!(crate::frame_length(&f, Side::Client), Ok(Some(f.len())));
            }
            prop_assert!(l.next_tick().is_none_or(|t| t > at(n)), "a driver that obeys does not spin");
            if !fine {
                break;
            }
        }
    }
}
