//! What an archive can say no with, and why no session is taken any more. For people: no path and no URL is in these texts.
use std::{error::Error, fmt, io};

/// What went wrong with the archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("the archive is away: {0}")]
    Away(String),
    #[error("the archive has no {0}")]
    Missing(String),
    #[error("the archive's copy of {file} is not what was recorded: {why}")]
    OtherBytes { file: String, why: String },
}

impl ArchiveError {
    /// The detail goes to our log: it may hold a path.
    pub(crate) fn of(e: object_store::Error) -> Self {
        if let object_store::Error::NotFound { path, .. } = &e {
            return Self::Missing(path.rsplit('/').next().unwrap_or_default().to_owned());
        }
        tracing::debug!(error = %e, "archive");
        Self::Away(match kind_of(&e) {
            Some(io::ErrorKind::NotFound) => "its directory is not there".into(),
            Some(kind) => kind.to_string(),
            None => "it does not do what it is asked".into(),
        })
    }
}

/// The operating system's word for it, if it is one of its errors.
fn kind_of(e: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    let mut next = Some(e);
    while let Some(e) = next {
        if let Some(e) = e.downcast_ref::<io::Error>() {
            return Some(e.kind());
        }
        next = e.source();
    }
    None
}

impl From<ArchiveError> for io::Error {
    fn from(e: ArchiveError) -> Self {
        let kind = match &e {
            ArchiveError::Away(_) => io::ErrorKind::HostUnreachable,
            ArchiveError::Missing(_) => io::ErrorKind::NotFound,
            ArchiveError::OtherBytes { .. } => io::ErrorKind::InvalidData,
        };
        Self::new(kind, e)
    }
}

/// Storage that cannot be used as it is set up.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("an archive is a directory so far: file:///mnt/archive")]
    Scheme,
    #[error("a file URL names an absolute path on this machine, like file:///mnt/archive")]
    Path,
    #[error("the archive must not lie in the recordings' directory, nor that in the archive")]
    Inside,
    #[error("cannot start the archive's threads: {0}")]
    Threads(io::Error),
    #[error("the size of the recordings' disk cannot be told: {0}")]
    Disk(io::Error),
}

/// Why no new session is recorded. Those that run go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// So many bytes may wait for the archive.
    SpoolFull { waiting: u64, limit: u64, away: Option<String> },
    /// The disk has to keep room for the sessions that run.
    DiskLow { free: u64, least: u64 },
}

impl Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SpoolFull { waiting, limit, away } => {
                write!(f, "{} of recordings wait for the archive, of {} that may", Size(*waiting), Size(*limit))?;
                away.as_ref().map_or(Ok(()), |why| write!(f, "; the archive is away: {why}"))
            }
            Self::DiskLow { free, least } => write!(f, "the recordings' disk has {} left, {} are kept free", Size(*free), Size(*least)),
        }
    }
}

/// Bytes as people say them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS.iter().find(|(unit, _)| self.0 >= *unit) {
            Some((unit, name)) => write!(f, "{:.1} {name}", self.0 as f64 / *unit as f64),
            None => write!(f, "{} bytes", self.0),
        }
    }
}
