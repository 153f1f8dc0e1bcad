//! One session's recording, as its session sees it.
use crate::{Event, Manifest, RecordingFailed};
use anteroom_domain::{RecordingState, SessionId};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// A closed recording: what goes into the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct Sealed {
    pub session: SessionId,
    pub state: RecordingState,
    pub manifest: Manifest,
    pub manifest_sha256: [u8; 32],
    pub mask_incomplete: bool,
    pub mask_counts: BTreeMap<String, u64>,
    /// Size of both tracks.
    pub bytes: u64,
}

/// What a watcher of a running session gets; masked.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    pub at: Duration,
    pub channel: u32,
    pub kind: LiveKind,
}

#[derive(Debug, Clone)]
pub enum LiveKind {
    Open { cols: u16, rows: u16 },
    Output(std::sync::Arc<str>),
    Resize { cols: u16, rows: u16 },
    Close,
}

/// A handle; clones record into the same recording. When the last one is dropped without `finish`, the recording is left as a dead
/// process would leave it and `Recorder::recover` closes it.
#[derive(Debug, Clone)]
pub struct Recording {
    header_sha256: [u8; 32],
}

impl Recording {
    /// Hash of `header.json`, for the audit log.
    pub fn header_sha256(&self) -> [u8; 32] {
        self.header_sha256
    }

    /// Accepts an event for both tracks. Waits while the queues are full or the disk lags; an error means: end the session now.
    /// What was accepted is durable within `max_lag`, or `failed` says so.
    pub async fn record(&self, _event: Event) -> Result<(), RecordingFailed> {
        Err(RecordingFailed::Closed)
    }

    /// Resolves when the recording broke (disk full, read-only, too slow) and never otherwise.
    pub async fn failed(&self) -> RecordingFailed {
        std::future::pending().await
    }

    /// Closes both tracks and signs the manifest. A recording that broke before is closed as torn, if the disk lets us.
    pub async fn finish(&self) -> Result<Sealed, RecordingFailed> {
        Err(RecordingFailed::Closed)
    }
}
