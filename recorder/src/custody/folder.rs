//! A recording's folder in the hands of who rewrites its envelopes.
use crate::storage::{header_in, marker_name};
use anteroom_format::{SegmentHeader, Track, layout::HEADER_LEN, strict};
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

/// Held by an advisory lock: two who rewrite or remove envelopes take turns. It goes with the process, however it ends.
#[derive(Debug)]
pub(crate) struct HeldFolder {
    path: PathBuf,
    _lock: File,
}

impl HeldFolder {
    pub(crate) fn hold(path: &Path) -> io::Result<Self> {
        let lock = File::open(path)?;
        lock.lock()?;
        Ok(Self { path: path.into(), _lock: lock })
    }

    /// Puts `bytes` in the place of the file `name`, which must be there: an envelope that was destroyed does not come back. Durable when
    /// this returns; whenever the machine stops, the old file is there whole, or the new one is.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let (there, tmp) = (self.path.join(name), self.leftover(name));
        self.clean(name)?;
        let was = fs::symlink_metadata(&there)?;
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&tmp)?;
        let placed = (|| {
            file.write_all(bytes)?;
            let is = file.metadata()?;
            // Rotation may be run by root; the recordings are the gateway's.
            if (is.uid(), is.gid()) != (was.uid(), was.gid()) {
                fchown(&file, Some(was.uid()), Some(was.gid()))?;
            }
            file.set_permissions(fs::Permissions::from_mode(was.mode() & 0o777))?;
            file.sync_all()?;
            // An exchange fails where a rename would make the name anew.
            renameat_with(CWD, &tmp, CWD, &there, RenameFlags::EXCHANGE).map_err(io::Error::from)
        })();
        // Not placed, this is the new one; placed, the old one. Neither may stay: what the old key opens would go on lying there.
        let removed = fs::remove_file(&tmp);
        placed?;
        removed?;
        File::open(&self.path)?.sync_all()
    }

    /// Removes what a process that died in [`replace`](Self::replace) left.
    pub(super) fn clean(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.leftover(name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn leftover(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.tmp"))
    }
}

/// The segments of `track` that have an envelope, in order.
pub(super) fn segments(folder: &Path, track: Track) -> io::Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".envelope")?.rsplit_once('.')?.1.parse().ok());
        found.extend(number.filter(|n| *name == *track.envelope_name(*n)));
    }
    found.sort_unstable();
    Ok(found)
}

pub(super) fn read_envelope(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(&folder.join(name))?.take(strict::MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a segment says about itself, in clear. Nothing behind its first 192 bytes is read.
pub(super) fn segment_header(folder: &Path, name: &str) -> Result<SegmentHeader, String> {
    let mut bytes = [0; HEADER_LEN];
    match open(&folder.join(name)).and_then(|mut f| f.read_exact(&mut bytes)) {
        // It lies in the archive, which need not be asked.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let marker = read_envelope(folder, &marker_name(name)).map_err(|_| format!("{name}: {e}"))?;
            bytes = header_in(&marker).ok_or_else(|| format!("{}: is damaged", marker_name(name)))?;
        }
        read => read.map_err(|e| format!("{name}: {e}"))?,
    }
    SegmentHeader::decode(&bytes).map(|(header, _)| header).map_err(|e| format!("{name}: {e}"))
}

/// Whoever can write here could put a link or a pipe in a file's place, and the key's owner is somebody else.
fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a file")) }
}
