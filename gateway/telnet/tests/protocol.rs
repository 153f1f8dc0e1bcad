//! The client against the letters of the RFCs, and against targets that do not keep to them.
use anteroom_telnet::{MAX_SUBNEGOTIATION, MAX_TYPE_ANSWERS, Received, Telnet, Terminal};
use proptest::prelude::*;

const SE: u8 = 240;
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const IAC: u8 = 255;

const BINARY: u8 = 0;
const ECHO: u8 = 1;
const SGA: u8 = 3;
const TTYPE: u8 = 24;
const NAWS: u8 = 31;
const NEW_ENVIRON: u8 = 39;

fn telnet() -> Telnet {
    Telnet::new(Terminal { term: "xterm-256color".to_owned(), cols: 80, rows: 24 })
}

fn receive(telnet: &mut Telnet, bytes: &[u8]) -> Received {
    let mut out = Received::default();
    telnet.receive(bytes, &mut out);
    out
}

fn reply(telnet: &mut Telnet, bytes: &[u8]) -> Vec<u8> {
    receive(telnet, bytes).reply
}

#[test]
fn the_opening_offers_a_name_and_a_size_once() {
    let mut t = telnet();
    assert_eq!(t.start(), [IAC, DO, SGA, IAC, WILL, TTYPE, IAC, WILL, NAWS]);
    assert!(t.start().is_empty());
    assert_eq!(reply(&mut t, &[IAC, WILL, SGA, IAC, DO, TTYPE]), [0u8; 0], "what was asked for is not acknowledged");
}

#[test]
fn the_size_is_told_when_asked_for_and_when_it_changes() {
    let mut t = telnet();
    assert!(t.resize(100, 30).is_empty(), "not before the target wants it");
    assert_eq!(reply(&mut t, &[IAC, DO, NAWS]), [IAC, WILL, NAWS, IAC, SB, NAWS, 0, 100, 0, 30, IAC, SE]);
    assert_eq!(t.resize(255, 0xffff), [IAC, SB, NAWS, 0, 255, 255, 255, 255, 255, 255, IAC, SE]);
    assert!(t.resize(255, 0xffff).is_empty());
    assert_eq!(reply(&mut t, &[IAC, DONT, NAWS]), [IAC, WONT, NAWS]);
    assert!(t.resize(10, 10).is_empty());
}

#[test]
fn the_name_is_told_when_asked_for() {
    let mut t = telnet();
    assert!(reply(&mut t, &[IAC, SB, TTYPE, 1, IAC, SE]).is_empty(), "not before it is agreed");
    let _ = reply(&mut t, &[IAC, DO, TTYPE]);
    let mut told = vec![IAC, SB, TTYPE, 0];
    told.extend(b"xterm-256color");
    told.extend([IAC, SE]);
    assert_eq!(reply(&mut t, &[IAC, SB, TTYPE, 1, IAC, SE]), told);
}

#[test]
fn a_name_with_bytes_of_the_protocol_is_cleaned_and_cut() {
    for (term, shown) in
        [("x\u{ff}\r\nterm".to_owned(), "xterm".to_owned()), (String::new(), "UNKNOWN".to_owned()), ("a".repeat(500), "a".repeat(40))]
    {
        let mut t = Telnet::new(Terminal { term, cols: 1, rows: 1 });
        let _ = reply(&mut t, &[IAC, DO, TTYPE]);
        let told = reply(&mut t, &[IAC, SB, TTYPE, 1, IAC, SE]);
        assert_eq!(told[4..told.len() - 2], *shown.as_bytes());
    }
}

#[test]
fn echo_is_the_targets_and_everything_unknown_is_refused() {
    let mut t = telnet();
    assert_eq!(reply(&mut t, &[IAC, WILL, ECHO]), [IAC, DO, ECHO]);
    assert!(t.echoes());
    assert!(t.local_echo(b"secret").is_empty());
    assert_eq!(reply(&mut t, &[IAC, WONT, ECHO]), [IAC, DONT, ECHO]);
    assert_eq!(t.local_echo(b"ls\x7f\r\x03"), b"ls\x08 \x08\r\n");
    assert_eq!(reply(&mut t, &[IAC, DO, ECHO]), [IAC, WONT, ECHO], "this side does not echo");
    assert_eq!(reply(&mut t, &[IAC, DO, NEW_ENVIRON]), [IAC, WONT, NEW_ENVIRON]);
    assert_eq!(reply(&mut t, &[IAC, WILL, TTYPE]), [IAC, DONT, TTYPE]);
    assert_eq!(reply(&mut t, &[IAC, DO, 200, IAC, WILL, 200]), [IAC, WONT, 200, IAC, DONT, 200]);
}

#[test]
fn commands_are_not_shown_and_a_doubled_255_is_one() {
    let mut t = telnet();
    let out = receive(&mut t, &[b'a', IAC, 241, b'b', IAC, 249, IAC, IAC, b'c', IAC, 246, IAC, 242]);
    assert_eq!((out.output.as_slice(), out.reply.as_slice()), (&[b'a', b'b', 255, b'c'][..], &[][..]));
}

#[test]
fn a_return_loses_its_nul_unless_the_target_sends_binary() {
    let mut t = telnet();
    assert_eq!(receive(&mut t, b"a\r\0b\r\n\0c").output, b"a\rb\r\n\0c");
    let _ = receive(&mut t, &[IAC, WILL, BINARY]);
    assert_eq!(receive(&mut t, b"a\r\0b").output, b"a\r\0b");
}

#[test]
fn a_typed_return_gets_a_nul_unless_binary_is_agreed() {
    let mut t = telnet();
    assert_eq!(t.send(b"a\r\n\xff"), b"a\r\0\n\xff\xff");
    assert_eq!(*t.send_secret(b"a\r"), b"a\r\0");
    assert_eq!(reply(&mut t, &[IAC, DO, BINARY]), [IAC, WILL, BINARY]);
    assert_eq!(t.send(b"a\r\n\xff"), b"a\r\n\xff\xff");
    assert_eq!((t.interrupt(), t.break_signal()), (vec![IAC, 244], vec![IAC, 243]));
}

#[test]
fn a_subnegotiation_longer_than_the_bound_is_dropped_and_the_session_goes_on() {
    let mut t = telnet();
    let _ = reply(&mut t, &[IAC, DO, TTYPE]);
    let mut long = vec![IAC, SB, TTYPE, 1];
    long.extend(vec![b'x'; 1_000_000]);
    long.extend([IAC, SE, b'o', b'k']);
    let out = receive(&mut t, &long);
    assert_eq!((out.output.as_slice(), out.reply.len()), (&b"ok"[..], 0));
    assert!(format!("{t:?}").len() < 20_000, "nothing of it is kept");
    assert!(!reply(&mut t, &[IAC, SB, TTYPE, 1, IAC, SE]).is_empty(), "the next one is understood");
    const { assert!(MAX_SUBNEGOTIATION >= 2) };
}

#[test]
fn while_a_long_subnegotiation_runs_little_of_it_is_kept() {
    let mut t = telnet();
    let before = format!("{t:?}").len();
    let _ = receive(&mut t, &[IAC, SB]);
    let _ = receive(&mut t, &vec![b'x'; 1_000_000]);
    assert!(format!("{t:?}").len() < before + 5 * (MAX_SUBNEGOTIATION + 2) + 100);
}

#[test]
fn a_subnegotiation_cut_short_by_a_command_does_not_swallow_the_rest() {
    let mut t = telnet();
    let out = receive(&mut t, &[IAC, SB, TTYPE, 1, IAC, WILL, ECHO, b'o', b'k']);
    assert_eq!((out.output.as_slice(), out.reply.as_slice()), (&b"ok"[..], &[IAC, DO, ECHO][..]));
}

#[test]
fn storms_are_answered_a_bounded_number_of_times() {
    let mut t = telnet();
    let _ = t.start();
    let mut storm = Vec::new();
    for option in [BINARY, ECHO, SGA, TTYPE, NAWS, NEW_ENVIRON, 200] {
        for verb in [WILL, WONT, DO, DONT] {
            storm.extend([IAC, verb, option]);
        }
    }
    storm.extend([IAC, DO, TTYPE, IAC, SB, TTYPE, 1, IAC, SE]);
    let mut answered = 0;
    for _ in 0..200 {
        answered += reply(&mut t, &storm).len();
    }
    assert!(answered > 100 && answered < 7 * 2 * 32 * 3 + 17 * 13 + usize::from(MAX_TYPE_ANSWERS) * 20 + 100, "{answered} bytes");
    assert!((0..1000).all(|_| reply(&mut t, &storm).is_empty()), "and then no more");
}

#[test]
fn a_storm_of_questions_for_the_name_is_answered_a_bounded_number_of_times() {
    let mut t = telnet();
    let _ = reply(&mut t, &[IAC, DO, TTYPE]);
    let answers = (0..1000).filter(|_| !reply(&mut t, &[IAC, SB, TTYPE, 1, IAC, SE]).is_empty()).count();
    assert_eq!(answers, usize::from(MAX_TYPE_ANSWERS));
}

/// A second implementation, as a target's side reads what is sent: RFC 854 without options.
fn decode(bytes: &[u8], binary: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        out.push(byte);
        match byte {
            IAC => assert_eq!(rest.next(), Some(IAC), "a lone 255 is a command"),
            b'\r' if !binary => assert_eq!(rest.next(), Some(0), "a return is followed by NUL"),
            _ => {}
        }
    }
    out
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|b| vec![b]),
        Just(vec![b'\r', 0]),
        (240..=255u8).prop_map(|b| vec![IAC, b]),
        (251..=254u8, prop_oneof![Just(0u8), Just(1), Just(3), Just(24), Just(31), any::<u8>()]).prop_map(|(v, o)| vec![IAC, v, o]),
        Just(vec![IAC, DO, TTYPE, IAC, SB, TTYPE, 1, IAC, SE]),
        prop::collection::vec(any::<u8>(), 0..100).prop_map(|b| [&[IAC, SB][..], &b, &[IAC, SE]].concat()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_split_gives_the_same_output_and_answers(bytes in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let whole = receive(&mut telnet(), &bytes);
        let mut cuts: Vec<usize> = cuts.iter().map(|i| i.index(bytes.len() + 1)).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let (mut t, mut pieces, mut from) = (telnet(), Received::default(), 0);
        for cut in cuts {
            t.receive(&bytes[from..cut], &mut pieces);
            from = cut;
        }
        prop_assert_eq!(&whole, &pieces);
        let (mut t, mut single) = (telnet(), Received::default());
        bytes.iter().for_each(|b| t.receive(&[*b], &mut single));
        prop_assert_eq!(whole, single);
    }

    #[test]
    fn what_is_typed_arrives_as_it_was_typed(typed in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(255)], 0..300), binary: bool) {
        let mut t = telnet();
        if binary {
            let _ = reply(&mut t, &[IAC, DO, BINARY]);
        }
        prop_assert_eq!(decode(&t.send(&typed), binary), &typed[..]);
        prop_assert_eq!(decode(&t.send_secret(&typed), binary), typed);
    }

    #[test]
    fn output_that_a_target_escaped_arrives_as_it_was(shown in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(0), Just(255)], 0..300)) {
        let mut wire = Vec::new();
        for &byte in &shown {
            wire.push(byte);
            match byte {
                IAC => wire.push(IAC),
                b'\r' => wire.push(0),
                _ => {}
            }
        }
        prop_assert_eq!(receive(&mut telnet(), &wire).output, shown);
    }
}
