use super::*;

const BOTH: (Option<TextRule>, Option<TextRule>) = (Some(TextRule { max_bytes: None }), Some(TextRule { max_bytes: None }));

fn open((to, from): (Option<TextRule>, Option<TextRule>)) -> Clipboard {
    let policy = Policy { clipboard_to_target: to, clipboard_from_target: from, ..Policy::default() };
    let mut c = Clipboard::new(&policy, &Limits::default());
    assert_eq!(say(&mut c, Side::Target, kind::CAPABILITIES, 0, &capabilities(0x3e)[8..]), to_side(Side::Client, &capabilities(2)));
    let ready = message_of(kind::MONITOR_READY, 0, &[]);
    assert_eq!(say(&mut c, Side::Target, kind::MONITOR_READY, 0, &[]), to_side(Side::Client, &ready));
    assert_eq!(say(&mut c, Side::Client, kind::CAPABILITIES, 0, &capabilities(0x3e)[8..]), to_side(Side::Target, &capabilities(2)));
    c
}

fn say(c: &mut Clipboard, from: Side, kind: u16, flags: u16, body: &[u8]) -> Turn {
    let mut out = Turn::new();
    c.take(from, Message::Whole(message_of(kind, flags, body)), false, &mut out).unwrap();
    out
}

fn to_side(side: Side, message: &[u8]) -> Turn {
    vec![Said::To(side, message.to_vec())]
}

/// A list with long names.
fn list(formats: &[(u32, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (id, name) in formats {
        out.put32(*id);
        name.encode_utf16().chain([0]).for_each(|u| out.put16(u));
    }
    out
}

fn unicode(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// What a side's text does once both sides have gone through the motions; what the other side and the record got.
fn copy(c: &mut Clipboard, from: Side, text: &str) -> Turn {
    say(c, from, kind::FORMAT_LIST, 0, &list(&[(UNICODE, ""), (0xc0a0, "Rich Text Format")]));
    say(c, from.other(), kind::DATA_REQUEST, 0, &UNICODE.to_le_bytes());
    say(c, from, kind::DATA_RESPONSE, OK, &unicode(text))
}

#[test]
fn text_passes_and_is_seen() {
    let mut c = open(BOTH);
    for (from, way) in [(Side::Client, Way::ToTarget), (Side::Target, Way::FromTarget)] {
        let got = copy(&mut c, from, "Grüße");
        let message = message_of(kind::DATA_RESPONSE, OK, &unicode("Grüße"));
        assert_eq!(got, vec![Said::Saw(Seen::Clipboard { way, text: "Grüße".into() }), Said::To(from.other(), message)]);
    }
}

#[test]
fn formats_that_are_not_text_are_not_announced() {
    let mut c = open(BOTH);
    let body = list(&[(0xc0bc, "FileGroupDescriptorW"), (8, ""), (UNICODE, ""), (LOCALE, ""), (0xc0a0, "HTML Format")]);
    let got = say(&mut c, Side::Client, kind::FORMAT_LIST, 0, &body);
    assert_eq!(got, to_side(Side::Target, &message_of(kind::FORMAT_LIST, 0, &list(&[(UNICODE, ""), (LOCALE, "")]))));
    let got = say(&mut c, Side::Target, kind::DATA_REQUEST, 0, &8u32.to_le_bytes());
    assert_eq!(got, to_side(Side::Target, &message_of(kind::DATA_RESPONSE, FAIL, &[])), "a picture is refused without asking the client");
}

#[test]
fn a_direction_that_is_denied_breaks_nobody() {
    let mut c = open((None, Some(TextRule::default())));
    let first = say(&mut c, Side::Client, kind::FORMAT_LIST, 0, &list(&[(UNICODE, "")]));
    let denied = Said::Denied("clipboard: to the target".into());
    assert_eq!(first, vec![denied, Said::To(Side::Target, message_of(kind::FORMAT_LIST, 0, &[]))], "the opening goes on");
    let ok = say(&mut c, Side::Target, kind::FORMAT_LIST_RESPONSE, OK, &[]);
    assert_eq!(ok, to_side(Side::Client, &message_of(kind::FORMAT_LIST_RESPONSE, OK, &[])));
    let later = say(&mut c, Side::Client, kind::FORMAT_LIST, 0, &list(&[(UNICODE, "")]));
    assert_eq!(later[1..], to_side(Side::Client, &message_of(kind::FORMAT_LIST_RESPONSE, OK, &[]))[..]);
    let asked = say(&mut c, Side::Target, kind::DATA_REQUEST, 0, &UNICODE.to_le_bytes());
    assert_eq!(asked, to_side(Side::Target, &message_of(kind::DATA_RESPONSE, FAIL, &[])));
    assert_eq!(say(&mut c, Side::Client, kind::DATA_RESPONSE, OK, &unicode("pushed")), vec![], "nobody asked");
    assert_eq!(copy(&mut c, Side::Target, "x").len(), 2, "the other direction works");
}

#[test]
fn a_text_above_its_limit_fails() {
    let mut c = open((Some(TextRule { max_bytes: Some(10) }), None));
    let got = copy(&mut c, Side::Client, "123456789");
    let fail = Said::To(Side::Target, message_of(kind::DATA_RESPONSE, FAIL, &[]));
    assert_eq!(got, vec![Said::Denied("clipboard: to the target: 20 bytes are too many".into()), fail]);
    assert_eq!(copy(&mut c, Side::Client, "1234").len(), 2, "a shorter one passes");
}

#[test]
fn a_text_too_long_to_be_put_together_fails_too() {
    let mut c = open(BOTH);
    say(&mut c, Side::Client, kind::FORMAT_LIST, 0, &list(&[(UNICODE, "")]));
    say(&mut c, Side::Target, kind::DATA_REQUEST, 0, &UNICODE.to_le_bytes());
    let mut out = Turn::new();
    let head = message_of(kind::DATA_RESPONSE, OK, &[0; 8]);
    c.take(Side::Client, Message::TooLong { head, length: 9_000_008 }, false, &mut out).unwrap();
    assert_eq!(out[0], Said::Denied("clipboard: to the target: 9000000 bytes are too many".into()));
    assert_eq!(out[1], Said::To(Side::Target, message_of(kind::DATA_RESPONSE, FAIL, &[])));
}

#[test]
fn files_are_refused_and_never_asked_for() {
    let mut c = open(BOTH);
    let mut request = 77u32.to_le_bytes().to_vec();
    request.extend_from_slice(&[0; 20]);
    let got = say(&mut c, Side::Target, kind::FILE_REQUEST, 0, &request);
    let answer = message_of(kind::FILE_RESPONSE, FAIL, &77u32.to_le_bytes());
    assert_eq!(got, vec![Said::Denied("clipboard: files".into()), Said::To(Side::Target, answer)]);
    assert_eq!(say(&mut c, Side::Client, kind::TEMP_DIRECTORY, 0, &[0; 520]), vec![]);
    assert_eq!(say(&mut c, Side::Client, kind::LOCK, 0, &[1, 0, 0, 0]), vec![]);
    assert_eq!(say(&mut c, Side::Client, kind::FILE_RESPONSE, OK, b"file"), vec![]);
}

#[test]
fn nothing_is_pasted_while_paused() {
    let mut c = open(BOTH);
    say(&mut c, Side::Client, kind::FORMAT_LIST, 0, &list(&[(UNICODE, "")]));
    let mut out = Turn::new();
    let ask = Message::Whole(message_of(kind::DATA_REQUEST, 0, &UNICODE.to_le_bytes()));
    c.take(Side::Target, ask, true, &mut out).unwrap();
    assert_eq!(out, to_side(Side::Target, &message_of(kind::DATA_RESPONSE, FAIL, &[])));
}

#[test]
fn what_is_no_clipboard_message_ends_the_session() {
    let mut c = open(BOTH);
    let mut out = Turn::new();
    for (from, message) in [
        (Side::Client, message_of(99, 0, &[])),
        (Side::Client, message_of(kind::MONITOR_READY, 0, &[])),
        (Side::Target, vec![1, 0, 0]),
        (Side::Target, message_of(kind::FORMAT_LIST, 0, &[1, 2, 3])),
        (Side::Target, [5u16.to_le_bytes(), [0; 2], [200, 0], [0; 2]].concat()),
    ] {
        assert!(c.take(from, Message::Whole(message), false, &mut out).is_err());
    }
    assert_eq!(out, vec![]);
}
