//! The masked track as a reader sees it: its segments one after the other, opened with the masked private key.
use crate::{replay::ReplayError, store, table};
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{
    Body, ChannelEntry, Content, Envelope, EnvelopeError, Event, IndexEntry, KeyframeAt, Kind, Manifest, Opener, Problem, ReadError,
    RecordingHeader, SegmentReader, SegmentSummary, SignedManifest, Track, hex, strict,
};
use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

type Reader = SegmentReader<BufReader<File>>;

/// A recording that may be replayed.
#[derive(Debug)]
pub(crate) struct MaskedTrack {
    folder: PathBuf,
    key: Arc<dyn Opener>,
    pub(crate) header: RecordingHeader,
    recording: [u8; 32],
    /// None: still being written, or not recovered yet.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) segments: u32,
}

impl MaskedTrack {
    pub(crate) fn open(root: &Path, session: SessionId, key: Arc<dyn Opener>) -> Result<Self, ReplayError> {
        let folder = store::find(root, session).ok_or(ReplayError::NotFound(session))?;
        let damaged = |what: &str, e: &dyn std::fmt::Display| ReplayError::Damaged(format!("{what}: {e}"));
        let bytes = match store::read_small(&folder.join(store::HEADER)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(ReplayError::NotFound(session)),
            read => read?,
        };
        let header: RecordingHeader = strict::decode(&bytes).map_err(|e| damaged(store::HEADER, &e))?;
        let recording = header.sha256().map_err(|e| damaged(store::HEADER, &e))?;
        let manifest = match store::read_small(&folder.join(store::MANIFEST)) {
            Ok(bytes) => Some(SignedManifest::verify(&bytes, &header.manifest_key).map_err(|e| damaged(store::MANIFEST, &e))?.manifest),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(e.into()),
        };
        if header.session.session != session
            || manifest.as_ref().is_some_and(|m| m.session != session || m.header_sha256 != hex(&recording))
        {
            return Err(ReplayError::Damaged("belongs to another session".into()));
        }
        let segments = match &manifest {
            Some(m) => masked_segments(m).len() as u32,
            None => (0..).take_while(|n| folder.join(Track::Masked.file_name(*n)).exists()).count() as u32,
        };
        Ok(Self { folder, key, header, recording, manifest, segments })
    }

    pub(crate) fn state(&self) -> RecordingState {
        self.manifest.as_ref().map_or(RecordingState::Recording, |m| m.state)
    }

    pub(crate) fn segment(&self, number: u32) -> Result<Reader, ReplayError> {
        let name = Track::Masked.file_name(number);
        let file = File::open(self.folder.join(&name))?;
        let length = file.metadata()?.len();
        let promised = self.manifest.as_ref().and_then(|m| masked_segments(m).get(number as usize));
        if let Some(p) = promised.filter(|p| length < p.bytes) {
            return Err(ReplayError::Damaged(format!("{name} ends at byte {length} of {}", p.bytes)));
        }
        let envelope = match store::read_small(&self.folder.join(Track::Masked.envelope_name(number))) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(ReplayError::Shredded),
            read => read?,
        };
        let envelope = Envelope::from_bytes(&envelope).map_err(|e| ReplayError::Damaged(format!("{name}.envelope: {e}")))?;
        let mut source = BufReader::with_capacity(80 << 10, file);
        let header = anteroom_format::ChainReader::open(&mut source).map_err(|e| damaged_segment(&name, e))?.header().clone();
        let key = envelope.open(&header, &*self.key).map_err(|e| match e {
            EnvelopeError::NotForKey => ReplayError::WrongKey,
            EnvelopeError::Away(why) => ReplayError::KeyAway(why),
            e => ReplayError::Damaged(format!("{name}.envelope: {e}")),
        })?;
        let at_home = header.track == Track::Masked && header.segment == number && header.session == self.header.session.session.0;
        if !at_home || header.recording != self.recording {
            return Err(ReplayError::Damaged(format!("{name} belongs to another recording")));
        }
        SegmentReader::open(source, &key, promised.map_or(length, |p| p.bytes)).map_err(|e| damaged_segment(&name, e))
    }

    /// What a chunk could not be read for. A recording without manifest may end in the middle of one.
    pub(crate) fn at_chunk(&self, segment: u32, e: ReadError) -> Result<(), ReplayError> {
        match e {
            ReadError::Damage(d) if self.manifest.is_none() && d.problem == Problem::Truncated => Ok(()),
            e => Err(damaged_segment(&Track::Masked.file_name(segment), e)),
        }
    }

    /// The table of channels: from the last index, and from the events of a segment that was cut short.
    pub(crate) fn channels(&self) -> Result<Vec<ChannelEntry>, ReplayError> {
        let mut channels = Vec::new();
        for number in self.segments.saturating_sub(2)..self.segments {
            let mut reader = self.segment(number)?;
            let index = reader.index().map_err(|e| damaged_segment(&Track::Masked.file_name(number), e))?;
            if !index.is_empty() {
                channels = index.into_iter().filter_map(|e| if let IndexEntry::Channel(c) = e { Some(c) } else { None }).collect();
                continue;
            }
            let mut reader = self.segment(number)?;
            self.for_each_event(number, &mut reader, |event| table::update(&mut channels, event))?;
        }
        Ok(channels)
    }

    /// Calls `take` for every event of the track, in order.
    pub(crate) fn for_each(&self, mut take: impl FnMut(&Event<'_>)) -> Result<(), ReplayError> {
        (0..self.segments).try_for_each(|number| self.for_each_event(number, &mut self.segment(number)?, &mut take))
    }

    fn for_each_event(&self, segment: u32, reader: &mut Reader, mut take: impl FnMut(&Event<'_>)) -> Result<(), ReplayError> {
        loop {
            match reader.next_chunk() {
                Ok(None) => return Ok(()),
                Ok(Some((_, Content::Events(events)))) => {
                    for event in events {
                        let event = event.map_err(|p| ReplayError::Damaged(p.to_string()))?;
                        take(&event);
                    }
                }
                Ok(Some(_)) => {}
                Err(e) => return self.at_chunk(segment, e),
            }
        }
    }

    /// The newest keyframe of `channel` at or before `at_us`, with its segment.
    pub(crate) fn keyframe(&self, channel: u32, at_us: u64) -> Result<Option<(u32, KeyframeAt)>, ReplayError> {
        for number in (0..self.segments).rev() {
            let mut reader = self.segment(number)?;
            let name = Track::Masked.file_name(number);
            let index = reader.index().map_err(|e| damaged_segment(&name, e))?;
            let mut frames: Vec<KeyframeAt> =
                index.iter().filter_map(|e| if let IndexEntry::Keyframe(k) = e { Some(*k) } else { None }).collect();
            if index.is_empty() {
                frames = self.scan_keyframes(number, at_us)?;
            }
            if let Some(found) = frames.into_iter().rev().find(|k| k.channel == channel && k.at_us <= at_us) {
                return Ok(Some((number, found)));
            }
        }
        Ok(None)
    }

    /// Keyframes of a segment without index: chunk headers say where they are, the newest of each channel is looked at.
    fn scan_keyframes(&self, number: u32, until_us: u64) -> Result<Vec<KeyframeAt>, ReplayError> {
        let mut places = Vec::new();
        let mut reader = self.segment(number)?;
        loop {
            match reader.skip_chunk() {
                Ok(Some(f)) if f.header.first_us > until_us => break,
                Ok(Some(f)) if f.header.kind == Kind::Keyframe => places.push((f.offset, f.header.sequence, f.header.first_us)),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(e) => {
                    self.at_chunk(number, e)?;
                    break;
                }
            }
        }
        let mut frames = Vec::with_capacity(places.len());
        for (offset, sequence, at_us) in places {
            let name = Track::Masked.file_name(number);
            reader.seek(offset, sequence).map_err(|e| damaged_segment(&name, e))?;
            if let Some((_, Content::Keyframe(k))) = reader.next_chunk().map_err(|e| damaged_segment(&name, e))?
                && k.part == 0
            {
                frames.push(KeyframeAt { channel: k.channel, at_us, sequence, offset });
            }
        }
        Ok(frames)
    }
}

fn masked_segments(m: &Manifest) -> &[SegmentSummary] {
    m.tracks.iter().find(|t| t.track == Track::Masked).map_or(&[], |t| t.segments.as_slice())
}

pub(crate) fn damaged_segment(name: &str, e: ReadError) -> ReplayError {
    match e {
        ReadError::Io(e) => ReplayError::Io(e),
        ReadError::Damage(d) => ReplayError::Damaged(format!("{name}: {d}")),
    }
}

/// Output that a viewer sees, of an event of the masked track.
pub(crate) fn shown_text<'a>(body: &Body<'a>) -> Option<&'a str> {
    match *body {
        Body::Output(b) | Body::Stderr(b) => std::str::from_utf8(b).ok(),
        _ => None,
    }
}
