//! The handle everybody holds.
use crate::{
    Change, MigrateError, OpenError, StoreError,
    audit::{
        note::{self, Signer},
        sequencer::Known,
        spool::Spool,
        witness,
    },
    identity::passkey::Ceremonies,
    safe::{Safe, SafeMode},
    store,
    workflow::{Asking, Counting, UnreadPolicy},
};
use anteroom_domain::Secret;
use sqlx::{Connection as _, PgPool, Postgres, Transaction, postgres::PgPoolOptions};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex, broadcast};
use url::Url;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

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
    /// How long a person's certificate counts; at most 12 h.
    pub certificate_lifetime: Duration,
    /// A web session unused for this long is over.
    pub web_idle: Duration,
    /// A web session older than this is over.
    pub web_absolute: Duration,
    /// Where audit entries wait while the database is away.
    pub spool_dir: PathBuf,
    /// Where checkpoints are kept beside the database, so that a rewritten database is noticed.
    pub checkpoint_dir: PathBuf,
    /// None: nobody is let in while the database is away.
    pub safe_mode: Option<SafeMode>,
}

/// Decides who may do what and remembers every decision. Cheap to clone.
#[derive(Clone)]
pub struct Approvals {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pool: PgPool,
    pub(crate) options: Options,
    pub(crate) ceremonies: Ceremonies,
    pub(crate) signer: Signer,
    pub(crate) known: Mutex<Known>,
    pub(crate) spool: Spool,
    pub(crate) told: crate::notify::Told,
    pub(crate) changes: broadcast::Sender<Change>,
    /// Of those, the ones that can end a session.
    pub(crate) endings: broadcast::Sender<Change>,
    /// Seconds a step-up counts; may be changed while running.
    pub(crate) remember: AtomicU64,
    /// Seconds until a request that nobody answered is over; may be changed while running.
    pub(crate) unanswered: AtomicU64,
    pub(crate) throttle: crate::workflow::Throttle,
    /// The policy that counts.
    pub(crate) counting: Counting,
    pub(crate) addresses: Mutex<Option<KnownAddresses>>,
    /// When the database last said that it is there.
    pub(crate) answered: Mutex<Option<std::time::Instant>>,
    /// Running sessions that want to be judged again.
    pub(crate) asking: Asking,
    pub(crate) safe: Safe,
    /// The database was away when this process began: who may open it was not looked at yet.
    pub(crate) unchecked: AtomicBool,
}

/// When they were read, and host and port of every target.
pub(crate) type KnownAddresses = (std::time::Instant, Arc<Vec<(String, u16)>>);

impl std::fmt::Debug for Approvals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Approvals").field("log", &self.inner.options.log_name).finish_non_exhaustive()
    }
}

/// A connection unused for longer is asked whether it still lives before it is used, and so is the database; asking always would double
/// the questions. Short, so that hardly anybody meets a database that went away unnoticed and is refused without being told why.
const TRUSTED: Duration = Duration::from_millis(100);

/// How long a request waits for its answers if nobody says otherwise.
const UNANSWERED: Duration = Duration::from_secs(24 * 3600);

/// A pool that notices within three seconds that the database is away, and asks no statement to run for long.
pub fn pool_options() -> PgPoolOptions {
    let options = PgPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(3));
    let options = options
        .test_before_acquire(false)
        .before_acquire(|c, meta| Box::pin(async move { Ok(meta.idle_for < TRUSTED || c.ping().await.is_ok()) }));
    options.after_connect(|c, _| {
        Box::pin(async move {
            sqlx::raw_sql("set statement_timeout = '20s'; set lock_timeout = '5s'; set idle_in_transaction_session_timeout = '30s'")
                .execute(c)
                .await?;
            Ok(())
        })
    })
}

/// Brings the database to the version this program needs. The pool's role has to own the tables.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    use sqlx::migrate::MigrateError as E;
    MIGRATIONS.run(pool).await.map_err(|e| match e {
        E::Execute(e) => MigrateError::Store(e.into()),
        other => MigrateError::Migrate(other),
    })
}

impl Approvals {
    /// Checks what it is given and opens. Does not migrate, and refuses a role that could rewrite the audit log, and a policy that counts and
    /// that this program cannot read.
    pub async fn open(pool: PgPool, options: Options) -> Result<Self, OpenError> {
        let (approvals, unread) = Box::pin(Self::open_any(pool, options)).await?;
        unread.map_or(Ok(approvals), |unread| Err(OpenError::UnreadPolicy(unread)))
    }

    /// The same for a command: it opens under a policy that cannot be read too, so that somebody can set another, lock and revoke. Nothing is
    /// permitted by it then.
    pub async fn open_for_command(pool: PgPool, options: Options) -> Result<Self, OpenError> {
        let (approvals, unread) = Box::pin(Self::open_any(pool, options)).await?;
        if unread.is_some() {
            approvals.count_nobody().map_err(OpenError::Policy)?;
        }
        Ok(approvals)
    }

    async fn open_any(pool: PgPool, options: Options) -> Result<(Self, Option<UnreadPolicy>), OpenError> {
        check_origin(&options)?;
        if !note::is_name(&options.log_name) {
            return Err(OpenError::LogName(options.log_name));
        }
        let safe = Safe::open(options.safe_mode.clone(), &options.vault_key, &options.log_name);
        let unchecked = match check_database(&pool).await {
            Ok(()) => false,
            Err(e) if e.is_away() && safe.known().is_some() => true,
            Err(e) => return Err(e),
        };
        let signer = Signer::new(&options.log_name, options.log_key.expose());
        let dir = |what, path: &Path, source| OpenError::Directory { what, path: path.into(), source };
        let spool = Spool::open(&options.spool_dir).map_err(|e| dir("spool directory", &options.spool_dir, e))?;
        std::fs::create_dir_all(&options.checkpoint_dir).map_err(|e| dir("checkpoint directory", &options.checkpoint_dir, e))?;
        let newest = witness::newest(&options.checkpoint_dir, &signer.verifier_key())
            .map_err(|e| dir("checkpoint directory", &options.checkpoint_dir, e))?;
        let ceremonies = Ceremonies::new(&options.rp_id, &options.origin);
        let ((changes, _), (endings, _)) = (broadcast::channel(1024), broadcast::channel(1024));
        let remember = AtomicU64::new(options.remember_step_up.as_secs());
        let known = Mutex::new(Known::new(newest));
        let (unanswered, throttle) = (AtomicU64::new(UNANSWERED.as_secs()), Default::default());
        let (addresses, answered) = (Mutex::default(), Mutex::default());
        let counting = Counting::new().map_err(OpenError::Policy)?;
        let inner = Inner {
            counting,
            pool,
            options,
            ceremonies,
            signer,
            known,
            spool,
            told: Default::default(),
            changes,
            endings,
            remember,
            unanswered,
            throttle,
            addresses,
            answered,
            asking: Asking::default(),
            safe,
            unchecked: AtomicBool::new(unchecked),
        };
        let approvals = Self { inner: Arc::new(inner) };
        let unread = if unchecked {
            Box::pin(approvals.begin_in_safe_mode()).await?;
            None
        } else {
            Box::pin(approvals.read_policy()).await?.err()
        };
        Ok((approvals, unread))
    }

    /// How long a step-up counts from now on; zero for never. Whole seconds.
    pub fn set_remember_step_up(&self, span: Duration) {
        self.inner.remember.store(span.as_secs(), Ordering::Relaxed);
    }

    /// How long a request made from now on waits for its answers. Whole seconds.
    pub fn set_unanswered_for(&self, span: Duration) {
        self.inner.unanswered.store(span.as_secs(), Ordering::Relaxed);
    }

    pub(crate) fn unanswered_for(&self) -> time::Duration {
        time::Duration::seconds(i64::try_from(self.inner.unanswered.load(Ordering::Relaxed)).unwrap_or(i64::MAX))
    }

    /// What changes, as soon as it is committed, wherever it was done. Needs [`run`](Self::run). A receiver that
    /// lags behind has to look everything up, as after [`Change::Resync`].
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Of [`changes`](Self::changes) those that can end a session, for whoever listens once a session: of thousands of listeners none is
    /// woken because another session began.
    pub fn endings(&self) -> broadcast::Receiver<Change> {
        self.inner.endings.subscribe()
    }

    /// Nobody listening to us is no error.
    pub(crate) fn tell(&self, change: Change) {
        if change.may_end_sessions() {
            let _ = self.inner.endings.send(change);
        }
        let _ = self.inner.changes.send(change);
    }

    /// Whether the database answers within a second, or has just done so.
    pub async fn healthy(&self) -> bool {
        let age = |at: &std::time::Instant| at.elapsed() < TRUSTED;
        if self.inner.answered.lock().await.as_ref().is_some_and(age) {
            return true;
        }
        let asked = sqlx::query!("select 1 as one").fetch_one(&self.inner.pool);
        let answers = matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(_)));
        if answers {
            *self.inner.answered.lock().await = Some(std::time::Instant::now());
        }
        answers
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        // Boxed, here and below: every caller's future would hold the whole of it otherwise.
        Ok(Box::pin(self.inner.pool.begin()).await?)
    }

    pub(crate) async fn commit(&self, tx: Transaction<'static, Postgres>) -> Result<(), StoreError> {
        Ok(Box::pin(tx.commit()).await?)
    }
}

/// WebAuthn works on https, and on http only for localhost; its relying party id is the host or a parent of it.
fn check_origin(o: &Options) -> Result<(), OpenError> {
    let bad = |why| Err(OpenError::Origin { origin: o.origin.to_string(), why });
    let host = o.origin.host_str().unwrap_or_default();
    match o.origin.scheme() {
        "https" => {}
        "http" if host == "localhost" => {}
        _ => return bad("must be https (http is allowed for localhost only)"),
    }
    if o.origin.path() != "/" || o.origin.query().is_some() || o.origin.fragment().is_some() || !o.origin.username().is_empty() {
        return bad("must be scheme, host and port only");
    }
    if host != o.rp_id && !host.strip_suffix(&o.rp_id).is_some_and(|h| h.ends_with('.')) {
        return bad("the relying party id must be its host name or a parent domain of it");
    }
    Ok(())
}

/// Its version, and that its role cannot rewrite the audit log.
pub(crate) async fn check_database(pool: &PgPool) -> Result<(), OpenError> {
    check_version(pool).await?;
    let (role, can_rewrite) = store::audit::can_rewrite(pool).await?;
    if can_rewrite { Err(OpenError::CanRewriteAudit { role }) } else { Ok(()) }
}

/// Every migration of this program has run. Newer ones are fine: an older program may run beside a newer one.
async fn check_version(pool: &PgPool) -> Result<(), OpenError> {
    // Not a checked query: the table belongs to sqlx's migrator and is not there before the first migration.
    let found: Result<Vec<(i64, Vec<u8>)>, _> =
        sqlx::query_as("select version, checksum from _sqlx_migrations where success").fetch_all(pool).await;
    let applied = match found {
        Ok(rows) => rows,
        Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("42P01") => return Err(OpenError::NotMigrated),
        Err(e) => return Err(StoreError::from(e).into()),
    };
    let done = MIGRATIONS.iter().all(|m| applied.iter().any(|(v, sum)| *v == m.version && sum[..] == m.checksum[..]));
    if done { Ok(()) } else { Err(OpenError::NotMigrated) }
}
