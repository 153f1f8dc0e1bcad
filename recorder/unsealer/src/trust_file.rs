//! The trust file on the disk. Who may write it decides whom the unsealer believes.
use crate::trust::{Site, Trust, TrustError};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Longest trust file, in bytes: some thousand passkeys.
const MAX_FILE: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum TrustFileError {
    #[error("trust file {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("trust file {} may be changed by others (mode {mode:04o}); protect it with: chmod 644 {}", path.display(), path.display())]
    TooOpen { path: PathBuf, mode: u32 },
    #[error("trust file {}, {source}", path.display())]
    Form { path: PathBuf, source: TrustError },
}

impl Trust {
    /// Reads the file. One that somebody else could have written is refused.
    pub fn load(path: &Path, site: Site) -> Result<Self, TrustFileError> {
        let io = |source| TrustFileError::Io { path: path.into(), source };
        let mut file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.mode() & 0o7777;
        if mode & 0o022 != 0 {
            return Err(TrustFileError::TooOpen { path: path.into(), mode });
        }
        let mut text = String::new();
        if (&mut file).take(MAX_FILE + 1).read_to_string(&mut text).map_err(io)? as u64 > MAX_FILE {
            return Err(io(io::Error::other("longer than 1 MiB")));
        }
        Self::parse(&text, site).map_err(|source| TrustFileError::Form { path: path.into(), source })
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), TrustFileError> {
        let io = |source| TrustFileError::Io { path: path.into(), source };
        let mut tmp = path.as_os_str().to_owned();
        tmp.push(".tmp");
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o644).open(&tmp).map_err(io)?;
        file.write_all(self.to_text().as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        std::fs::rename(&tmp, path).map_err(io)
    }
}
