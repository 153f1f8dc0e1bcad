//! Locking somebody or something out of one gateway while nobody can write it into the database.
use super::{Known, SafeMode, keep, local_locks};
use crate::{
    Approvals,
    audit::{
        record,
        spool::{Spooled, Work},
    },
    clock,
    workflow::{change_of_lock, locked},
};
use anteroom_domain::{AuditRecord, Handle, Lock, LockId, Lockable, Reason, Secret, TargetName};
use std::{io, time::Duration};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the file is looked at: its length, and no more while nothing is added.
const LOOK: Duration = Duration::from_millis(200);

/// Why a lock could not be set on this machine.
#[derive(Debug, thiserror::Error)]
pub enum LocalLockError {
    #[error("this gateway has kept nothing for safe mode, so it lets nobody in while the database is away")]
    NothingKept,
    #[error("{0} is not among those whom this gateway would let in, or lead to, while the database is away")]
    NotKnown(String),
    #[error("the lock cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// What can be locked without a database, by its name.
#[derive(Debug, Clone)]
pub enum LockHere {
    Person(Handle),
    Target(TargetName),
}

/// Locks a person or a target out of the gateway on this machine, whose database is away: sessions end and none begins. When the database
/// is back it becomes a lock like any other. For a command; `log` is the name of the gateway's audit log.
pub fn lock_here(
    mode: &SafeMode,
    vault_key: &Secret<[u8; 32]>,
    log: &str,
    what: &LockHere,
    reason: Reason,
) -> Result<Lock, LocalLockError> {
    let bytes = keep::read(&mode.file())?.ok_or(LocalLockError::NothingKept)?;
    let known = Known::open(vault_key, log, &bytes).ok_or(LocalLockError::NothingKept)?;
    let (on, name) = match what {
        LockHere::Person(handle) => (known.people.iter().find(|p| p.handle == *handle).map(|p| Lockable::Person(p.id)), handle.to_string()),
        LockHere::Target(target) => (known.target(target.as_str()).map(|t| Lockable::Target(t.id)), target.to_string()),
    };
    let on = on.ok_or(LocalLockError::NotKnown(name))?;
    let lock = lock_of(on, reason);
    local_locks::add(&mode.dir, &lock)?;
    Ok(lock)
}

fn lock_of(on: Lockable, reason: Reason) -> Lock {
    Lock { id: clock::new_id(), on, reason, by: None, at: clock::now(), lifted_at: None }
}

impl Approvals {
    /// Locks of this machine that the database does not hold yet.
    pub(crate) fn local_locks(&self) -> Vec<Lock> {
        self.inner.safe.local_locks().map(super::local_locks::LocalLocks::all).unwrap_or_default()
    }

    /// Locks it out of this gateway until the database can hold the lock. Without safe mode nobody is let in meanwhile anyway.
    pub(crate) async fn lock_meanwhile(&self, on: Lockable, reason: Reason) {
        let lock = lock_of(on, reason);
        let inner = self.inner.clone();
        let added = tokio::task::spawn_blocking(move || inner.safe.lock(&lock)).await;
        if !matches!(added, Ok(Ok(_))) {
            tracing::error!("a lock of this machine cannot be written");
        }
    }

    /// Obeys what is locked on this machine, until `stop`.
    pub(crate) async fn keep_local_locks(&self, stop: &CancellationToken) {
        if self.inner.safe.local_locks().is_none() {
            return stop.cancelled().await;
        }
        let mut clock = interval(LOOK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = clock.tick() => self.obey_local_locks().await,
            }
        }
    }

    async fn obey_local_locks(&self) {
        let inner = self.inner.clone();
        let found = tokio::task::spawn_blocking(move || inner.safe.local_locks().map_or(Ok(Vec::new()), |l| l.look())).await;
        let new = match found {
            Ok(Ok(new)) => new,
            Ok(Err(e)) => return tracing::error!(error = %e, "locks of this machine cannot be read"),
            Err(_) => return,
        };
        for lock in new {
            tracing::warn!(lock = %lock.id, "locked on this machine");
            // It counts already: whoever runs is judged again.
            self.tell(change_of_lock(lock.on));
            // Told under the lock's own id, so that a second time does no harm.
            let record = AuditRecord { id: lock.id.0.into(), ..record::line(locked(&lock), None, lock.at) };
            // If not even the spool can be written, it stays a lock of this machine.
            let _ = self.keep(Spooled { record, work: Work::Lock(Box::new(lock)) }).await;
        }
    }

    /// The database holds it now.
    pub(crate) async fn local_lock_done(&self, id: LockId) {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || inner.safe.local_locks().map_or(Ok(()), |l| l.done(id))).await;
        if !matches!(done, Ok(Ok(()))) {
            tracing::error!(lock = %id, "a lock of this machine that the database holds cannot be taken out of its file, and goes on counting here");
        }
    }
}
