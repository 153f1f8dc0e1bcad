//! Checks a recording without any key: what is there, whether it is whole, and if not, where it is damaged.
mod finding;
mod source;
mod track;

use crate::store;
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{Manifest, RecordingHeader, SignedManifest, Track, hex, strict};
use finding::header_code;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    io::{self, Read},
    path::Path,
};
use track::{Walk, Walked};

pub use finding::{Code, Finding};
pub use source::{Part, Source};

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

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub session: SessionId,
    pub verdict: Verdict,
    pub findings: Vec<Finding>,
    /// Things to know that are no damage: keys that were shredded, bytes after a torn end.
    pub notes: Vec<String>,
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
        Some(folder) => verify(&*folder, session, &|_| {}),
        None => {
            let mut report = Report::new(session);
            report.findings.push(Finding::new(Code::NoRecording, "", "there is no recording of this session"));
            report.conclude(None)
        }
    }
}

/// Verifies the recording of `session` whose files `source` has, both tracks at the same time. `progress` is told how many bytes of
/// segments were read since it was told last.
pub fn verify<S: Source + ?Sized>(source: &S, session: SessionId, progress: &(dyn Fn(u64) + Sync)) -> Report {
    let mut report = Report::new(session);
    let header = report.header(source);
    let manifest = report.manifest(source, header.as_ref());
    let recording = report.header_sha256.unwrap_or_default();
    let walk = |track| Walk { source, track, session, recording, manifest: manifest.as_ref(), progress }.run();
    // The other track is walked beside this one; a thread that dies has found nothing to be good.
    let tracks = std::thread::scope(|scope| {
        let running = Track::ALL.map(|track| {
            (
                track,
                scope.spawn({
                    let walk = &walk;
                    move || walk(track)
                }),
            )
        });
        running.map(|(track, thread)| {
            thread.join().unwrap_or_else(|_| Walked {
                findings: vec![Finding::new(Code::Unreadable, &track.file_name(0), "checking it failed")],
                ..Walked::default()
            })
        })
    });
    for walked in tracks {
        report.findings.extend(walked.findings);
        report.notes.extend(walked.notes);
        report.bytes += walked.bytes;
        report.chunks += walked.chunks;
    }
    report.conclude(manifest)
}

impl Report {
    fn new(session: SessionId) -> Self {
        Self {
            session,
            verdict: Verdict::Open,
            findings: Vec::new(),
            notes: Vec::new(),
            manifest: None,
            manifest_sha256: None,
            header_sha256: None,
            manifest_key: None,
            bytes: 0,
            chunks: 0,
        }
    }

    fn find(&mut self, code: Code, file: &str, problem: impl ToString) {
        self.findings.push(Finding::new(code, file, problem));
    }

    fn header<S: Source + ?Sized>(&mut self, source: &S) -> Option<RecordingHeader> {
        let bytes = match read_small(source, store::HEADER) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.find(Code::HeaderMissing, store::HEADER, "is missing");
                return None;
            }
            Err(e) => {
                self.find(Code::Unreadable, store::HEADER, e);
                return None;
            }
        };
        self.header_sha256 = Some(Sha256::digest(&bytes).into());
        match strict::decode::<RecordingHeader>(&bytes) {
            Ok(h) if h.format != RecordingHeader::FORMAT => self.find(Code::HeaderFormat, store::HEADER, "unknown format"),
            Ok(h) if h.session.session != self.session => {
                self.find(Code::HeaderOtherSession, store::HEADER, "belongs to another session");
            }
            Ok(h) => return Some(h),
            Err(e) => self.find(header_code(&e), store::HEADER, e),
        }
        None
    }

    fn manifest<S: Source + ?Sized>(&mut self, source: &S, header: Option<&RecordingHeader>) -> Option<Manifest> {
        let bytes = match read_small(source, store::MANIFEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return None,
            Err(e) => {
                self.find(Code::Unreadable, store::MANIFEST, e);
                return None;
            }
        };
        // Without its header nobody says which key should have signed it; the finding about the header is there already.
        let header = header?;
        let signed = match SignedManifest::verify(&bytes, &header.manifest_key) {
            Ok(signed) => signed,
            Err(e) => {
                self.find((&e).into(), store::MANIFEST, e);
                return None;
            }
        };
        let m = signed.manifest;
        if m.session != self.session || Some(&m.header_sha256) != self.header_sha256.map(|h| hex(&h)).as_ref() {
            self.find(Code::ManifestOtherRecording, store::MANIFEST, "belongs to another recording");
        }
        if m.tracks.iter().map(|t| t.track).ne(Track::ALL)
            || m.tracks.iter().any(|t| t.segments.is_empty() && m.state == RecordingState::Complete)
        {
            self.find(Code::ManifestTracks, store::MANIFEST, "does not list both tracks");
        }
        self.manifest_key = Some(signed.key);
        self.manifest_sha256 = m.sha256().ok();
        Some(m)
    }

    fn conclude(mut self, manifest: Option<Manifest>) -> Self {
        self.verdict = match &manifest {
            _ if !self.findings.is_empty() => Verdict::Damaged,
            None => Verdict::Open,
            Some(m) if m.state == RecordingState::Complete => Verdict::Complete,
            Some(_) => Verdict::Torn,
        };
        self.manifest = manifest;
        self
    }
}

/// Reads a small file; a longer one is cut at the limit, which its parser will refuse.
fn read_small<S: Source + ?Sized>(source: &S, name: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(part) = source.open(name)? else { return Ok(None) };
    let mut bytes = Vec::new();
    part.take(strict::MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
