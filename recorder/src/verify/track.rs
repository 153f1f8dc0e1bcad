//! One track, walked from its first segment to its last.
use super::{Code, Finding, Source, read_small};
use crate::{recover::belongs, shred::Keys};
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{ChainReader, Damage, Envelope, EnvelopeError, Manifest, Problem, ReadError, SegmentHeader, SegmentSummary, Track};
use std::io::{self, BufReader, Read};

/// What was found in a track.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    pub(super) keys: Keys,
    /// Good bytes and chunks.
    pub(super) bytes: u64,
    pub(super) chunks: u64,
}

/// A track to be checked, and what it is checked against.
pub(super) struct Walk<'a, S: ?Sized> {
    pub(super) source: &'a S,
    pub(super) track: Track,
    pub(super) session: SessionId,
    /// SHA-256 of `header.json`.
    pub(super) recording: [u8; 32],
    pub(super) manifest: Option<&'a Manifest>,
    /// Told how many bytes were read since it was told last.
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

impl<S: Source + ?Sized> Walk<'_, S> {
    pub(super) fn run(&self) -> Walked {
        let mut out = Walked::default();
        let promised = self.manifest.and_then(|m| m.tracks.iter().find(|t| t.track == self.track)).map(|t| t.segments.as_slice());
        let mut link = [0u8; 32];
        for segment in 0.. {
            let name = self.track.file_name(segment);
            let promise = promised.and_then(|p| p.get(segment as usize));
            let part = match self.source.open(&name) {
                Ok(Some(part)) => part,
                Ok(None) => {
                    if promise.is_some() || (segment == 0 && promised.is_none()) {
                        out.findings.push(Finding::new(Code::SegmentMissing, &name, "is missing"));
                    }
                    break;
                }
                Err(e) => {
                    out.findings.push(Finding::new(Code::Unreadable, &name, e));
                    break;
                }
            };
            if promised.is_some() && promise.is_none() {
                // A torn manifest leaves out what does not hang together.
                if self.torn() {
                    out.notes.push(format!("{name} follows the torn end"));
                } else {
                    out.findings.push(Finding::new(Code::SegmentUnlisted, &name, "is not in the manifest").at(None, 0));
                }
                break;
            }
            let length = part.left();
            match self.segment(&mut out, segment, part.take(promise.map_or(u64::MAX, |p| p.bytes)), length, promise, &link) {
                Ok(Some(head)) => link = head,
                Ok(None) => break,
                Err(finding) => {
                    out.findings.push(finding);
                    break;
                }
            }
        }
        out
    }

    fn torn(&self) -> bool {
        self.manifest.is_some_and(|m| m.state == RecordingState::Torn)
    }

    /// The chain hash at the end of a good segment that another may follow.
    fn segment(
        &self,
        out: &mut Walked,
        segment: u32,
        source: impl Read,
        length: u64,
        promise: Option<&SegmentSummary>,
        link: &[u8; 32],
    ) -> Result<Option<[u8; 32]>, Finding> {
        let name = self.track.file_name(segment);
        let failed = |e: ReadError| match e {
            ReadError::Damage(d) => Finding::damage(&name, &d),
            ReadError::Io(e) => Finding::new(Code::Unreadable, &name, e),
        };
        let mut reader = ChainReader::open(BufReader::with_capacity(256 << 10, source)).map_err(failed)?;
        let damage = self.walk(&mut reader).map_err(|e| Finding::new(Code::Unreadable, &name, e))?;
        out.bytes += reader.offset();
        out.chunks += reader.chunks();
        self.envelope(out, segment, reader.header());
        if !belongs(reader.header(), self.track, segment, self.session, &self.recording, link) {
            let problem = Problem::Misplaced("its header names another session, header, track or predecessor");
            return Err(Finding::damage(&name, &problem.at(None, 0)));
        }
        match (damage, promise) {
            // Being written, or cut by a crash: a chunk may be half there.
            (Some(Damage { problem: Problem::Truncated, offset, chunk }), None) => {
                out.notes.push(format!("{name}: chunk {} at byte {offset} is not whole", chunk.unwrap_or_default()));
                return Ok(None);
            }
            (Some(damage), _) => return Err(Finding::damage(&name, &damage)),
            (None, Some(promise)) => {
                let is = reader.summary();
                let here = |code, problem: String| Err(Finding::new(code, &name, problem).at(Some(is.chunks), is.bytes));
                if is != *promise {
                    let problem = format!("ends after {} chunks; the manifest has {}, with another end", is.chunks, promise.chunks);
                    return here(Code::SegmentOtherEnd, problem);
                }
                if length > promise.bytes {
                    let more = length - promise.bytes;
                    if !self.torn() {
                        return here(Code::BytesAfterEnd, format!("{more} bytes follow the end"));
                    }
                    out.notes.push(format!("{name}: {more} bytes follow the torn end"));
                    return Ok(None);
                }
                if !is.finished && self.manifest.is_some_and(|m| m.state == RecordingState::Complete) {
                    return here(Code::FinalMissing, "its final chunk is missing".into());
                }
            }
            (None, None) => {}
        }
        Ok(reader.finished().then(|| *reader.head()))
    }

    /// To the segment's end, or to where it stops making sense.
    fn walk(&self, reader: &mut ChainReader<impl Read>) -> io::Result<Option<Damage>> {
        let mut told = 0;
        loop {
            let next = reader.next_frame().map(|frame| frame.is_some());
            (self.progress)(reader.offset() - told);
            told = reader.offset();
            match next {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(ReadError::Damage(d)) => return Ok(Some(d)),
                Err(ReadError::Io(e)) => return Err(e),
            }
        }
    }

    /// Keys may be gone on purpose; keys that are there must be whole and belong here.
    fn envelope(&self, out: &mut Walked, segment: u32, header: &SegmentHeader) {
        let name = self.track.envelope_name(segment);
        let read = match read_small(self.source, &name) {
            Ok(Some(bytes)) => Envelope::from_bytes(&bytes),
            Ok(None) => return out.keys.saw(self.track, segment, false),
            Err(e) => return out.findings.push(Finding::new(Code::Unreadable, &name, e)),
        };
        match read.and_then(|e| if e.belongs_to(header) { Ok(()) } else { Err(EnvelopeError::OtherSegment) }) {
            Ok(()) => out.keys.saw(self.track, segment, true),
            Err(e) => out.findings.push(Finding::new((&e).into(), &name, e)),
        }
    }
}
