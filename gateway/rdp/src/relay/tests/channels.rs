//! Channels through the whole relay.

use super::*;

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put16(kind);
    out.put16(flags);
    out.put32(u32::try_from(body.len()).unwrap());
    out.extend_from_slice(body);
    out
}

/// A message of a channel, in its chunks.
fn tell(r: &mut Relay, from: Side, channel: u16, message: &[u8]) -> Vec<Action> {
    svc::chunks(message).flat_map(|c| say(r, from, channel, &c).unwrap()).collect()
}

/// CF_UNICODETEXT with a short name.
fn list() -> Vec<u8> {
    [&13u32.to_le_bytes()[..], &[0; 32]].concat()
}

#[test]
fn a_long_text_passes_through_the_clipboard_and_is_seen() {
    let mut r = active(everything());
    tell(&mut r, Side::Client, CLIP, &message(2, 0, &list()));
    tell(&mut r, Side::Target, CLIP, &message(4, 0, &13u32.to_le_bytes()));
    let text = "long words ".repeat(3000);
    let body: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let did = tell(&mut r, Side::Client, CLIP, &message(5, 1, &body));
    assert_eq!(seen(&did), [Seen::Clipboard { way: Way::ToTarget, text }]);
    assert_eq!(got(&did, Side::Target, CLIP).concat(), message(5, 1, &body));
}

#[test]
fn without_a_word_in_the_grant_the_clipboard_is_not_there() {
    let mut r = active(Policy::default());
    assert!(tell(&mut r, Side::Client, CLIP, &message(2, 0, &list())).is_empty());
    assert!(tell(&mut r, Side::Target, CLIP, &message(1, 0, &[])).is_empty());
}

#[test]
fn a_fake_channel_swallows_what_it_gets() {
    let mut r = active(Policy::default());
    assert!(say(&mut r, Side::Client, FAKE, b"anything at all").unwrap().is_empty());
}

#[test]
fn a_drive_is_announced_and_never_reaches_the_target() {
    let mut announce = vec![0x72, 0x44, 0x41, 0x44];
    [1, 8, 7].into_iter().for_each(|n| announce.put32(n));
    announce.extend_from_slice(b"HOME\0\0\0\0\0\0\0\0");
    let mut r = active(Policy::default());
    assert!(tell(&mut r, Side::Client, DEVICES, &announce).is_empty(), "no device is granted: the channel is not there");
    let mut r = active(Policy { printers: true, ..Policy::default() });
    let did = tell(&mut r, Side::Client, DEVICES, &announce);
    assert_eq!(seen(&did), [Seen::Denied { what: "drives".into() }]);
    assert_eq!(got(&did, Side::Target, DEVICES), [[0x72, 0x44, 0x41, 0x44, 0, 0, 0, 0]]);
    assert!(seen(&tell(&mut r, Side::Client, DEVICES, &announce)).is_empty(), "said once");
    let mut r = active(everything());
    let did = tell(&mut r, Side::Client, DEVICES, &announce);
    assert_eq!(got(&did, Side::Target, DEVICES), [announce]);
}

#[test]
fn names_of_denied_channels_do_not_fill_the_audit() {
    let mut r = active(Policy::default());
    tell(&mut r, Side::Target, DYNAMIC, &[0x50, 0, 1, 0]);
    let mut said = Vec::new();
    for i in 0..500u16 {
        let name = format!("x{i}\0");
        said.extend(seen(&tell(&mut r, Side::Target, DYNAMIC, &[&[0x11][..], &i.to_le_bytes(), name.as_bytes()].concat())));
    }
    assert_eq!(said.len(), MAX_DENIED + 1);
    assert_eq!(said.last(), Some(&Seen::Denied { what: "and more".into() }));
}
