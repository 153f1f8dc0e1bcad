//! Locks: somebody, a target or a company reaches nothing from the moment on, on every gateway; lifting one gives everything back.
use crate::{
    Approvals, Change, ManageError, StoreError,
    audit::record,
    clock::{self, hex},
    notify::{self, Alarm, Notice, WATCHERS},
    store,
};
use anteroom_domain::{AuditEvent, Lock, Lockable, Moment, PersonId, Reason, audit::LockEvent};
use anteroom_policy::Action;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A lock as people read it.
#[derive(Debug, Clone, Serialize)]
pub struct LockRow {
    /// `person`, `target` or `company`.
    pub kind: &'static str,
    pub name: String,
    /// Whoever locked it; none: the operator at the command line.
    pub by_handle: Option<String>,
    #[serde(flatten)]
    pub lock: Lock,
}

/// Of a listing. There are few locks at a time.
const MOST: i64 = 1000;

pub(crate) fn change(on: Lockable) -> Change {
    match on {
        Lockable::Person(p) => Change::Person(p),
        Lockable::Target(t) => Change::Target(t),
        Lockable::Company(c) => Change::Company(c),
    }
}

fn noun(on: Lockable) -> &'static str {
    match on {
        Lockable::Person(_) => "person",
        Lockable::Target(_) => "target",
        Lockable::Company(_) => "company",
    }
}

/// What the log says of it.
pub(crate) fn locked(lock: &Lock) -> AuditEvent {
    let reason_sha256 = hex(&Sha256::digest(lock.reason.as_str()));
    AuditEvent::Lock(LockEvent::Locked { lock: lock.id, what: lock.on, by: lock.by, reason_sha256 })
}

async fn alarm(tx: &mut sqlx::PgConnection, lock: &Lock) -> Result<(), StoreError> {
    let (person, target) = match lock.on {
        Lockable::Person(p) => (store::people::by_id(&mut *tx, p).await?.map(|p| p.handle), None),
        Lockable::Target(t) => (None, store::targets::by_id(&mut *tx, t).await?.map(|t| t.name)),
        Lockable::Company(_) => (None, None),
    };
    notify::enqueue(tx, &Notice::alarm(Alarm::Locked, &WATCHERS, person, target, None), lock.at).await
}

/// One that was set on a gateway's machine while the database was away; its line is written already.
pub(crate) async fn insert_late(tx: &mut sqlx::PgConnection, lock: &Lock) -> Result<(), StoreError> {
    if store::locks::hold(&mut *tx, lock.on).await? && store::locks::insert(&mut *tx, lock).await? {
        alarm(tx, lock).await?;
        store::tell(&mut *tx, change(lock.on)).await?;
    }
    Ok(())
}

/// As a part of what decided it. False: there is no such thing.
pub(super) async fn lock(
    tx: &mut sqlx::PgConnection,
    actor: Option<PersonId>,
    on: Lockable,
    reason: Reason,
    now: Moment,
) -> Result<bool, StoreError> {
    if !store::locks::hold(&mut *tx, on).await? {
        return Ok(false);
    }
    let lock = Lock { id: clock::new_id(), on, reason, by: actor, at: now, lifted_at: None };
    if store::locks::insert(&mut *tx, &lock).await? {
        record::write(&mut *tx, locked(&lock), actor, now).await?;
        alarm(tx, &lock).await?;
        store::tell(&mut *tx, change(on)).await?;
    }
    Ok(true)
}

impl Approvals {
    /// Locks it. A lock that is there already stays as it is.
    pub async fn lock(&self, actor: Option<PersonId>, on: Lockable, reason: Reason) -> Result<(), ManageError> {
        self.check_actor(actor, Action::Lock).await?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        if !lock(&mut tx, actor, on, reason, now).await? {
            return Err(ManageError::NoSuch(noun(on)));
        }
        Ok(self.commit(tx).await?)
    }

    /// Lifts it. Nobody lifts a lock on themselves (who is locked may do nothing here), nor one on a target that they have a grant for: that is for
    /// somebody who gains nothing by it.
    pub async fn unlock(&self, actor: Option<PersonId>, on: Lockable) -> Result<(), ManageError> {
        self.check_actor(actor, Action::Lock).await?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        if !store::locks::hold(&mut tx, on).await? {
            return Err(ManageError::NoSuch(noun(on)));
        }
        if let (Some(by), Lockable::Target(t)) = (actor, on)
            && !store::grants::unended(&mut *tx, by, Some(t), now).await?.is_empty()
        {
            return Err(ManageError::Invalid {
                what: "lock",
                why: "you have a grant for this target: somebody else has to lift it".into(),
            });
        }
        if let Some(lock) = store::locks::lift(&mut *tx, on, actor, now).await? {
            record::write(&mut tx, AuditEvent::Lock(LockEvent::Unlocked { lock, what: on, by: actor }), actor, now).await?;
            store::tell(&mut *tx, change(on)).await?;
        }
        Ok(self.commit(tx).await?)
    }

    /// The lock on exactly this, if there is one that counts.
    pub async fn lock_on(&self, on: Lockable) -> Result<Option<LockRow>, StoreError> {
        Ok(self.locks().await?.into_iter().find(|l| l.lock.on == on))
    }

    /// Those that count, newest first.
    pub async fn locks(&self) -> Result<Vec<LockRow>, StoreError> {
        let rows = store::locks::all(&self.inner.pool, MOST).await?;
        Ok(rows.into_iter().map(|n| LockRow { kind: noun(n.lock.on), name: n.name, by_handle: n.by, lock: n.lock }).collect())
    }
}
