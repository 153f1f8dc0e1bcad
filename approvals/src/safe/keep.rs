//! Reading what counts while the database is there, keeping it, and knowing whether it is there.
use super::{
    Known,
    cards::{Journal, NotUsed},
    local_locks::LocalLocks,
    unread::Unread,
};
use crate::{Approvals, OpenError, StoreError, approvals::check_database, clock, store};
use anteroom_domain::{AuditEvent, CardId, GatewayName, Lock, Secret, audit::SafeModeEvent};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

/// Read again at the latest.
const EVERY: Duration = Duration::from_secs(60);
/// At most so often, however much changes.
const SETTLE: Duration = Duration::from_millis(500);
/// How often a database that is away is tried.
const RETRY: Duration = Duration::from_millis(200);

/// Whether a gateway may decide without its database.
#[derive(Debug, Clone)]
pub struct SafeMode {
    /// How old what it knows may be.
    pub longest: Duration,
    /// Directory in which it is kept, sealed under the vault's key, and beside it which cards were used.
    pub dir: PathBuf,
    /// This gateway's name, as cards have it.
    pub gateway: String,
}

impl SafeMode {
    pub(super) fn file(&self) -> PathBuf {
        self.dir.join("known.sealed")
    }
}

struct Held {
    known: Arc<Known>,
    read: Instant,
    /// How old it was then: more than nothing if it comes from the file.
    age: Duration,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The database did not answer, and nobody has heard of it since.
    away: bool,
}

struct On {
    mode: SafeMode,
    journal: Journal,
    locks: LocalLocks,
}

/// Of one process.
pub(crate) struct Safe {
    on: Option<On>,
    state: Mutex<State>,
    /// Somebody found the database away: whoever keeps looks whether it is back.
    entered: Notify,
}

impl Safe {
    /// With what an earlier process wrote, if it is ours and not too old.
    pub(crate) fn open(mode: Option<SafeMode>, key: &Secret<[u8; 32]>, log: &str) -> Self {
        let mut state = State::default();
        if let Some(mode) = &mode {
            let file = mode.file();
            match read(&file) {
                Ok(Some(bytes)) => match Known::open(key, log, &bytes) {
                    Some(known) => {
                        let age = known.age(clock::now());
                        state.held = age.map(|age| Held { known: Arc::new(known), read: Instant::now(), age });
                    }
                    None => tracing::warn!(file = %file.display(), "what is kept for safe mode is not this gateway's, or damaged"),
                },
                Ok(None) => {}
                Err(e) => tracing::warn!(file = %file.display(), error = %e, "what is kept for safe mode cannot be read"),
            }
        }
        let on = mode.map(|mode| {
            let (journal, locks) = (Journal::open(mode.dir.join("cards-used")), LocalLocks::open(&mode.dir));
            On { mode, journal, locks }
        });
        Self { on, state: Mutex::new(state), entered: Notify::new() }
    }

    pub(crate) fn gateway(&self) -> Option<String> {
        self.on.as_ref().map(|on| on.mode.gateway.clone())
    }

    pub(crate) fn use_card(&self, card: CardId) -> Result<(), NotUsed> {
        self.on.as_ref().map_or(Err(NotUsed::Unwritten), |on| on.journal.spend(card))
    }

    /// Adds one to them; false if safe mode is off, where nobody is let in meanwhile. Writes to the disk.
    pub(super) fn lock(&self, lock: &Lock) -> io::Result<bool> {
        self.on.as_ref().map_or(Ok(false), |on| super::local_locks::add(&on.mode.dir, lock).map(|()| true))
    }

    /// Those set on this machine; none if safe mode is off.
    pub(super) fn local_locks(&self) -> Option<&LocalLocks> {
        self.on.as_ref().map(|on| &on.locks)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What counts if the database is away; none if it is too old, or safe mode is off.
    pub(crate) fn known(&self) -> Option<Arc<Known>> {
        let mode = &self.on.as_ref()?.mode;
        let state = self.state();
        let held = state.held.as_ref()?;
        (held.age.saturating_add(held.read.elapsed()) <= mode.longest).then(|| held.known.clone())
    }

    /// The same, if the database is known to be away.
    fn meanwhile(&self) -> Option<Arc<Known>> {
        let away = self.state().away;
        if away { self.known() } else { None }
    }
}

pub(super) fn read(file: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    match File::open(file) {
        Ok(f) => f.take(super::known::MAX_FILE + 1).read_to_end(&mut bytes)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    Ok(Some(bytes))
}

/// All of it or nothing, and on disk when this returns.
pub(super) fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut f = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
    f.write_all(bytes)?;
    f.sync_all()?;
    fs::rename(&new, file)?;
    match file.parent() {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

impl Approvals {
    /// Asks the database; if it is away, what is known. The error is the database's.
    pub(crate) async fn or_known<T>(
        &self,
        asked: impl Future<Output = Result<T, StoreError>>,
        known: impl FnOnce(&Known) -> T,
    ) -> Result<T, StoreError> {
        if let Some(k) = self.inner.safe.meanwhile() {
            return Ok(known(&k));
        }
        match asked.await {
            Err(StoreError::Away) => self.enter_safe_mode().await.map(|k| known(&k)).ok_or(StoreError::Away),
            answer => answer,
        }
    }

    /// What counts while the database is away; none if it is there, or nothing is known.
    pub(crate) fn meanwhile(&self) -> Option<Arc<Known>> {
        self.inner.safe.meanwhile()
    }

    /// The database is away, and this gateway decides by what it knows.
    pub fn in_safe_mode(&self) -> bool {
        self.meanwhile().is_some()
    }

    /// Whether it could, if the database were away now.
    pub fn can_go_on_alone(&self) -> bool {
        self.inner.safe.known().is_some()
    }

    /// The database has just not answered.
    pub(crate) async fn enter_safe_mode(&self) -> Option<Arc<Known>> {
        let known = self.inner.safe.known()?;
        let first = !std::mem::replace(&mut self.inner.safe.state().away, true);
        if first {
            self.inner.safe.entered.notify_one();
            tracing::warn!(known_at = %known.at, "the database is away: safe mode, grants count by what is known");
            let event = SafeModeEvent::Entered { log: self.inner.options.log_name.clone(), known_at: clock::text(known.at) };
            self.note(AuditEvent::SafeMode(event), None).await;
        }
        Some(known)
    }

    /// This process begins without its database.
    pub(crate) async fn begin_in_safe_mode(&self) -> Result<(), OpenError> {
        let known = self.enter_safe_mode().await.ok_or(StoreError::Away)?;
        self.count_known_policy(known.policy.clone()).map_err(OpenError::KeptPolicy)
    }

    /// What was not looked at because the database was away. A database that should not be used is not: nothing is read, nothing merged.
    pub(crate) async fn check_late(&self) -> Result<(), StoreError> {
        if !self.inner.unchecked.load(Ordering::Acquire) {
            return Ok(());
        }
        match check_database(&self.inner.pool).await {
            Ok(()) => {
                self.inner.unchecked.store(false, Ordering::Release);
                Ok(())
            }
            Err(OpenError::Store(e)) => Err(e),
            Err(e) => {
                tracing::error!(error = %e, "the database that came back is not used");
                Err(StoreError::Away)
            }
        }
    }

    /// Reads what safe mode would decide by, now and whenever something changes, until `stop`.
    pub(crate) async fn keep_known(&self, stop: &CancellationToken) {
        if self.inner.safe.on.is_none() {
            return stop.cancelled().await;
        }
        let mut changes = self.changes();
        let mut unread = Unread::default();
        loop {
            unread.take(&mut changes);
            let heard = std::mem::take(&mut unread);
            let wait = match self.read_known().await {
                Ok(()) => EVERY,
                Err(e) => {
                    tracing::debug!(error = %e, "what safe mode would need cannot be read");
                    self.forget(heard).await;
                    RETRY
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait) => {}
                // It is tried until it answers, so that nobody is refused for long after it is back.
                () = self.inner.safe.entered.notified() => {}
                () = unread.wait(&mut changes) => sleep(SETTLE).await,
            }
        }
    }

    /// Now: for a test, and for whoever will not wait.
    pub async fn read_known(&self) -> Result<(), StoreError> {
        let Some(On { mode, .. }) = &self.inner.safe.on else { return Ok(()) };
        self.check_late().await?;
        let read = Instant::now();
        let longest = time::Duration::try_from(mode.longest).unwrap_or(time::Duration::DAY);
        let (pool, log) = (&self.inner.pool, &self.inner.options.log_name);
        let mut known = store::safe::read(pool, log, self.policy().files(), clock::now(), longest).await?;
        // A gateway whose name no card can have has none.
        if GatewayName::new(mode.gateway.as_str()).is_ok() {
            known.cards = self.offline_cards(&mode.gateway).await?;
        }
        store::safe::read_places(pool, &mut known).await?;
        if self.has_unread_policy() {
            // What the policy that counts says of them nobody here knows. While the database is there the one before it decides, as everybody
            // was told; a process that begins anew without the database would go by that in silence.
            known.forget_grants();
        }
        let known = Arc::new(known);
        self.write_known(known.clone()).await;
        let was_away = {
            let mut state = self.inner.safe.state();
            state.held = Some(Held { known, read, age: Duration::ZERO });
            std::mem::replace(&mut state.away, false)
        };
        if was_away {
            tracing::info!("the database is back: safe mode is over");
            let event = SafeModeEvent::Left { log: self.inner.options.log_name.clone() };
            self.note(AuditEvent::SafeMode(event), None).await;
        }
        Ok(())
    }

    /// A gateway that starts anew without its database goes by the file.
    async fn write_known(&self, known: Arc<Known>) {
        let Some(On { mode, .. }) = &self.inner.safe.on else { return };
        let (file, key) = (mode.file(), self.inner.options.vault_key.clone());
        let written = tokio::task::spawn_blocking(move || match known.seal(&key) {
            Some(bytes) => write(&file, &bytes),
            None => Err(io::Error::other("it is too large")),
        });
        if !matches!(written.await, Ok(Ok(()))) {
            tracing::error!(file = %mode.file().display(), "what safe mode needs cannot be written; a gateway that starts without its database will not know it");
        }
    }

    async fn forget(&self, unread: Unread) {
        if unread.is_empty() {
            return;
        }
        let left = self.inner.safe.state().held.as_mut().map(|held| {
            unread.forget_in(Arc::make_mut(&mut held.known));
            held.known.clone()
        });
        if let Some(known) = left {
            self.write_known(known).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Options, safe::known::sample};
    use anteroom_policy::PolicyFile;
    use sqlx::postgres::PgPoolOptions;

    /// As after another version of the program was installed while the database is away.
    #[tokio::test]
    async fn a_kept_policy_that_cannot_be_read_lets_nothing_start() {
        let dir = tempfile::tempdir().unwrap();
        let mode = SafeMode { longest: Duration::from_secs(3600), dir: dir.path().into(), gateway: "gate".into() };
        let key = Secret::new([1; 32]);
        let started = async |text: &str| {
            let policy = vec![PolicyFile { name: "kept.cedar".into(), text: text.into() }];
            let known = Known { at: clock::now(), policy, ..sample() };
            write(&mode.file(), &known.seal(&key).unwrap()).unwrap();
            let nowhere = "postgres://anteroom_app@127.0.0.1:1/anteroom";
            let pool = PgPoolOptions::new().acquire_timeout(Duration::from_millis(200)).connect_lazy(nowhere).unwrap();
            let options = Options {
                rp_id: "gate.example".into(),
                origin: "https://gate.example".parse().unwrap(),
                vault_key: key.clone(),
                log_key: Secret::new([2; 32]),
                log_name: known.log,
                remember_step_up: Duration::ZERO,
                certificate_lifetime: Duration::ZERO,
                web_idle: Duration::from_secs(600),
                web_absolute: Duration::from_secs(600),
                spool_dir: dir.path().join("spool"),
                checkpoint_dir: dir.path().join("checkpoints"),
                safe_mode: Some(mode.clone()),
            };
            Approvals::open(pool, options).await.map(|a| a.in_safe_mode())
        };
        assert!(started(crate::HOSPITAL).await.unwrap());
        let refused = started("@teleport permit (principal, action, resource);").await.unwrap_err();
        assert!(matches!(refused, OpenError::KeptPolicy(_)) && refused.to_string().contains("wait for the database"), "{refused}");
    }
}
