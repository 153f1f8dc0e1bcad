//! Input, pauses, and words on the screen.

use super::*;
use crate::{channel::graphics::OUR_FRAMES, input};

fn later(ms: u64) -> Duration {
    NOW + Duration::from_millis(ms)
}

fn key(code: u8, up: bool) -> Bytes {
    frame::fast_path(1 << 2, &[u8::from(up), code]).unwrap().into()
}

fn mouse(flags: u16, x: u16, y: u16) -> Bytes {
    let (first, body) = input::as_fast_path(&[input::Event::Pointer { flags, x, y }]);
    frame::fast_path(first, &body).unwrap().into()
}

fn fast(actions: &[Action], to: Side) -> Vec<Bytes> {
    let frames = actions.iter().filter_map(|a| match (a, to) {
        (Action::ToClient(f), Side::Client) | (Action::ToTarget(f), Side::Target) => Some(f.clone()),
        _ => None,
    });
    frames.filter(|f| f[0] & 3 == 0).collect()
}

#[test]
fn the_pointer_is_reported_twenty_times_a_second_and_where_it_rests() {
    let mut r = active(Policy::default());
    let mut reported = Vec::new();
    for i in 0..100 {
        let did = feed(&mut r, Side::Client, mouse(0x800, i, 5), later(u64::from(i) * 10)).unwrap();
        assert_eq!(fast(&did, Side::Target).len(), 1);
        reported.extend(seen(&did));
    }
    assert_eq!(reported.len(), 20);
    let next = r.next_tick().unwrap();
    assert!(next <= later(1001));
    r.tick(next);
    assert_eq!(seen(&all(&mut r)), [Seen::Pointer { x: 99, y: 5 }]);
    assert_eq!(r.next_tick(), None);
}

#[test]
fn a_pause_lets_go_of_what_is_held_and_drops_what_is_typed() {
    let mut r = active(Policy::default());
    for frame in [key(0x1d, false), key(0x1e, false), key(0x1e, true), mouse(0x9000, 30, 40)] {
        feed(&mut r, Side::Client, frame, NOW).unwrap();
    }
    r.pause("Paused by a supervisor", NOW);
    let did = all(&mut r);
    let let_go =
        [input::Event::Key { code: 0x1d, extended: input::Extended(0), up: true }, input::Event::Pointer { flags: 0x1000, x: 30, y: 40 }];
    let (first, body) = input::as_fast_path(&let_go);
    assert_eq!(fast(&did, Side::Target), [frame::fast_path(first, &body).unwrap()]);
    assert!(!fast(&did, Side::Client).is_empty(), "the words are on the screen");
    assert!(r.paused());
    for frame in [key(0x1f, false), mouse(0x800, 9, 9), wire(Side::Client, IO, &data(Side::Client, kind::INPUT, &[0; 4]))] {
        assert!(feed(&mut r, Side::Client, frame, NOW).unwrap().is_empty());
    }
    let caps = frame::fast_path(1 << 2, &[3 << 5 | 4]).unwrap();
    assert!(feed(&mut r, Side::Client, caps.into(), NOW).unwrap().is_empty());
    r.resume(later(10));
    let did = all(&mut r);
    assert_eq!(fast(&did, Side::Target), [frame::fast_path(0, &[1, 3 << 5 | 4]).unwrap()], "the lights as they are now");
    let asked = got(&did, Side::Target, IO).concat();
    assert_eq!(asked[14], kind::REFRESH_RECT, "what was under the words is drawn again");
    assert_eq!(fast(&feed(&mut r, Side::Client, key(0x1f, false), NOW).unwrap(), Side::Target).len(), 1);
}

#[test]
fn words_go_when_their_time_is_over() {
    let mut r = active(Policy::default());
    r.say("This session ends in 5 minutes.", Some(later(5000)), NOW);
    assert!(!fast(&all(&mut r), Side::Client).is_empty());
    assert_eq!(r.next_tick(), Some(later(5000)));
    r.tick(later(4000));
    assert!(all(&mut r).is_empty());
    r.tick(later(5000));
    assert_eq!(got(&all(&mut r), Side::Target, IO).len(), 1);
    assert_eq!(r.next_tick(), None);
}

#[test]
fn words_that_are_painted_over_come_back_a_little_later() {
    let mut r = active(Policy::default());
    r.say("Look here", None, NOW);
    let band = fast(&all(&mut r), Side::Client);
    let update: Bytes = frame::fast_path(0, &[1, 4, 0, 1, 0, 0, 0]).unwrap().into();
    for at in [later(10), later(20)] {
        assert_eq!(fast(&feed(&mut r, Side::Target, update.clone(), at).unwrap(), Side::Client), std::slice::from_ref(&update));
    }
    assert_eq!(r.next_tick(), Some(later(250)));
    r.tick(later(250));
    assert_eq!(fast(&all(&mut r), Side::Client), band);
    // not within an update that is half sent
    let half: Bytes = frame::fast_path(0, &[1 | 2 << 4, 4, 0, 1, 0, 0, 0]).unwrap().into();
    assert_eq!(fast(&feed(&mut r, Side::Target, half.clone(), later(900)).unwrap(), Side::Client), [half]);
    let rest: Bytes = frame::fast_path(0, &[1 | 1 << 4, 1, 0, 0]).unwrap().into();
    assert_eq!(fast(&feed(&mut r, Side::Target, rest, later(901)).unwrap(), Side::Client).len(), 1 + band.len());
}

/// A session that shows its desktop through the graphics pipeline.
fn graphics() -> (Relay, ironrdp_graphics::zgfx::Decompressor) {
    let mut r = active(Policy::default());
    let mut tell = |from, pdu: &[u8]| svc::chunks(pdu).for_each(|c| drop(say(&mut r, from, DYNAMIC, &c).unwrap()));
    tell(Side::Target, &[0x50, 0, 1, 0]);
    tell(Side::Client, &[0x50, 0, 1, 0]);
    tell(Side::Target, b"\x10\x03Microsoft::Windows::RDS::Graphics\0");
    tell(Side::Client, &[0x10, 3, 0, 0, 0, 0]);
    let mut advertise = vec![0x30, 3];
    put_command(&mut advertise, command::CAPS_ADVERTISE, &[1, 0, 1, 7, 10, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
    tell(Side::Client, &advertise);
    let mut message = Vec::new();
    put_command(&mut message, command::CAPS_CONFIRM, &[1, 7, 10, 0, 4, 0, 0, 0, 0x20, 0, 0, 0]);
    put_command(&mut message, command::CREATE_SURFACE, &[1, 0, 0, 5, 0x20, 3, 0x20]);
    put_command(&mut message, command::MAP_TO_OUTPUT, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    tell(Side::Target, &[&[0x30, 3, 0xe0, 4][..], &message].concat());
    (r, ironrdp_graphics::zgfx::Decompressor::new())
}

/// The graphics commands the client gets: their kinds and bodies.
fn commands(actions: &[Action], reader: &mut ironrdp_graphics::zgfx::Decompressor) -> Vec<(u16, Vec<u8>)> {
    let mut message = Vec::new();
    for pdu in got(actions, Side::Client, DYNAMIC) {
        message.extend_from_slice(&pdu[if pdu[0] >> 4 == 2 { 6 } else { 2 }..]);
    }
    let mut plain = Vec::new();
    if !message.is_empty() {
        reader.decompress(&message, &mut plain).unwrap();
    }
    crate::channel::graphics::commands(&plain).unwrap().into_iter().map(|(k, whole)| (k, whole[8..].to_vec())).collect()
}

#[test]
fn with_the_graphics_pipeline_words_are_a_surface_of_their_own() {
    let (mut r, mut reader) = graphics();
    r.say("Paused", None, NOW);
    let did = all(&mut r);
    assert!(fast(&did, Side::Client).is_empty());
    let shown = commands(&did, &mut reader);
    let kinds: Vec<_> = shown.iter().map(|c| c.0).collect();
    use command::*;
    assert_eq!(kinds, [CREATE_SURFACE, MAP_TO_OUTPUT, START_FRAME, SOLID_FILL, SOLID_FILL, END_FRAME]);
    assert_eq!(shown[0].1[..4], [0xff, 0xff, 0xfc, 4], "nearly as wide as the desktop");
    let frame = u32::from_le_bytes(shown[5].1[..].try_into().unwrap());
    assert!(frame >= OUR_FRAMES);
    // the client's answer to it stays here
    let mut ack = vec![0x30, 3];
    put_command(&mut ack, FRAME_ACKNOWLEDGE, &[&[0; 4][..], &frame.to_le_bytes(), &[1, 0, 0, 0]].concat());
    let chunk = svc::chunks(&ack).next().unwrap();
    assert!(say(&mut r, Side::Client, DYNAMIC, &chunk).unwrap().is_empty());
    r.say("", None, NOW);
    let gone = commands(&all(&mut r), &mut reader);
    let kinds: Vec<_> = gone.iter().map(|c| c.0).collect();
    assert_eq!(kinds, [DELETE_SURFACE, START_FRAME, SURFACE_TO_SURFACE, END_FRAME]);
    assert_eq!(gone[2].1[..4], [1, 0, 1, 0], "the target's surface onto itself");
}

#[test]
fn words_wait_for_the_end_of_a_frame() {
    let (mut r, mut reader) = graphics();
    let graphics = |r: &mut Relay, kind: u16, body: &[u8]| {
        let mut message = vec![0x30, 3, 0xe0, 4];
        put_command(&mut message, kind, body);
        say(r, Side::Target, DYNAMIC, &svc::chunks(&message).next().unwrap()).unwrap()
    };
    graphics(&mut r, command::START_FRAME, &[0; 8]);
    r.say("Paused", None, NOW);
    assert!(all(&mut r).is_empty());
    let did = graphics(&mut r, command::END_FRAME, &[0; 4]);
    let mut reader_of_the_rest = commands(&did[..1], &mut reader);
    assert_eq!(reader_of_the_rest.pop().map(|c| c.0), Some(command::END_FRAME));
    assert_eq!(commands(&did[1..], &mut reader).len(), 6);
}

#[test]
fn words_reach_a_session_without_fast_path_too() {
    let mut r = Relay::new(config(Policy::default()));
    say(&mut r, Side::Target, IO, &demand(1280, 800)).unwrap();
    say(&mut r, Side::Client, IO, &crate::sample::confirm(24, false)).unwrap();
    r.say("Paused", None, NOW);
    assert!(all(&mut r).is_empty(), "not before the desktop is there");
    let did = say(&mut r, Side::Target, IO, &data(Side::Target, kind::FONT_MAP, &[0; 8])).unwrap();
    assert!(fast(&did, Side::Client).is_empty());
    let updates = got(&did, Side::Client, IO);
    assert!(updates.len() > 1 && updates[1..].iter().all(|u| u[14] == kind::UPDATE && u[18] == 1), "bitmap updates");
}

struct Nothing;
impl ironrdp_egfx::client::GraphicsPipelineHandler for Nothing {}

/// The decoder that recordings use sees the band come over the target's picture, and the picture again when it goes.
#[test]
fn a_recording_decodes_the_words_and_what_was_under_them() {
    use ironrdp_dvc::DvcProcessor as _;
    let (mut r, _) = graphics();
    let mut decoder = ironrdp_egfx::client::GraphicsPipelineClient::new(Box::new(Nothing), None);
    decoder.start(3).unwrap();
    let mut message = Vec::new();
    put_command(&mut message, command::CAPS_CONFIRM, &[1, 7, 10, 0, 4, 0, 0, 0, 0x20, 0, 0, 0]);
    let mut reset = Vec::new();
    [1280, 800, 0].into_iter().for_each(|n| reset.put32(n));
    reset.resize(332, 0);
    put_command(&mut message, command::RESET, &reset);
    put_command(&mut message, command::CREATE_SURFACE, &[1, 0, 0, 5, 0x20, 3, 0x20]);
    put_command(&mut message, command::MAP_TO_OUTPUT, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    put_command(&mut message, command::START_FRAME, &[0; 8]);
    put_command(&mut message, command::SOLID_FILL, &[1, 0, 9, 8, 7, 0xff, 1, 0, 0, 0, 0, 0, 0, 5, 0x20, 3]);
    put_command(&mut message, command::END_FRAME, &[0; 4]);
    decoder.process(3, &crate::channel::zgfx::wrap(&message)).unwrap();
    // the first point of what changed, as red, green, blue
    let first = |decoder: &mut ironrdp_egfx::client::GraphicsPipelineClient, actions: &[Action]| {
        let pdus = got(actions, Side::Client, DYNAMIC);
        let message: Vec<u8> = pdus.iter().flat_map(|p| p[if p[0] >> 4 == 2 { 6 } else { 2 }..].to_vec()).collect();
        decoder.process(3, &message).unwrap();
        let update = decoder.drain_output().pop().unwrap();
        assert_eq!((update.region.left, update.region.top), (0, 0));
        [update.data[0], update.data[1], update.data[2]]
    };
    assert_eq!(decoder.drain_output().pop().unwrap().data[..3], [7, 8, 9]);
    r.say("Paused", None, NOW);
    let did = all(&mut r);
    let [blue, green, red] = crate::notice::BACK;
    assert_eq!(first(&mut decoder, &did), [red, green, blue]);
    r.say("", None, NOW);
    let did = all(&mut r);
    assert_eq!(first(&mut decoder, &did), [7, 8, 9]);
    assert_eq!(decoder.dropped_updates(), 0);
}
