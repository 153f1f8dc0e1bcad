//! The file an auditor takes away: one session's evidence and its recording as it lies on the disk, still encrypted.
//!
//! A tar archive: `evidence.json`, then `recording/<yyyy>/<mm>/<session>/...`.
use super::progress::bar;
use anteroom_approvals::Evidence;
use anteroom_domain::SessionId;
use anyhow::{Context as _, Result};
use std::{
    fs::{self, File, OpenOptions},
    io::Read as _,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

pub(super) const EVIDENCE: &str = "evidence.json";
pub(super) const RECORDING: &str = "recording";

/// Where a session's recording lies under `root`: by year and month.
pub(super) fn folder(root: &Path, session: SessionId) -> Option<PathBuf> {
    let name = session.to_string();
    let dirs =
        |p: &Path| fs::read_dir(p).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).filter(|p| p.is_dir()).collect::<Vec<_>>();
    dirs(root).iter().flat_map(|year| dirs(year)).map(|month| month.join(&name)).find(|p| p.is_dir())
}

/// Writes a new file; an existing one is never overwritten.
pub(super) fn write(to: &Path, evidence: &Evidence, root: &Path) -> Result<u64> {
    let session = evidence.session.id;
    let folder = folder(root, session).with_context(|| format!("there is no recording of session {session} here"))?;
    let file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut tar = tar::Builder::new(std::io::BufWriter::new(file));
    let text = serde_json::to_vec_pretty(evidence)?;
    tar.append_data(&mut header(text.len() as u64), EVIDENCE, &text[..])?;
    let inside = Path::new(RECORDING).join(folder.strip_prefix(root)?);
    let mut files: Vec<_> = fs::read_dir(&folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    let total = files.iter().filter_map(|p| Some(p.metadata().ok()?.len())).sum();
    let bar = bar("  writing {bar:30} {bytes}/{total_bytes} ({eta} left)", Some(total), true);
    for path in files.iter().filter(|p| p.is_file()) {
        let name = inside.join(path.file_name().unwrap_or_default());
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        // Never more than the header says: the file may still grow.
        let size = file.metadata()?.len();
        tar.append_data(&mut header(size), name, bar.wrap_read(file.take(size)))?;
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
