//! What can go wrong while recording. None of these texts holds recorded content.
use std::{io, path::PathBuf, time::Duration};

/// The recorder cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("recordings directory {path:?}: {problem}", problem = describe(.source))]
    Directory { path: PathBuf, source: io::Error },
    #[error("recordings directory {path:?} is in use by another gateway")]
    InUse { path: PathBuf },
    #[error("recording recipients: {0}")]
    Recipients(&'static str),
    #[error("cannot start a recorder thread: {0}")]
    Thread(io::Error),
}

/// A recording cannot be started; the session must not start either.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("a recording of session {0} exists already")]
    Exists(anteroom_domain::SessionId),
    #[error("cannot create the recording: {}", describe(.0))]
    Io(#[from] io::Error),
    #[error("cannot create the recording: {0}")]
    Format(String),
    #[error("the recorder is stopping")]
    Stopping,
    #[error(transparent)]
    Refused(#[from] crate::Refusal),
}

/// Why a running recording broke. The session it belongs to must end (invariant 2).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingFailed {
    #[error("the recording disk is full")]
    DiskFull,
    #[error("the recording disk is read-only")]
    ReadOnly,
    #[error("the recording could not be written: {0}")]
    Io(String),
    #[error("the recording disk is too slow: nothing became durable for {0:?}")]
    Lag(Duration),
    /// A desktop did what cannot be shown afterwards. Names kinds of bytes, never what is on the screen.
    #[error("the desktop cannot be recorded: {0}")]
    Picture(String),
    #[error("the recording is closed")]
    Closed,
    #[error("the recorder stopped unexpectedly")]
    Lost,
}

impl From<&io::Error> for RecordingFailed {
    fn from(e: &io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::DiskFull,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io(e.to_string()),
        }
    }
}

fn describe(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::PermissionDenied => "no permission to write here".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".into(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".into(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "a file is in the way".into(),
        _ => e.to_string(),
    }
}
