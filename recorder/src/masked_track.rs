//! The masked track as a reader sees it: its segments one after the other, opened with the masked private key.
use crate::{ArchiveError, Storage, replay::ReplayError, shred, store, table};
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{
    Body, ChannelEntry, Content, Envelope, EnvelopeError, Event, IndexEntry, KeyframeAt, KeyframePart, Kind, MAX_PARTS, Manifest, Opener,
    Problem, ReadError, RecordingHeader, SegmentReader, SegmentSummary, SignedManifest, Track, hex, strict,
};
use std::{
    fs::File,
    io::{self, BufReader},
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
};

type Reader = SegmentReader<BufReader<File>>;

/// A recording that may be replayed.
#[derive(Debug)]
pub(crate) struct MaskedTrack {
    storage: Storage,
    pub(crate) folder: PathBuf,
    key: Arc<dyn Opener>,
    pub(crate) header: RecordingHeader,
    pub(crate) recording: [u8; 32],
    /// None: still being written, or not recovered yet.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) segments: u32,
}

impl MaskedTrack {
    pub(crate) fn open(storage: &Storage, session: SessionId, key: Arc<dyn Opener>) -> Result<Self, ReplayError> {
        let folder = storage.find(session).ok_or(ReplayError::NotFound(session))?;
        let damaged = |what: &str, e: &dyn std::fmt::Display| ReplayError::Damaged(format!("{what}: {e}"));
        let bytes = match store::read_small(&folder.join(store::HEADER)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(ReplayError::NotFound(session)),
            read => read?,
        };
        let header: RecordingHeader = strict::decode(&bytes).map_err(|e| damaged(store::HEADER, &e))?;
        let recording = header.sha256().map_err(|e| damaged(store::HEADER, &e))?;
        if shred::is_marked(&folder) {
            return Err(ReplayError::Shredded);
        }
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
        Ok(Self { storage: storage.clone(), folder, key, header, recording, manifest, segments })
    }

    pub(crate) fn state(&self) -> RecordingState {
        self.manifest.as_ref().map_or(RecordingState::Recording, |m| m.state)
    }

    /// A segment's file, wherever it lies.
    pub(crate) fn open_file(&self, track: Track, number: u32) -> Result<File, ReplayError> {
        self.storage.segment(&self.folder, track, number).map_err(unopened)
    }

    pub(crate) fn segment(&self, number: u32) -> Result<Reader, ReplayError> {
        let name = Track::Masked.file_name(number);
        let file = self.open_file(Track::Masked, number)?;
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
            let _goes_on = self.for_each_event(number, &mut reader, |event| {
                table::update(&mut channels, event);
                ControlFlow::Continue(())
            })?;
        }
        Ok(channels)
    }

    /// Calls `take` for every event of the track, in order.
    pub(crate) fn for_each(&self, mut take: impl FnMut(&Event<'_>)) -> Result<(), ReplayError> {
        let all = self.try_for_each(|event| {
            take(event);
            ControlFlow::Continue(())
        });
        all.map(|_| ())
    }

    /// The same until `take` breaks.
    pub(crate) fn try_for_each(&self, mut take: impl FnMut(&Event<'_>) -> ControlFlow<()>) -> Result<ControlFlow<()>, ReplayError> {
        for number in 0..self.segments {
            if self.for_each_event(number, &mut self.segment(number)?, &mut take)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn for_each_event(
        &self,
        segment: u32,
        reader: &mut Reader,
        mut take: impl FnMut(&Event<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ReplayError> {
        loop {
            match reader.next_chunk() {
                Ok(None) => return Ok(ControlFlow::Continue(())),
                Ok(Some((_, Content::Events(events)))) => {
                    for event in events {
                        let event = event.map_err(|p| ReplayError::Damaged(p.to_string()))?;
                        if take(&event).is_break() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                }
                Ok(Some(_)) => {}
                Err(e) => return self.at_chunk(segment, e).map(ControlFlow::Continue),
            }
        }
    }

    /// The newest keyframe of `channel` at or before `at_us`, with its segment.
    pub(crate) fn keyframe(&self, channel: u32, at_us: u64) -> Result<Option<(u32, KeyframeAt)>, ReplayError> {
        for number in (0..self.segments).rev() {
            let mut reader = self.segment(number)?;
            // Later than what is looked for: its index need not be read.
            if number > 0 && reader.skip_chunk().is_ok_and(|f| f.is_some_and(|f| f.header.first_us > at_us)) {
                continue;
            }
            let of_channel = |k: &KeyframeAt| k.channel == channel && k.at_us <= at_us;
            let found = match indexed(&mut reader, number)? {
                Some(frames) => frames.into_iter().rev().find(of_channel),
                None => self.scan_keyframes(number, at_us, Some(channel))?.pop(),
            };
            if let Some(found) = found {
                return Ok(Some((number, found)));
            }
        }
        Ok(None)
    }

    /// Every keyframe of `channel`, in order, each with its segment.
    pub(crate) fn keyframes(&self, channel: u32) -> Result<Vec<(u32, KeyframeAt)>, ReplayError> {
        let mut all = Vec::new();
        for number in 0..self.segments {
            let frames = match indexed(&mut self.segment(number)?, number)? {
                Some(frames) => frames,
                None => self.scan_keyframes(number, u64::MAX, None)?,
            };
            all.extend(frames.into_iter().filter(|k| k.channel == channel).map(|k| (number, k)));
        }
        Ok(all)
    }

    /// Bytes of the track's files.
    pub(crate) fn bytes(&self) -> u64 {
        // What is in the archive need not come for that.
        if let Some(m) = &self.manifest {
            return masked_segments(m).iter().map(|s| s.bytes).sum();
        }
        let length = |number| std::fs::metadata(self.folder.join(Track::Masked.file_name(number))).map_or(0, |m| m.len());
        (0..self.segments).map(length).sum()
    }

    /// Keyframes of a segment without index, in order: chunk headers say where they are, and each is looked at. With `newest_of` only the
    /// newest of that channel.
    fn scan_keyframes(&self, number: u32, until_us: u64, newest_of: Option<u32>) -> Result<Vec<KeyframeAt>, ReplayError> {
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
        let mut frames = Vec::new();
        for (offset, sequence, at_us) in places.into_iter().rev() {
            let name = Track::Masked.file_name(number);
            reader.seek(offset, sequence).map_err(|e| damaged_segment(&name, e))?;
            if let Some((_, Content::Keyframe(k))) = reader.next_chunk().map_err(|e| damaged_segment(&name, e))?
                && k.part == 0
                && newest_of.is_none_or(|channel| channel == k.channel)
            {
                frames.push(KeyframeAt { channel: k.channel, at_us, sequence, offset });
                if newest_of.is_some() {
                    break;
                }
            }
        }
        frames.reverse();
        Ok(frames)
    }
}

/// Keyframes that a segment's index names; none without an index.
fn indexed(reader: &mut Reader, number: u32) -> Result<Option<Vec<KeyframeAt>>, ReplayError> {
    let index = reader.index().map_err(|e| damaged_segment(&Track::Masked.file_name(number), e))?;
    let keyframe = |e: &IndexEntry| if let IndexEntry::Keyframe(k) = e { Some(*k) } else { None };
    Ok((!index.is_empty()).then(|| index.iter().filter_map(keyframe).collect()))
}

fn unopened(e: io::Error) -> ReplayError {
    match e.get_ref().and_then(|e| e.downcast_ref::<ArchiveError>()) {
        Some(ArchiveError::Away(_)) => ReplayError::Away(e.to_string()),
        Some(ArchiveError::OtherBytes { .. }) => ReplayError::Damaged(e.to_string()),
        None if e.kind() == io::ErrorKind::TimedOut => ReplayError::Away(e.to_string()),
        _ => e.into(),
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

/// The parts of the keyframe that starts at the reader's place, in order. `take` says with none that a part is not of its kind.
pub(crate) fn keyframe_parts(
    reader: &mut Reader,
    name: &str,
    mut take: impl FnMut(&KeyframePart<'_>) -> Option<()>,
) -> Result<(), ReplayError> {
    let elsewhere = || ReplayError::Damaged(format!("{name}: a keyframe is not where the index says"));
    for number in 0..MAX_PARTS {
        match reader.next_chunk().map_err(|e| damaged_segment(name, e))? {
            Some((_, Content::Keyframe(k))) if k.part == number => {
                take(&k).ok_or_else(elsewhere)?;
                if k.last {
                    break;
                }
            }
            _ => return Err(elsewhere()),
        }
    }
    Ok(())
}

/// Output that a viewer sees, of an event of the masked track.
pub(crate) fn shown_text<'a>(body: &Body<'a>) -> Option<&'a str> {
    match *body {
        Body::Output(b) | Body::Stderr(b) => std::str::from_utf8(b).ok(),
        _ => None,
    }
}
