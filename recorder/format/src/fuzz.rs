//! What a recording's folder holds, as whoever can write there wants it. Shared by `make fuzz` and a property of the tests.
use crate::{
    ChainReader, Desktop, End, Envelope, Events, IndexEntry, KeyframePart, RecordingHeader, SegmentKey, SegmentReader, SignedManifest,
    Track, strict,
};
use std::io::Cursor;

/// The first byte says which parser the others are for. Nothing may panic, nor take forever.
pub fn fuzz(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 6 {
        0 => {
            if let Ok(mut chain) = ChainReader::open(bytes) {
                while let Ok(Some(_)) = chain.next_frame() {}
            }
        }
        1 => {
            if let Ok(mut segment) = SegmentReader::open(Cursor::new(bytes), &SegmentKey::new([7; 32]), bytes.len() as u64) {
                let _ = segment.index();
                let _ = segment.seek(crate::layout::HEADER_LEN as u64, 0);
                while let Ok(Some(_)) = segment.next_chunk() {}
            }
        }
        2 => {
            if let Ok(envelope) = Envelope::from_bytes(bytes) {
                // What is taken is canonical: it says the same again.
                assert_eq!(envelope.to_bytes().unwrap_or_default(), bytes);
            }
            let _ = strict::decode::<RecordingHeader>(bytes);
            let _ = SignedManifest::verify(bytes, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        }
        3 => {
            let track = if bytes.first().is_some_and(|b| b % 2 == 0) { Track::Masked } else { Track::Sealed };
            Events::new(bytes, track, 0, u64::MAX >> 1, u32::MAX).take_while(Result::is_ok).for_each(drop);
        }
        4 => {
            let parts = Track::ALL.map(|track| KeyframePart::parse(bytes, track).is_ok());
            assert!(parts[0] || !parts[1], "what the sealed track may have the masked one may have too");
            let _ = (End::parse(bytes).is_ok(), Desktop::parse(bytes).is_ok());
        }
        _ => {
            let _ = IndexEntry::parse_all(bytes, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_lies_in_a_folder_is_read_or_refused(which in 0u8..6, bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            super::fuzz(&[&[which], &bytes[..]].concat());
        }
    }
}
