//! Checks a recording without any key: what is there, whether it is whole, and if not, where it is damaged.
use crate::{
    recover::belongs,
    shred::{self, Keys},
    store,
};
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{
    ChainReader, Damage, Envelope, EnvelopeError, Manifest, Problem, ReadError, RecordingHeader, SegmentHeader, SegmentSummary,
    SignedManifest, Track, hex, strict,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Closed in good order and unchanged since.
    Complete,
    /// Cut short; what the torn manifest covers is unchanged.
    Torn,
    /// No manifest: still being written, or not recovered yet. What is there hangs together.
    Open,
    /// Changed, cut or missing after it was written. `findings` says where.
    Damaged,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// File name inside the recording's folder.
    pub file: String,
    /// Chunk number in that file, from 0.
    pub chunk: Option<u64>,
    /// Where in the file, in bytes.
    pub offset: Option<u64>,
    pub problem: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(chunk) = self.chunk {
            write!(f, ", chunk {chunk}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub session: SessionId,
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    /// Things to know that are no damage: bytes after a torn end.
    pub notes: Vec<String>,
    /// Without the audit log nobody can say whether missing keys are damage.
    pub keys: Keys,
    pub manifest: Option<Manifest>,
    /// SHA-256 of the manifest's canonical bytes: compare with the audit log.
    pub manifest_sha256: Option<[u8; 32]>,
    /// SHA-256 of `header.json`: compare with the audit log.
    pub header_sha256: Option<[u8; 32]>,
    /// The key that signed the manifest, base64. Compare it with the gateway's published key.
    pub manifest_key: Option<String>,
    pub bytes: u64,
    pub chunks: u64,
}

/// Verifies the recording of `session` under `root`. Reads every byte once; needs no key and changes nothing.
pub fn verify_dir(root: &Path, session: SessionId) -> Report {
    match store::find(root, session) {
        Some(folder) => verify_folder(&folder, session),
        None => {
            let mut check = Check::new(session, Path::new(""));
            check.find("", None, None, "there is no recording of this session");
            check.report(None)
        }
    }
}

/// Verifies the recording that lies in `folder`: an exported one, for instance.
pub fn verify_folder(folder: &Path, session: SessionId) -> Report {
    let mut check = Check::new(session, folder);
    let header = check.header();
    let manifest = check.manifest(header.as_ref());
    for track in Track::ALL {
        check.track(track, manifest.as_ref());
    }
    check.report(manifest)
}

struct Check<'a> {
    folder: &'a Path,
    report: Report,
}

impl<'a> Check<'a> {
    fn new(session: SessionId, folder: &'a Path) -> Self {
        let report = Report {
            session,
            verdict: Verdict::Open,
            findings: Vec::new(),
            notes: Vec::new(),
            keys: Keys { marked: shred::is_marked(folder), ..Keys::default() },
            manifest: None,
            manifest_sha256: None,
            header_sha256: None,
            manifest_key: None,
            bytes: 0,
            chunks: 0,
        };
        Self { folder, report }
    }

    fn find(&mut self, file: &str, chunk: Option<u64>, offset: Option<u64>, problem: impl ToString) {
        self.report.findings.push(Finding { file: file.into(), chunk, offset, problem: problem.to_string() });
    }

    fn header(&mut self) -> Option<RecordingHeader> {
        let bytes = match store::read_small(&self.folder.join(store::HEADER)) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.find(store::HEADER, None, None, e);
                return None;
            }
        };
        self.report.header_sha256 = Some(Sha256::digest(&bytes).into());
        match strict::decode::<RecordingHeader>(&bytes) {
            Ok(h) if h.format != RecordingHeader::FORMAT => self.find(store::HEADER, None, None, "unknown format"),
            Ok(h) if h.session.session != self.report.session => self.find(store::HEADER, None, None, "belongs to another session"),
            Ok(h) => return Some(h),
            Err(e) => self.find(store::HEADER, None, None, e),
        }
        None
    }

    fn manifest(&mut self, header: Option<&RecordingHeader>) -> Option<Manifest> {
        let bytes = match store::read_small(&self.folder.join(store::MANIFEST)) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
            Err(e) => {
                self.find(store::MANIFEST, None, None, e);
                return None;
            }
        };
        // Without its header nobody says which key should have signed it; the finding about the header is there already.
        let header = header?;
        let signed = match SignedManifest::verify(&bytes, &header.manifest_key) {
            Ok(signed) => signed,
            Err(e) => {
                self.find(store::MANIFEST, None, None, e);
                return None;
            }
        };
        let m = signed.manifest;
        if m.session != self.report.session || Some(&m.header_sha256) != self.report.header_sha256.map(|h| hex(&h)).as_ref() {
            self.find(store::MANIFEST, None, None, "belongs to another recording");
        }
        if m.tracks.iter().map(|t| t.track).ne(Track::ALL)
            || m.tracks.iter().any(|t| t.segments.is_empty() && m.state == RecordingState::Complete)
        {
            self.find(store::MANIFEST, None, None, "does not list both tracks");
        }
        self.report.manifest_key = Some(signed.key);
        self.report.manifest_sha256 = m.sha256().ok();
        Some(m)
    }

    fn track(&mut self, track: Track, manifest: Option<&Manifest>) {
        let promised = manifest.and_then(|m| m.tracks.iter().find(|t| t.track == track)).map(|t| t.segments.as_slice());
        let mut link = [0u8; 32];
        for segment in 0.. {
            let name = track.file_name(segment);
            let path = self.folder.join(&name);
            let promise = promised.and_then(|p| p.get(segment as usize));
            if !path.exists() {
                if promise.is_some() || (segment == 0 && promised.is_none()) {
                    self.find(&name, None, None, "is missing");
                }
                return;
            }
            if promised.is_some() && promise.is_none() {
                // A torn manifest leaves out what does not hang together.
                match manifest.map(|m| m.state) {
                    Some(RecordingState::Torn) => self.report.notes.push(format!("{name} follows the torn end")),
                    _ => self.find(&name, None, Some(0), "is not in the manifest"),
                }
                return;
            }
            match self.segment(track, segment, &path, promise, manifest, &link) {
                Some(head) => link = head,
                None => return,
            }
        }
    }

    /// The chain hash at the end of a good segment that another may follow.
    fn segment(
        &mut self,
        track: Track,
        segment: u32,
        path: &Path,
        promise: Option<&SegmentSummary>,
        manifest: Option<&Manifest>,
        link: &[u8; 32],
    ) -> Option<[u8; 32]> {
        let name = track.file_name(segment);
        let (walked, length) = match walk(path, promise.map(|p| p.bytes)) {
            Ok(walked) => walked,
            Err(e) => {
                self.find(&name, None, None, e);
                return None;
            }
        };
        let Walk { reader, damage } = match walked {
            Ok(walk) => walk,
            Err(damage) => {
                self.damage(&name, &damage);
                return None;
            }
        };
        self.report.bytes += reader.offset();
        self.report.chunks += reader.chunks();
        self.envelope(track, segment, reader.header());
        let recording = self.report.header_sha256.unwrap_or_default();
        if !belongs(reader.header(), track, segment, self.report.session, &recording, link) {
            self.damage(&name, &Problem::Misplaced("its header names another session, header, track or predecessor").at(None, 0));
            return None;
        }
        match (damage, promise) {
            // Being written, or cut by a crash: a chunk may be half there.
            (Some(Damage { problem: Problem::Truncated, offset, chunk }), None) => {
                self.report.notes.push(format!("{name}: chunk {} at byte {offset} is not whole", chunk.unwrap_or_default()));
                return None;
            }
            (Some(damage), _) => {
                self.damage(&name, &damage);
                return None;
            }
            (None, Some(promise)) => {
                let is = SegmentSummary {
                    segment,
                    bytes: reader.offset(),
                    chunks: reader.chunks(),
                    events: reader.events(),
                    head: hex(reader.head()),
                    finished: reader.finished(),
                };
                if is != *promise {
                    let problem = format!("ends after {} chunks; the manifest has {}, with another end", is.chunks, promise.chunks);
                    self.find(&name, Some(is.chunks), Some(is.bytes), problem);
                    return None;
                }
                if length > promise.bytes {
                    let more = length - promise.bytes;
                    match manifest.map(|m| m.state) {
                        Some(RecordingState::Torn) => self.report.notes.push(format!("{name}: {more} bytes follow the torn end")),
                        _ => self.find(&name, Some(is.chunks), Some(is.bytes), format!("{more} bytes follow the end")),
                    }
                    return None;
                }
                if !is.finished && manifest.is_some_and(|m| m.state == RecordingState::Complete) {
                    self.find(&name, Some(is.chunks), Some(is.bytes), "its final chunk is missing");
                }
            }
            (None, None) => {}
        }
        reader.finished().then(|| *reader.head())
    }

    /// Keys may be gone on purpose; keys that are there must be whole and belong here.
    fn envelope(&mut self, track: Track, segment: u32, header: &SegmentHeader) {
        let name = track.envelope_name(segment);
        let read = match store::read_small(&self.folder.join(&name)) {
            Ok(bytes) => Envelope::from_bytes(&bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return self.report.keys.saw(track, segment, false),
            Err(e) => return self.find(&name, None, None, e),
        };
        match read.and_then(|e| if e.belongs_to(header) { Ok(()) } else { Err(EnvelopeError::OtherSegment) }) {
            Ok(()) => self.report.keys.saw(track, segment, true),
            Err(e) => self.find(&name, None, None, e),
        }
    }

    fn damage(&mut self, file: &str, damage: &Damage) {
        self.find(file, damage.chunk, Some(damage.offset), &damage.problem);
    }

    fn report(mut self, manifest: Option<Manifest>) -> Report {
        self.report.verdict = match &manifest {
            _ if !self.report.findings.is_empty() => Verdict::Damaged,
            None => Verdict::Open,
            Some(m) if m.state == RecordingState::Complete => Verdict::Complete,
            Some(_) => Verdict::Torn,
        };
        self.report.manifest = manifest;
        self.report
    }
}

type Chain = ChainReader<BufReader<io::Take<File>>>;

/// A segment read to its end, or to where it stops making sense.
struct Walk {
    reader: Chain,
    damage: Option<Damage>,
}

/// Reads a segment, at most `limit` bytes of it. Also its file's length.
fn walk(path: &Path, limit: Option<u64>) -> io::Result<(Result<Walk, Damage>, u64)> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let source = BufReader::with_capacity(256 << 10, file.take(limit.unwrap_or(u64::MAX)));
    let mut reader = match ChainReader::open(source) {
        Ok(reader) => reader,
        Err(ReadError::Damage(d)) => return Ok((Err(d), length)),
        Err(ReadError::Io(e)) => return Err(e),
    };
    loop {
        match reader.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => return Ok((Ok(Walk { reader, damage: None }), length)),
            Err(ReadError::Damage(d)) => return Ok((Ok(Walk { reader, damage: Some(d) }), length)),
            Err(ReadError::Io(e)) => return Err(e),
        }
    }
}
