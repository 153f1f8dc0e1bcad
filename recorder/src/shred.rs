//! Destroying the keys of a recording (crypto-shredding): its envelopes go, the rest stays, so that it can be verified for ever and never
//! be opened again.
//!
//! Whoever calls this has decided it and written it down, durably, before: what is missing here and was decided nowhere is damage.
use crate::{custody::folder::HeldFolder, store};
use anteroom_domain::SessionId;
use anteroom_format::{Track, hex};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Stands in the folder before the first envelope goes; whoever opens recordings looks for it before. It proves nothing: the audit log
/// does. Whoever replaces envelopes (rotation) takes turns with who destroys them, by a lock on the folder.
pub const SHREDDED: &str = "shredded";
const ENVELOPE: &str = ".envelope";
/// More files than any recording has.
const MAX_FILES: usize = 100_000;

/// Why the keys of a recording cannot be destroyed, or not listed.
#[derive(Debug, thiserror::Error)]
pub enum ShredError {
    #[error("there is no recording of session {0} here")]
    NotFound(SessionId),
    #[error("the recording has no manifest: it is still being written, or waits for its gateway's next start")]
    Open,
    #[error("the recording's folder holds more than {MAX_FILES} files; that is none of ours")]
    TooManyFiles,
    #[error("{name}: {source}")]
    Io { name: String, source: io::Error },
}

/// What verification saw of a recording's keys. Whether they may be missing only the audit log knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Keys {
    /// Names of the envelopes that are there and belong to their segments.
    pub present: Vec<String>,
    /// Names of those that are not there.
    pub missing: Vec<String>,
    /// The folder says that its keys were destroyed.
    pub marked: bool,
}

impl Keys {
    /// What was seen of another track.
    pub(crate) fn add(&mut self, other: Self) {
        self.present.extend(other.present);
        self.missing.extend(other.missing);
    }

    pub(crate) fn saw(&mut self, track: Track, segment: u32, there: bool) {
        if there { &mut self.present } else { &mut self.missing }.push(track.envelope_name(segment));
    }
}

/// The envelopes of a closed recording, by name, with their SHA-256 in hexadecimal.
pub fn envelopes(root: &Path, session: SessionId) -> Result<BTreeMap<String, String>, ShredError> {
    let folder = closed(root, session)?;
    let mut all = BTreeMap::new();
    for name in key_files(&folder)?.into_iter().filter(|name| name.ends_with(ENVELOPE)) {
        let bytes = store::read_small(&folder.join(&name)).map_err(|source| ShredError::Io { name: name.clone(), source })?;
        all.insert(name, hex(&Sha256::digest(&bytes)));
    }
    Ok(all)
}

/// Removes every envelope of both tracks, durably; how many there were. Doing it again, also after a crash in the middle, is fine.
pub fn destroy(root: &Path, session: SessionId) -> Result<usize, ShredError> {
    let folder = closed(root, session)?;
    // A rotation that is at this recording ends first; the next one finds no envelope.
    let _held = HeldFolder::hold(&folder).map_err(|source| ShredError::Io { name: ".".into(), source })?;
    mark(&folder).map_err(|source| ShredError::Io { name: SHREDDED.into(), source })?;
    let files = key_files(&folder)?;
    for name in &files {
        forget(&folder.join(name)).map_err(|source| ShredError::Io { name: name.clone(), source })?;
    }
    store::sync_dir(&folder).map_err(|source| ShredError::Io { name: ".".into(), source })?;
    Ok(files.len())
}

/// Whether the folder says that its keys are destroyed, or just being so.
pub(crate) fn is_marked(folder: &Path) -> bool {
    folder.join(SHREDDED).symlink_metadata().is_ok()
}

fn closed(root: &Path, session: SessionId) -> Result<PathBuf, ShredError> {
    let folder = store::find(root, session).ok_or(ShredError::NotFound(session))?;
    if folder.join(store::MANIFEST).is_file() { Ok(folder) } else { Err(ShredError::Open) }
}

/// Envelopes and what was left of making some.
fn key_files(folder: &Path) -> Result<Vec<String>, ShredError> {
    let all = |source| ShredError::Io { name: ".".into(), source };
    let mut found = Vec::new();
    for (seen, entry) in fs::read_dir(folder).map_err(all)?.enumerate() {
        if seen >= MAX_FILES {
            return Err(ShredError::TooManyFiles);
        }
        let Ok(name) = entry.map_err(all)?.file_name().into_string() else { continue };
        if name.ends_with(ENVELOPE) || name.contains(".envelope.") {
            found.push(name);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn mark(folder: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(SHREDDED)) {
        Ok(file) => file.sync_all()?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e),
    }
    store::sync_dir(folder)
}

/// Written over first: where a disk writes in place, the old bytes are gone with it. Where it does not (flash, snapshots), only the
/// name is; SECURITY.md says so.
fn forget(path: &Path) -> io::Result<()> {
    let found = path.symlink_metadata()?;
    if found.is_file() {
        let written_over = || -> io::Result<()> {
            let mut file: File = OpenOptions::new().write(true).open(path)?;
            file.write_all(&vec![0; usize::try_from(found.len()).unwrap_or_default().min(anteroom_format::strict::MAX_FILE)])?;
            file.sync_data()
        };
        if let Err(e) = written_over() {
            tracing::debug!(error = %e, "an envelope could not be written over before it was removed");
        }
    }
    fs::remove_file(path)
}
