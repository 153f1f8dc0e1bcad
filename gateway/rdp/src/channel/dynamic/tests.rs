use super::*;
use crate::channel::graphics::{command as gfx, put_command};

const DISPLAY: &str = "Microsoft::Windows::RDS::DisplayControl";

fn create(id: u8, name: &str) -> Vec<u8> {
    [&[0x10, id][..], name.as_bytes(), &[0]].concat()
}

fn yes(id: u8) -> Vec<u8> {
    vec![0x10, id, 0, 0, 0, 0]
}

fn refused(id: u8) -> Said {
    Said::To(Side::Target, vec![0x10, id, 1, 0, 0, 0xc0])
}

fn say(d: &mut Dynamic, from: Side, pdu: &[u8]) -> Turn {
    let mut out = Turn::new();
    d.take(from, pdu.to_vec(), false, &mut out).unwrap();
    out
}

fn open(policy: Policy) -> Dynamic {
    let mut d = Dynamic::new(&policy, &Limits::default());
    let three = [0x50, 0, 3, 0, 1, 0, 2, 0, 3, 0, 4, 0];
    let two = [0x50, 0, 2, 0, 1, 0, 2, 0, 3, 0, 4, 0];
    assert_eq!(say(&mut d, Side::Target, &three), vec![Said::To(Side::Client, two.to_vec())], "no compression, no soft-sync");
    assert_eq!(say(&mut d, Side::Client, &[0x50, 0, 2, 0]).len(), 1);
    d
}

fn opened(policy: Policy, id: u8, name: &str) -> Dynamic {
    let mut d = open(policy);
    assert_eq!(say(&mut d, Side::Target, &create(id, name)), vec![Said::To(Side::Client, create(id, name))]);
    assert_eq!(say(&mut d, Side::Client, &yes(id)), vec![Said::To(Side::Target, yes(id))]);
    d
}

#[test]
fn a_channel_the_grant_does_not_name_is_refused_and_the_client_never_hears_of_it() {
    let names = [
        "AUDIO_INPUT",
        "AUDIO_PLAYBACK_DVC",
        "AUDIO_PLAYBACK_LOSSY_DVC",
        "URBDRC",
        "RDCamera_Device_Enumerator",
        "Microsoft::Windows::RDS::Input",
        "Microsoft::Windows::RDS::Video::Control::v08.01",
        "Microsoft::Windows::RDS::Geometry::v08.01",
        "FileRedirectorChannel",
        "vendor",
    ];
    for name in names {
        let mut d = open(Policy::default());
        let got = say(&mut d, Side::Target, &create(7, name));
        assert_eq!(got, vec![Said::Denied(format!("dynamic channel {name}")), refused(7)]);
        assert_eq!(say(&mut d, Side::Target, &[0x30, 7, 1, 2, 3]), vec![], "what is sent all the same is dropped");
    }
}

#[test]
fn a_channel_opens_with_its_word_in_the_grant() {
    let named = |n: &str| Policy { dynamic_channels: vec![n.to_owned()], ..Policy::default() };
    opened(Policy::default(), 3, DISPLAY);
    opened(Policy::default(), 3, GRAPHICS);
    opened(Policy { audio_out: true, ..Policy::default() }, 3, "AUDIO_PLAYBACK_DVC");
    opened(Policy { audio_in: true, ..Policy::default() }, 3, "AUDIO_INPUT");
    opened(Policy { usb: true, ..Policy::default() }, 3, "URBDRC");
    opened(named("vendor"), 3, "vendor");
    opened(named("Microsoft::Windows::RDS::Input"), 3, "Microsoft::Windows::RDS::Input");
    let video = "Microsoft::Windows::RDS::Video::Control::v08.01";
    let mut d = open(named(video));
    assert_eq!(say(&mut d, Side::Target, &create(3, video))[1], refused(3), "video cannot be recorded, whatever the grant says");
}

#[test]
fn data_passes_only_after_the_client_said_yes() {
    let mut d = open(Policy::default());
    say(&mut d, Side::Target, &create(3, DISPLAY));
    assert_eq!(say(&mut d, Side::Target, &[0x30, 3, 9]), vec![]);
    say(&mut d, Side::Client, &yes(3));
    assert_eq!(say(&mut d, Side::Target, &[0x30, 3, 9]).len(), 1);
    say(&mut d, Side::Client, &[0x40, 3]);
    assert_eq!(say(&mut d, Side::Target, &[0x30, 3, 9]), vec![], "closed");
    assert_eq!(say(&mut d, Side::Target, &[0x40, 3]), vec![], "closed twice");
}

#[test]
fn a_whole_message_of_the_client_rests_during_a_pause() {
    let mut d = opened(Policy { audio_in: true, ..Policy::default() }, 3, "AUDIO_INPUT");
    let mut paused = |pdu: &[u8], pause: bool| {
        let mut out = Turn::new();
        d.take(Side::Client, pdu.to_vec(), pause, &mut out).unwrap();
        out.len()
    };
    assert_eq!(paused(&[0x20, 3, 4, 1, 2], false), 1);
    assert_eq!(paused(&[0x30, 3, 3, 4], true), 1, "what began before the pause is finished");
    assert_eq!(paused(&[0x20, 3, 4, 1, 2], true), 0);
    assert_eq!(paused(&[0x30, 3, 3, 4], false), 0, "what began in it is dropped whole");
    assert_eq!(paused(&[0x30, 3, 3, 4], false), 1);
}

#[test]
fn compression_and_other_transports_end_the_session() {
    for pdu in
        [&[0x60, 3, 4, 0][..], &[0x70, 3, 0], &[0x80, 0, 0, 0], &[0x90, 0], &[0xa0], &[], &[0x33, 0, 0, 0, 0, 0], &[0x20, 3, 1, 1, 2]]
    {
        for from in [Side::Client, Side::Target] {
            let mut d = opened(Policy::default(), 3, DISPLAY);
            assert!(d.take(from, pdu.to_vec(), false, &mut Turn::new()).is_err(), "{pdu:?}");
        }
    }
    let mut d = open(Policy::default());
    assert!(d.take(Side::Client, vec![0x50, 0, 3, 0], false, &mut Turn::new()).is_err(), "a version that was not offered");
    assert!(d.take(Side::Client, yes(9), false, &mut Turn::new()).is_err(), "a channel nobody asked for");
}

fn advertise(versions: u16) -> Vec<u8> {
    let mut body = Vec::new();
    body.put16(versions);
    for _ in 0..versions {
        [0x000a_0701u32, 4, 0].into_iter().for_each(|n| body.put32(n));
    }
    let mut out = Vec::new();
    put_command(&mut out, gfx::CAPS_ADVERTISE, &body);
    out
}

/// What the pieces of graphics data for one side say together.
fn together(turn: &[Said], side: Side) -> Vec<u8> {
    let mut all = Vec::new();
    for said in turn {
        let Said::To(to, pdu) = said else { continue };
        assert_eq!(*to, side);
        assert!(pdu.len() <= MAX_PDU);
        all.extend_from_slice(&pdu[if pdu[0] >> 4 == 2 { 6 } else { 2 }..]);
    }
    all
}

#[test]
fn h264_is_taken_out_of_an_advertisement_in_pieces_too() {
    let mut d = opened(Policy::default(), 3, GRAPHICS);
    let message = advertise(300);
    let pdus = data_pdus(3, &message);
    assert!(pdus.len() > 2);
    let turns: Vec<_> = pdus.iter().map(|p| say(&mut d, Side::Client, p)).collect();
    assert!(turns[..turns.len() - 1].iter().all(Vec::is_empty), "nothing goes on before the whole was judged");
    let got = together(turns.last().unwrap(), Side::Target);
    let mut expected = message;
    for i in 0..300 {
        expected.set32(10 + i * 12 + 8, 0x20);
    }
    assert_eq!(got, expected);
}

#[test]
fn the_last_piece_of_a_picture_waits_for_the_judgement() {
    let mut d = opened(Policy::default(), 3, GRAPHICS);
    let mut body = vec![0, 0, 0xb, 0]; // H.264
    body.resize(5000, 0x20);
    let mut message = Vec::new();
    put_command(&mut message, gfx::WIRE_TO_SURFACE_1, &body);
    let pdus = data_pdus(3, &plain(&message));
    let (last, first) = pdus.split_last().unwrap();
    for p in first {
        assert_eq!(say(&mut d, Side::Target, p), vec![Said::To(Side::Client, p.clone())]);
    }
    let mut out = Turn::new();
    assert!(d.take(Side::Target, last.clone(), false, &mut out).is_err());
    assert_eq!(out, vec![]);
}

#[test]
fn after_a_message_of_ours_the_target_s_goes_on_uncompressed() {
    use ironrdp_graphics::zgfx::{CompressionMode, Compressor, Decompressor, compress_and_wrap_egfx};
    let mut d = opened(Policy::default(), 3, GRAPHICS);
    say(&mut d, Side::Client, &data_pdus(3, &advertise(1))[0]);
    let (mut target, mut client) = (Compressor::new(), Decompressor::new());
    let mut confirm = Vec::new();
    put_command(&mut confirm, gfx::CAPS_CONFIRM, &[1, 7, 10, 0, 4, 0, 0, 0, 0x20, 0, 0, 0]);
    let mut fill = Vec::new();
    put_command(&mut fill, gfx::SOLID_FILL, &[7; 700]);
    let shown = |d: &mut Dynamic, target: &mut Compressor, client: &mut Decompressor, message: &[u8]| {
        let wrapped = compress_and_wrap_egfx(message, target, CompressionMode::Always).unwrap();
        let turn: Vec<_> = data_pdus(3, &wrapped).iter().flat_map(|p| say(d, Side::Target, p)).collect();
        let mut read = Vec::new();
        client.decompress(&together(&turn, Side::Client), &mut read).unwrap();
        assert_eq!(read, message);
    };
    assert!(!d.can_draw());
    shown(&mut d, &mut target, &mut client, &confirm);
    shown(&mut d, &mut target, &mut client, &fill);
    assert!(d.can_draw());
    let ours: Vec<_> = d.draw(&fill).into_iter().map(|p| Said::To(Side::Client, p)).collect();
    // the same decompressor: our message is in the client's history now, and the target does not know
    let mut read = Vec::new();
    client.decompress(&together(&ours, Side::Client), &mut read).unwrap();
    assert_eq!(read, fill);
    for _ in 0..2 {
        shown(&mut d, &mut target, &mut client, &fill);
    }
}
