//! A closed recording's segments: what the signed manifest promises of each, and whether a file keeps it.
use super::error::ArchiveError;
use crate::store;
use anteroom_domain::SessionId;
use anteroom_format::layout::HEADER_LEN;
use anteroom_format::{ChainReader, ReadError, RecordingHeader, SegmentSummary, SignedManifest, Track, hex, strict};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

/// A segment of a closed recording.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) name: String,
    session: SessionId,
    track: Track,
    promise: SegmentSummary,
    /// Hex: of the recording's header, and the chain's at the end of the segment before (zeros: it is the first).
    recording: String,
    link: String,
}

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) bytes: u64,
    pub(crate) sha256: [u8; 32],
    /// Its first [`HEADER_LEN`] bytes.
    header: Vec<u8>,
}

/// `<segment>.shipped`: the archive has this file, read back and compared. Durable before the local one goes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    format: String,
    bytes: u64,
    sha256: String,
    /// The segment's header, hex: whoever rewraps its key needs it and nothing else of the segment.
    header: String,
}

const FORMAT: &str = "anteroom-shipped-v1";

/// What a file has to be, to be this segment.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) bytes: u64,
    sha256: Option<String>,
}

pub(crate) fn marker_name(segment: &str) -> String {
    format!("{segment}.shipped")
}

/// The first bytes of the segment that a marker is about.
pub(crate) fn header_in(marker: &[u8]) -> Option<[u8; HEADER_LEN]> {
    let text = serde_json::from_slice::<Marker>(marker).ok()?.header;
    let digit = |at: usize| text.get(at..at + 2).and_then(|d| u8::from_str_radix(d, 16).ok());
    let bytes = (0..text.len()).step_by(2).map(digit).collect::<Option<Vec<u8>>>()?;
    bytes.try_into().ok()
}

pub(crate) fn is_marker(name: &str) -> bool {
    name.ends_with(".shipped")
}

/// The segments that the manifest in `folder` names. Fails for a recording that has none.
pub(crate) fn places(folder: &Path) -> io::Result<Vec<Place>> {
    let broken = |file: &str, e: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, format!("{file}: {e}"));
    let header: RecordingHeader =
        strict::decode(&store::read_small(&folder.join(store::HEADER))?).map_err(|e| broken(store::HEADER, &e))?;
    let recording = hex(&header.sha256().map_err(|e| broken(store::HEADER, &e))?);
    let bytes = store::read_small(&folder.join(store::MANIFEST))?;
    let manifest = SignedManifest::verify(&bytes, &header.manifest_key).map_err(|e| broken(store::MANIFEST, &e))?.manifest;
    if manifest.header_sha256 != recording || manifest.session != header.session.session {
        return Err(broken(store::MANIFEST, &"belongs to another recording"));
    }
    let mut places = Vec::new();
    for summary in manifest.tracks {
        let mut link = hex(&[0; 32]);
        for promise in summary.segments {
            places.push(Place {
                folder: folder.to_owned(),
                name: summary.track.file_name(promise.segment),
                session: manifest.session,
                track: summary.track,
                recording: recording.clone(),
                link: std::mem::replace(&mut link, promise.head.clone()),
                promise,
            });
        }
    }
    Ok(places)
}

impl Place {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn marker(&self) -> PathBuf {
        self.folder.join(marker_name(&self.name))
    }

    pub(crate) fn is_shipped(&self) -> bool {
        self.marker().exists()
    }

    /// Durable when it returns.
    pub(crate) fn mark_shipped(&self, whole: &Whole) -> io::Result<()> {
        let marker = Marker { format: FORMAT.into(), bytes: whole.bytes, sha256: hex(&whole.sha256), header: hex(&whole.header) };
        store::publish(&self.folder, &marker_name(&self.name), &serde_json::to_vec(&marker).map_err(io::Error::other)?)
    }

    /// The archive has it no longer: it has to go there again.
    pub(crate) fn unmark(&self) -> io::Result<()> {
        std::fs::remove_file(self.marker())?;
        store::sync_dir(&self.folder)
    }

    /// What was shipped, or, with no marker left, what the manifest promises.
    pub(crate) fn wanted(&self) -> Wanted {
        let marker = store::read_small(&self.marker()).ok().and_then(|b| serde_json::from_slice::<Marker>(&b).ok());
        match marker.filter(|m| m.format == FORMAT) {
            Some(m) => Wanted { bytes: m.bytes, sha256: Some(m.sha256) },
            None => Wanted { bytes: self.promise.bytes, sha256: None },
        }
    }

    /// How long ago it was shipped; none if the clock was set back since.
    pub(crate) fn shipped_ago(&self) -> Option<std::time::Duration> {
        self.marker().metadata().ok()?.modified().ok()?.elapsed().ok()
    }

    /// Reads a file to its end. An error says where it stops being what the manifest promises.
    pub(crate) fn check(&self, file: File) -> io::Result<Result<Whole, String>> {
        let mut source = Hashing { file, hash: Sha256::new(), bytes: 0, header: Vec::new() };
        if let Err(why) = self.walk(&mut source)? {
            return Ok(Err(why));
        }
        // Bytes after a torn end are kept as they are.
        io::copy(&mut source, &mut io::sink())?;
        Ok(Ok(Whole { bytes: source.bytes, sha256: source.hash.finalize().into(), header: source.header }))
    }

    /// The same of the archive's copy, which has to be what was shipped, too.
    pub(crate) fn check_copy(&self, file: File, wanted: &Wanted) -> io::Result<()> {
        let other = |why| ArchiveError::OtherBytes { file: self.name.clone(), why };
        match self.check(file)? {
            Err(why) => Err(other(why).into()),
            Ok(whole) if wanted.sha256.as_ref().is_some_and(|h| *h != hex(&whole.sha256)) => {
                Err(other("its SHA-256 differs".into()).into())
            }
            Ok(_) => Ok(()),
        }
    }

    fn walk(&self, source: &mut Hashing) -> io::Result<Result<(), String>> {
        let read = BufReader::with_capacity(256 << 10, source.take(self.promise.bytes));
        let walked = (|| {
            let mut chain = ChainReader::open(read)?;
            let h = chain.header();
            let at_home = h.track == self.track && h.segment == self.promise.segment && h.session == self.session.0;
            if !at_home || hex(&h.recording) != self.recording || hex(&h.link) != self.link {
                return Ok(Err("it belongs to another recording or place in it".into()));
            }
            while chain.next_frame()?.is_some() {}
            let is = chain.summary();
            Ok(if is == self.promise { Ok(()) } else { Err(format!("it ends at byte {} of {}", is.bytes, self.promise.bytes)) })
        })();
        match walked {
            Ok(outcome) => Ok(outcome),
            Err(ReadError::Io(e)) => Err(e),
            Err(ReadError::Damage(d)) => Ok(Err(d.to_string())),
        }
    }
}

struct Hashing {
    file: File,
    hash: Sha256,
    bytes: u64,
    header: Vec<u8>,
}

impl Read for Hashing {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buf)?;
        self.hash.update(&buf[..n]);
        self.bytes += n as u64;
        self.header.extend_from_slice(&buf[..n.min(HEADER_LEN - self.header.len())]);
        Ok(n)
    }
}
