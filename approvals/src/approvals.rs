//! The handle everybody holds, and its background work.
use crate::{Change, OpenError};
use anteroom_domain::Secret;
use sqlx::PgPool;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What [`Approvals`] needs to know beside the database.
#[derive(Debug)]
pub struct Options {
    /// WebAuthn relying party id: the portal's host name.
    pub rp_id: String,
    /// The portal's origin, exactly as browsers see it.
    pub origin: Url,
    /// Seals credentials of targets; never in the database.
    pub vault_key: Secret<[u8; 32]>,
    /// Ed25519 seed of the checkpoint signer.
    pub log_key: Secret<[u8; 32]>,
    /// Name of the log in its checkpoints, for example `anteroom/demo`.
    pub log_name: String,
    /// How long a step-up counts for the same key, address and target; zero for never.
    pub remember_step_up: Duration,
    pub web_idle: Duration,
    pub web_absolute: Duration,
    /// Where audit entries wait while the database is away.
    pub spool_dir: PathBuf,
    /// Where checkpoints are kept beside the database, so that a rewritten database is noticed.
    pub checkpoint_dir: PathBuf,
}

/// Decides who may do what and remembers every decision. Cheap to clone.
#[derive(Clone)]
pub struct Approvals {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pool: PgPool,
    pub(crate) options: Options,
    pub(crate) changes: broadcast::Sender<Change>,
}

impl std::fmt::Debug for Approvals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Approvals").field("log", &self.inner.options.log_name).finish_non_exhaustive()
    }
}

impl Approvals {
    pub async fn open(pool: PgPool, options: Options) -> Result<Self, OpenError> {
        let (changes, _) = broadcast::channel(1024);
        Ok(Self { inner: Arc::new(Inner { pool, options, changes }) })
    }
    pub async fn run(&self, stop: CancellationToken) {
        stop.cancelled().await;
    }
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }
}
