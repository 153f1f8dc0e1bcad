//! The file an auditor takes away: one session's evidence and its recording as it lies on the disk, still encrypted.
//!
//! A tar archive: `evidence.json`, then `recording/<yyyy>/<mm>/<session>/...`.
use super::progress::bar;
use anteroom_approvals::Evidence;
use anteroom_recorder::Storage;
use anyhow::{Context as _, Result};
use std::{fs::OpenOptions, io::Read as _, os::unix::fs::OpenOptionsExt, path::Path};

pub(super) const EVIDENCE: &str = "evidence.json";
pub(super) const RECORDING: &str = "recording";

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
    let bar = bar("  writing {bar:30} {bytes}/{total_bytes} ({eta} left)", Some(storage.size(session)?), true);
    for (name, file) in storage.files(session)? {
        let file = file.with_context(|| format!("cannot read {name}"))?;
        // Never more than the header says: the file may still grow.
        let size = file.metadata()?.len();
        tar.append_data(&mut header(size), inside.join(name), bar.wrap_read(file.take(size)))?;
    }
    bar.finish_and_clear();
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
