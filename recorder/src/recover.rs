//! Closes what a dead process, or a broken disk, left without a manifest. The bytes that are there stay as they are.
use crate::{
    RecordingFailed, Sealed,
    seal::{self, Contents},
    store,
};
use anteroom_domain::{RecordingState, Secret, SessionId};
use anteroom_format::{ChainReader, MaskCheck, ReadError, RecordingHeader, SegmentHeader, Track, TrackSummary, strict};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader},
    path::Path,
};

/// Writes the torn manifest of the recording in `folder`.
pub(crate) fn close_torn(folder: &Path, session: SessionId, signer: &Secret<[u8; 32]>) -> Result<Sealed, RecordingFailed> {
    let broken = |e: String| RecordingFailed::Io(e);
    let bytes = store::read_small(&folder.join(store::HEADER)).map_err(|e| RecordingFailed::from(&e))?;
    let header: RecordingHeader = strict::decode(&bytes).map_err(|e| broken(format!("{}: {e}", store::HEADER)))?;
    if header.session.session != session {
        return Err(broken(format!("{} is of another session", store::HEADER)));
    }
    let header_sha256 = header.sha256().map_err(|e| broken(e.to_string()))?;
    let mut duration_us = 0;
    let mut tracks = Vec::new();
    for track in Track::ALL {
        let (summary, last_us) = prefix(folder, track, session, &header_sha256).map_err(|e| RecordingFailed::from(&e))?;
        duration_us = duration_us.max(last_us);
        tracks.push(summary);
    }
    let contents = Contents {
        state: RecordingState::Torn,
        duration_us,
        tracks,
        channels: Vec::new(),
        mask_check: MaskCheck::NotRun,
        mask_counts: BTreeMap::new(),
    };
    seal::publish(folder, &header, header_sha256, contents, signer)
}

/// The longest run of chunks that hang together, and the time of its last event.
fn prefix(folder: &Path, track: Track, session: SessionId, recording: &[u8; 32]) -> io::Result<(TrackSummary, u64)> {
    let mut segments = Vec::new();
    let (mut link, mut last_us) = ([0u8; 32], 0);
    for segment in 0.. {
        let file = match File::open(folder.join(track.file_name(segment))) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => break,
            Err(e) => return Err(e),
        };
        let mut reader = match ChainReader::open(BufReader::with_capacity(128 << 10, file)) {
            Ok(reader) => reader,
            Err(ReadError::Damage(_)) => break,
            Err(ReadError::Io(e)) => return Err(e),
        };
        if !belongs(reader.header(), track, segment, session, recording, &link) {
            break;
        }
        loop {
            match reader.next_frame() {
                Ok(Some(_)) => {}
                Ok(None) | Err(ReadError::Damage(_)) => break,
                Err(ReadError::Io(e)) => return Err(e),
            }
        }
        (link, last_us) = (*reader.head(), last_us.max(reader.last_us()));
        segments.push(reader.summary());
        if !reader.finished() {
            break;
        }
    }
    Ok((TrackSummary { track, segments }, last_us))
}

/// Whether a segment's header is the one for this place.
pub(crate) fn belongs(h: &SegmentHeader, track: Track, segment: u32, session: SessionId, recording: &[u8; 32], link: &[u8; 32]) -> bool {
    h.track == track && h.segment == segment && h.session == session.0 && h.recording == *recording && h.link == *link
}
