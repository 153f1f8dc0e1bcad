//! The file an auditor takes away: one session's evidence and its recording as it lies on the disk, still encrypted.
//!
//! A tar archive: `evidence.json`, then `recording/<yyyy>/<mm>/<session>/...`.
use anteroom_approvals::Evidence;
use anteroom_recorder::Storage;
use anyhow::{Context as _, Result, bail};
use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

const EVIDENCE: &str = "evidence.json";
const RECORDING: &str = "recording";
/// Evidence is text about one session; more than this is no bundle of ours.
const MAX_EVIDENCE: u64 = 64 << 20;

/// Writes a new file; an existing one is never overwritten.
pub(super) fn write(to: &Path, evidence: &Evidence, storage: &Storage) -> Result<u64> {
    let session = evidence.session.id;
    let folder = storage.find(session).with_context(|| format!("there is no recording of session {session} here"))?;
    let file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut tar = tar::Builder::new(std::io::BufWriter::new(file));
    let text = serde_json::to_vec_pretty(evidence)?;
    tar.append_data(&mut header(text.len() as u64), EVIDENCE, &text[..])?;
    let inside = Path::new(RECORDING).join(folder.strip_prefix(storage.root())?);
    for (name, file) in storage.files(session)? {
        let file = file.with_context(|| format!("cannot read {name}"))?;
        // Never more than the header says: the file may still grow.
        let size = file.metadata()?.len();
        tar.append_data(&mut header(size), inside.join(name), file.take(size))?;
    }
    let file = tar.into_inner()?.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn header(size: u64) -> tar::Header {
    let mut h = tar::Header::new_gnu();
    h.set_size(size);
    h.set_mode(0o600);
    h
}

/// A bundle laid out in a directory of its own, which goes when this is dropped.
pub(super) struct Opened {
    pub(super) evidence: Evidence,
    dir: tempfile::TempDir,
}

impl Opened {
    /// The root that [`anteroom_recorder::verify_dir`] takes.
    pub(super) fn recordings(&self) -> PathBuf {
        self.dir.path().join(RECORDING)
    }
}

/// Takes only what a bundle holds; anything else in the archive is an error, so nothing can be written elsewhere.
pub(super) fn open(path: &Path) -> Result<Opened> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let dir = tempfile::tempdir().context("cannot make a temporary directory")?;
    let mut evidence = None;
    let not_ours = || format!("{} is not a bundle of anteroom", path.display());
    for entry in tar::Archive::new(std::io::BufReader::new(file)).entries()? {
        let mut entry = entry.with_context(not_ours)?;
        let name = entry.path().with_context(not_ours)?.into_owned();
        let text = name.to_str().with_context(not_ours)?;
        if text == EVIDENCE && entry.size() <= MAX_EVIDENCE {
            let mut json = Vec::new();
            entry.read_to_end(&mut json)?;
            evidence = Some(serde_json::from_slice(&json).context("the bundle's evidence cannot be read")?);
        } else if is_recording_path(text) && entry.header().entry_type().is_file() {
            let to = dir.path().join(&name);
            fs::create_dir_all(to.parent().unwrap_or(dir.path()))?;
            let mut f = OpenOptions::new().write(true).create_new(true).open(&to).context("the bundle holds a file twice")?;
            std::io::copy(&mut entry, &mut f)?;
            f.flush()?;
        } else {
            bail!("{}: it holds {text:?}", not_ours());
        }
    }
    Ok(Opened { evidence: evidence.with_context(not_ours)?, dir })
}

/// `recording/2026/11/<id>/<file>` and nothing that climbs out.
fn is_recording_path(name: &str) -> bool {
    let parts: Vec<_> = name.split('/').collect();
    let plain = |p: &&str| !p.is_empty() && !p.starts_with('.') && p.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    parts.len() == 5 && parts[0] == RECORDING && parts[1..].iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_cannot_write_outside_its_directory() {
        assert!(is_recording_path("recording/2026/11/0190/manifest.json"));
        for bad in [
            "/etc/passwd",
            "recording/../../x/y/z",
            "recording/2026/11/..",
            "recording/2026/11/../x",
            "x/2026/11/a/b",
            "recording/a/b/c/d/e",
        ] {
            assert!(!is_recording_path(bad), "{bad}");
        }
    }
}
