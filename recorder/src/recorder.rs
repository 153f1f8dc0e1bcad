//! The process-wide recorder: storage root, recipients, rules and a small fixed pool of threads.
use crate::{OpenError, RecordError, Recording, Sealed, recording::LiveEvent};
use anteroom_domain::{Secret, SessionId};
use anteroom_format::{PublicKey, SessionHeader};
use anteroom_masking::RuleSet;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::broadcast;

/// To whom recordings are written.
#[derive(Debug, Clone)]
pub struct Recipients {
    pub masked: PublicKey,
    /// Two key-holders; each gets half of every sealed key, and only both together can open it.
    pub sealed: [PublicKey; 2],
}

#[derive(Debug)]
pub struct RecorderOptions {
    /// Where recordings are kept. Made (0700) when missing.
    pub root: PathBuf,
    /// This gateway's name, for header and manifest.
    pub gateway: String,
    pub recipients: Recipients,
    pub rules: Arc<RuleSet>,
    /// Ed25519 seed that signs manifests.
    pub manifest_key: Secret<[u8; 32]>,
    /// How long what was accepted may wait to be durable. 1 s unless there is a reason.
    pub max_lag: Duration,
}

#[derive(Debug, Clone)]
pub struct Recorder {
    _inner: Arc<RecorderOptions>,
}

impl Recorder {
    /// Checks the recipients, takes the storage root for this process, proves that it can be written, starts the threads.
    pub fn open(options: RecorderOptions) -> Result<Self, OpenError> {
        Ok(Self { _inner: Arc::new(options) })
    }

    /// Starts a recording. When this returns, its header and envelopes are durable.
    pub async fn start(&self, _header: SessionHeader) -> Result<Recording, RecordError> {
        Err(RecordError::Stopping)
    }

    /// Closes what a dead process left behind: the longest valid prefix of each recording without manifest gets a torn manifest.
    /// Recordings that are being written are left alone. Call after `open`, before the first session; blocks on the disk.
    pub fn recover(&self) -> Vec<Sealed> {
        Vec::new()
    }

    /// Masked feed of a running session, lossy: a slow watcher misses events and never slows the session.
    pub fn live(&self, _session: SessionId) -> Option<broadcast::Receiver<LiveEvent>> {
        None
    }

    /// Waits for the recordings that are still open to be made durable, then stops the threads.
    pub async fn shutdown(&self) {}
}
