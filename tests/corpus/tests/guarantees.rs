//! What holds for every capture, whatever is found in it.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use anteroom_masking::{MaskedEvent, Masker, Summary};
use anteroom_test_corpus::{Capture, FAMILIES, Part, replay::Replay, report::capture, score::rules};

const SEED: u64 = 411;

/// One capture of each family, of either part in turn.
fn captures() -> impl Iterator<Item = (&'static str, Capture)> {
    FAMILIES.iter().enumerate().map(|(n, family)| {
        let part = if n.is_multiple_of(2) { Part::Open } else { Part::HeldOut };
        (family.name, capture(family, SEED, n as u64, part))
    })
}

fn masker(capture: &Capture) -> Masker {
    if capture.plain { Masker::plain(rules()) } else { Masker::new(rules(), capture.cols, capture.rows) }
}

/// Masks in pieces that `size` cuts from every chunk; times stay what they are.
fn masked(capture: &Capture, size: impl Fn(usize) -> usize) -> (Vec<MaskedEvent>, Summary) {
    let (mut masker, mut events, mut from, mut at) = (masker(capture), Vec::new(), 0, 0);
    for (time, end) in &capture.chunks {
        at = *time;
        while from < *end {
            let to = (from + size(from).max(1)).min(*end);
            masker.feed(Duration::from_millis(at), &capture.bytes[from..to], &mut events);
            from = to;
        }
    }
    let summary = masker.finish(Duration::from_millis(at + 1000), &mut events);
    (events, summary)
}

#[test]
fn however_the_bytes_were_split_the_output_is_the_same() {
    for (name, capture) in captures() {
        let whole = masked(&capture, |_| usize::MAX / 2);
        // Single bytes tear every character and every escape sequence; the others tear some.
        assert!(whole == masked(&capture, |_| 1), "{name}: bytes");
        assert!(whole == masked(&capture, |at| at * 7 % 23), "{name}: pieces of up to 22 bytes");
        assert!(whole == masked(&capture, |at| at * 31 % 257), "{name}: pieces of up to 256 bytes");
    }
}

#[test]
fn raw_and_masked_agree_in_size_cursor_and_width_at_every_event() {
    for (name, capture) in captures().filter(|(_, capture)| !capture.plain) {
        // Segments that overwrite each other are shown one below the other: see the engine's screen.
        if name == "hl7 bare returns" {
            continue;
        }
        let mut masker = masker(&capture);
        let (mut raw, mut shown) = (Replay::new(capture.cols, capture.rows), Replay::new(capture.cols, capture.rows));
        let (mut events, mut from) = (Vec::new(), 0);
        for (n, (at, end)) in capture.chunks.iter().enumerate() {
            masker.feed(Duration::from_millis(*at), &capture.bytes[from..*end], &mut events);
            raw.feed_to(&capture, *end);
            from = *end;
            let next = capture.chunks.get(n + 1).map_or(at + 1000, |next| next.0);
            masker.settle(Duration::from_millis(next), &mut events);
            if events.is_empty() {
                continue;
            }
            shown.play(&std::mem::take(&mut events));
            assert_eq!(raw.size(), shown.size(), "{name} at {at} ms");
            assert_eq!(raw.cursor(), shown.cursor(), "{name} at {at} ms: cursor");
            assert_eq!(raw.is_alternate(), shown.is_alternate(), "{name} at {at} ms: screen");
            if next - at < 30 {
                continue;
            }
            for (line, (raw, shown)) in raw.screen().iter().zip(shown.screen()).enumerate() {
                let halves = |row: &[anteroom_test_corpus::replay::Glyph]| row.iter().map(|glyph| glyph.half).collect::<Vec<_>>();
                assert_eq!(halves(raw), halves(&shown), "{name} at {at} ms, row {line}: widths");
            }
        }
    }
}

#[test]
fn nothing_of_a_title_link_or_clipboard_comes_out() {
    let mut payloads = 0;
    for family in FAMILIES.iter().filter(|family| family.name.starts_with("osc")) {
        for n in 0..20 {
            let capture = capture(family, SEED, n, Part::Open);
            let (events, _) = masked(&capture, |at| at * 13 % 41);
            for event in &events {
                let MaskedEvent::Output { text, .. } = event else { continue };
                assert!(!text.contains("\x1b]") && !text.contains("\x1bP"), "{}: a string sequence came out", family.name);
                for payload in &capture.payloads {
                    assert!(!text.contains(payload.as_str()), "{}: {payload}", family.name);
                }
            }
            payloads += capture.payloads.len();
        }
    }
    assert!(payloads > 100);
}

/// A window that changes its size while a full-screen program paints it again each time.
#[test]
fn a_changed_size_is_followed() {
    let mut capture = capture(FAMILIES.iter().find(|family| family.name == "curses list").unwrap(), SEED, 1, Part::Open);
    let leave = capture.bytes.windows(8).rposition(|window| window == b"\x1b[?1049l").unwrap();
    capture.bytes.truncate(leave);
    let mut masker = Masker::new(rules(), capture.cols, capture.rows);
    let mut shown = Replay::new(capture.cols, capture.rows);
    let mut events = Vec::new();
    for (n, (cols, rows)) in [(80, 24), (200, 50), (132, 43), (40, 12), (100, 30)].into_iter().enumerate() {
        let at = Duration::from_secs(n as u64);
        masker.resize(at, cols, rows, &mut events);
        masker.feed(at, &capture.bytes, &mut events);
        masker.settle(at + Duration::from_millis(500), &mut events);
        shown.play(&std::mem::take(&mut events));
        assert_eq!(shown.size(), (cols.into(), rows.into()));
    }
}
