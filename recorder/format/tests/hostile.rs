//! Whatever the bytes are, reading ends, in time and in memory, and never says that all is well.
#![allow(clippy::unwrap_used)]
use anteroom_domain::Secret;
use anteroom_format::*;
use proptest::prelude::*;
use std::{io::Cursor, sync::LazyLock};

fn key() -> SegmentKey {
    Secret::new([9; 32])
}

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let start =
        SegmentStart { track: Track::Masked, segment: 0, session: uuid::Uuid::nil(), recording: [1; 32], link: [0; 32], salt: [2; 32] };
    let mut w = SegmentWriter::start(start, &key(), &mut out);
    for n in 0..20 {
        w.event(&Event { at_us: n, channel: 0, body: Body::Output(b"some output") }, &mut packer, &mut out).unwrap();
        w.flush(&mut packer, &mut out).unwrap();
    }
    w.keyframe(&Screen { at_us: 30, channel: 0, cols: 80, rows: 24, text: "screen" }, &mut packer, &mut out).unwrap();
    w.finish(&[ChannelEntry::default()], EndReason::Closed, &mut packer, &mut out).unwrap();
    out
});

/// Reads in every way there is; the number of chunks that were accepted without keys, and whether it looked whole.
fn read(bytes: &[u8]) -> (u64, bool) {
    if let Ok(mut r) = SegmentReader::open(Cursor::new(bytes), &key(), bytes.len() as u64) {
        let _ = r.index();
        let _ = r.end();
        let _ = r.seek(192, 0);
        while let Ok(Some((_, content))) = r.next_chunk() {
            if let Content::Events(events) = content {
                assert!(events.count() <= layout::MAX_PLAIN);
            }
        }
        let _ = r.seek(192, 0);
        while let Ok(Some(_)) = r.skip_chunk() {}
    }
    let Ok(mut chain) = ChainReader::open(bytes) else { return (0, false) };
    loop {
        match chain.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => return (chain.chunks(), chain.finished()),
            Err(_) => return (chain.chunks(), false),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_segments_are_never_whole(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6)) {
        let mut bytes = GOOD.clone();
        for (at, value, what) in edits {
            let i = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match what {
                _ if bytes.is_empty() => bytes.push(value),
                0 => bytes[i] = value,
                1 => bytes.insert(i, value),
                2 => { bytes.remove(i); }
                _ => bytes.truncate(i),
            }
        }
        let (_, whole) = read(&bytes);
        prop_assert!(!whole || bytes == *GOOD);
    }

    #[test]
    fn rubbish_with_a_good_header_ends_at_once(rest in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        let bytes = [&GOOD[..192], &rest[..]].concat();
        let (chunks, whole) = read(&bytes);
        prop_assert!(chunks == 0 && !whole);
    }

    #[test]
    fn json_files_are_refused_unless_they_are_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), text in "[\\[\\{\"a-z0-9:,\\}\\]]{0,200}") {
        prop_assert!(Envelope::from_bytes(&bytes).is_err());
        prop_assert!(Envelope::from_bytes(text.as_bytes()).is_err());
        prop_assert!(SignedManifest::verify(text.as_bytes(), "").is_err());
        prop_assert!(strict::decode::<RecordingHeader>(text.as_bytes()).is_err());
    }
}

#[test]
fn ten_megabytes_of_brackets_do_not_overflow_anything() {
    let deep = vec![b'['; 10_000_000];
    assert!(Envelope::from_bytes(&deep).is_err());
    assert!(Envelope::from_bytes(&deep[..900_000]).is_err());
}
