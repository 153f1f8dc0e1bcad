//! The recording itself, read here and by nobody for us: whole and unchanged, or nothing is released.
//!
//! The hash of its header was approved; the header names the key that signed the manifest; the manifest has the head of every chain. So
//! the times in the chunks' headers, by which an interval is found, are those that were written, and cannot be forged to get others.
use crate::{Warrant, decide::Shown};
use anteroom_domain::SessionId;
use anteroom_format::{
    ChainReader, Envelope, EnvelopeError, Kind, MAX_RELEASED, Manifest, Opener, ReadError, RecordingHeader, ReleasedChunk, SegmentHeader,
    SegmentKey, SegmentSecret, SegmentSummary, SignedManifest, Track, hex, strict,
};
use anteroom_recorder::Storage;
use rustix::fs::OFlags;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Why a recording's keys cannot be released, although they may.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    #[error("there is no recording of session {0} here")]
    NotFound(SessionId),
    #[error("the recording here is another one than the approved one (its header differs)")]
    OtherRecording,
    #[error("the key-holders were told {0} about the recording, which it does not say")]
    ShownOtherwise(&'static str),
    #[error("the recording is still being written; ask when the session has ended")]
    Open,
    #[error("the recording is damaged: {0}")]
    Damaged(String),
    #[error("the recording's keys were destroyed")]
    Shredded,
    #[error("the recording was made for other key-holders' keys than the two that are here")]
    OtherKeys,
    #[error("a key-holder's key cannot be used: {0}")]
    KeyAway(String),
    #[error("the interval holds more than {MAX_RELEASED} chunks; ask for a shorter one")]
    TooLong,
    #[error("the recording could not be checked within {0:?}")]
    TooSlow(Duration),
    #[error("the recording cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl RecordingError {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "no_recording",
            Self::OtherRecording => "other_recording",
            Self::ShownOtherwise(_) => "shown_otherwise",
            Self::Open => "still_recording",
            Self::Damaged(_) => "damaged",
            Self::Shredded => "shredded",
            Self::OtherKeys => "other_keys",
            Self::KeyAway(_) => "key_away",
            Self::TooLong => "interval_too_long",
            Self::TooSlow(_) => "too_slow",
            Self::Io(_) => "unreadable",
        }
    }
}

/// The private keys that together open sealed tracks.
#[derive(Debug)]
pub struct Keys([Arc<dyn Opener>; 2]);

impl Keys {
    pub fn new(keys: [Arc<dyn Opener>; 2]) -> Self {
        Self(keys)
    }

    fn open(&self, envelope: &Envelope, header: &SegmentHeader) -> Result<SegmentKey, EnvelopeError> {
        let shares = self.0.iter().map(|key| envelope.open_share(header, &**key)).collect::<Result<Vec<_>, _>>()?;
        envelope.combine(header, &shares)
    }
}

/// The keys of the chunks that touch the warrant's interval: a chunk is opened as a whole or not at all. Blocking; takes at most `limit`.
pub fn chunk_keys(
    recordings: impl Into<Storage>,
    warrant: &Warrant,
    keys: &Keys,
    limit: Duration,
) -> Result<Vec<ReleasedChunk>, RecordingError> {
    let storage = recordings.into();
    let session = warrant.session();
    let folder = storage.find(session).ok_or(RecordingError::NotFound(session))?;
    let manifest = manifest(&folder, warrant)?;
    let sealed = manifest.tracks.iter().find(|t| t.track == Track::Sealed).map_or(&[][..], |t| &t.segments);
    let recording = warrant.header_sha256();
    let mut reading =
        Reading { storage: &storage, folder: &folder, warrant, recording, deadline: Instant::now() + limit, limit, link: [0; 32] };
    let mut released = Vec::new();
    for (number, promised) in (0u32..).zip(sealed) {
        if promised.segment != number {
            return Err(RecordingError::Damaged("manifest.json: segments are not in order".into()));
        }
        reading.segment(promised, keys, &mut released)?;
    }
    Ok(released)
}

/// The manifest of exactly the approved recording.
fn manifest(folder: &Path, warrant: &Warrant) -> Result<Manifest, RecordingError> {
    let bytes = match read_small(&folder.join("header.json")) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(RecordingError::NotFound(warrant.session())),
        read => read?,
    };
    let header: RecordingHeader = strict::decode(&bytes).map_err(|e| damaged("header.json", &e))?;
    let hash = hex(&header.sha256().map_err(|e| damaged("header.json", &e))?);
    if hash != warrant.header_sha256() || header.session.session != warrant.session() {
        return Err(RecordingError::OtherRecording);
    }
    shown(warrant.shown(), &header)?;
    if folder.join(anteroom_recorder::shred::SHREDDED).symlink_metadata().is_ok() {
        return Err(RecordingError::Shredded);
    }
    let bytes = match read_small(&folder.join("manifest.json")) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(RecordingError::Open),
        read => read?,
    };
    let manifest = SignedManifest::verify(&bytes, &header.manifest_key).map_err(|e| damaged("manifest.json", &e))?.manifest;
    if manifest.session != warrant.session() || manifest.header_sha256 != hash {
        return Err(RecordingError::Damaged("manifest.json: belongs to another recording".into()));
    }
    Ok(manifest)
}

/// A portal could have shown one thing to the key-holders and named another recording.
fn shown(shown: &Shown, header: &RecordingHeader) -> Result<(), RecordingError> {
    let s = &header.session;
    if shown.person.as_str() != s.person_handle {
        return Err(RecordingError::ShownOtherwise("another person"));
    }
    if shown.target != format!("{}@{}", s.account, s.target_name) {
        return Err(RecordingError::ShownOtherwise("another target"));
    }
    // A database keeps less of a second than a recording.
    if (shown.started_at - s.started_at).unsigned_abs() >= Duration::from_secs(1) {
        return Err(RecordingError::ShownOtherwise("another time"));
    }
    Ok(())
}

struct Reading<'a> {
    storage: &'a Storage,
    folder: &'a Path,
    warrant: &'a Warrant,
    recording: &'a str,
    deadline: Instant,
    limit: Duration,
    /// Chain hash at the end of the segment before.
    link: [u8; 32],
}

impl Reading<'_> {
    /// Walks a segment to its promised end. Only when that is the promised one, its envelope is opened and its chunks join `released`.
    fn segment(&mut self, promised: &SegmentSummary, keys: &Keys, released: &mut Vec<ReleasedChunk>) -> Result<(), RecordingError> {
        let name = Track::Sealed.file_name(promised.segment);
        let source = BufReader::with_capacity(256 << 10, self.open(promised.segment, &name)?.take(promised.bytes));
        let mut chain = ChainReader::open(source).map_err(|e| broken(&name, e))?;
        let h = chain.header();
        let at_home = h.track == Track::Sealed && h.segment == promised.segment && h.session == self.warrant.session().0;
        if !at_home || hex(&h.recording) != self.recording || h.link != self.link {
            return Err(RecordingError::Damaged(format!("{name}: belongs to another recording or place in it")));
        }
        let wanted = self.warrant.from_us()..=self.warrant.until_us();
        let mut found = Vec::new();
        while let Some((frame, _)) = chain.next_frame().map_err(|e| broken(&name, e))? {
            if Instant::now() > self.deadline {
                return Err(RecordingError::TooSlow(self.limit));
            }
            let header = frame.header;
            // Keyframes are there of desktops only: what they showed at one moment.
            let shows = matches!(header.kind, Kind::Events | Kind::Keyframe);
            if shows && header.first_us <= *wanted.end() && header.last_us >= *wanted.start() {
                found.push((header.sequence, frame.offset));
            }
            if found.len() + released.len() > MAX_RELEASED {
                return Err(RecordingError::TooLong);
            }
        }
        let is = SegmentSummary {
            segment: promised.segment,
            bytes: chain.offset(),
            chunks: chain.chunks(),
            events: chain.events(),
            head: hex(chain.head()),
            finished: chain.finished(),
        };
        if is != *promised {
            return Err(RecordingError::Damaged(format!("{name}: does not end where the manifest says")));
        }
        self.link = *chain.head();
        if !found.is_empty() {
            let header = chain.header();
            let secret = SegmentSecret::new(&self.segment_key(&name, header, keys)?, &header.salt);
            let segment = promised.segment;
            released.extend(found.into_iter().map(|(sequence, offset)| ReleasedChunk {
                segment,
                sequence,
                offset,
                key: secret.chunk_key(sequence),
            }));
        }
        Ok(())
    }

    /// The file here, or the archive's copy, which may take what is left of the time.
    fn open(&self, segment: u32, name: &str) -> Result<File, RecordingError> {
        let not_here = match open(&self.folder.join(name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => e,
            opened => return Ok(opened?),
        };
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.storage.archived(self.folder, Track::Sealed, segment, left) {
            Ok(copy) => Ok(copy.ok_or(not_here)?),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => Err(RecordingError::TooSlow(self.limit)),
            Err(e) => Err(e.into()),
        }
    }

    fn segment_key(&self, name: &str, header: &SegmentHeader, keys: &Keys) -> Result<SegmentKey, RecordingError> {
        let name = format!("{name}.envelope");
        let bytes = match read_small(&self.folder.join(&name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(RecordingError::Shredded),
            read => read?,
        };
        let envelope = Envelope::from_bytes(&bytes).map_err(|e| damaged(&name, &e))?;
        keys.open(&envelope, header).map_err(|e| match e {
            EnvelopeError::NotForKey => RecordingError::OtherKeys,
            EnvelopeError::Away(why) => RecordingError::KeyAway(why),
            e => damaged(&name, &e),
        })
    }
}

/// The folder belongs to somebody else: what is no file there (a pipe, a link out of it) is not opened or not waited for.
fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a file")) }
}

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(strict::MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn damaged(what: &str, e: &dyn std::fmt::Display) -> RecordingError {
    RecordingError::Damaged(format!("{what}: {e}"))
}

fn broken(name: &str, e: ReadError) -> RecordingError {
    match e {
        ReadError::Io(e) => RecordingError::Io(e),
        ReadError::Damage(d) => damaged(name, &d),
    }
}
