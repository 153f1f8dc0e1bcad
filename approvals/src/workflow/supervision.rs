//! Supervisors: joining a session, being heard of every second, leaving, and what they wrote down.
use crate::{
    Approvals, Change, ManageError, StoreError,
    audit::record,
    clock::{self, hex},
    store,
};
use anteroom_domain::{AtEnd, AuditEvent, MessageText, Moment, PersonId, SessionId, SupervisionId, audit::SupervisionEvent};
use anteroom_policy::may_supervise;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// One supervisor at one session, from until.
#[derive(Debug, Clone)]
pub struct Supervised {
    pub supervisor: PersonId,
    pub name: String,
    pub joined_at: Moment,
    pub left_at: Option<Moment>,
    /// Their browser was not heard of any more.
    pub lapsed: bool,
}

#[derive(Debug, Clone)]
pub struct SupervisionNote {
    pub by: String,
    pub at: Moment,
    pub text: String,
}

/// A running session that may not run unwatched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// Nobody came yet.
    Lobby,
    Watched,
    /// Somebody did, and is gone.
    Unwatched,
}

impl Approvals {
    /// From now on this person watches, as long as [`renew_supervision`](Self::renew_supervision) says so every second.
    pub async fn join_supervision(&self, session: SessionId, by: PersonId) -> Result<SupervisionId, ManageError> {
        let (id, now): (SupervisionId, _) = (clock::new_id(), clock::now());
        let mut tx = self.begin().await?;
        self.check_supervisor(&mut tx, session, by).await?;
        store::supervision::join(&mut *tx, id, session, by, now).await?;
        record::write(&mut tx, AuditEvent::Supervision(SupervisionEvent::Joined { session, by }), Some(by), now).await?;
        store::tell(&mut *tx, Change::Supervision(session)).await?;
        self.commit(tx).await?;
        Ok(id)
    }

    /// False: it is over; join again.
    pub async fn renew_supervision(&self, id: SupervisionId, by: PersonId) -> Result<bool, StoreError> {
        store::supervision::renew(&self.inner.pool, id, by).await
    }

    /// The session stands still at once, unless somebody else watches too.
    pub async fn leave_supervision(&self, id: SupervisionId, by: PersonId) -> Result<(), StoreError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        if let Some(session) = store::supervision::leave(&mut *tx, id, by, now).await? {
            record::write(&mut tx, AuditEvent::Supervision(SupervisionEvent::Left { session, by }), Some(by), now).await?;
            store::tell(&mut *tx, Change::Supervision(session)).await?;
        }
        self.commit(tx).await
    }

    /// What somebody who may watch wrote down; the gateway puts it into the recording.
    pub async fn note_supervision(&self, session: SessionId, by: PersonId, text: &MessageText) -> Result<(), ManageError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        self.check_supervisor(&mut tx, session, by).await?;
        store::supervision::note(&mut *tx, uuid::Uuid::now_v7(), session, by, text.as_str(), now).await?;
        let event = SupervisionEvent::Noted { session, by, note_sha256: hex(&Sha256::digest(text.as_str())) };
        record::write(&mut tx, AuditEvent::Supervision(event), Some(by), now).await?;
        store::tell(&mut *tx, Change::Supervision(session)).await?;
        Ok(self.commit(tx).await?)
    }

    /// Whoever watches lets it go on after its grant's end, for as long as the approvers signed that one may; once. Minutes.
    pub async fn prolong_session(&self, session: SessionId, by: PersonId) -> Result<u16, ManageError> {
        let no = |why: &str| ManageError::Invalid { what: "session", why: why.into() };
        let now = clock::now();
        let mut tx = self.begin().await?;
        self.check_supervisor(&mut tx, session, by).await?;
        if !store::supervision::watches(&mut *tx, session, by).await? {
            return Err(no("join it first: who decides that has to watch"));
        }
        let (minutes, ends) = Self::prolongs(&mut tx, session).await?.ok_or_else(|| no("its grant ends by being cut"))?;
        if ends <= now {
            return Err(no("its grant is over"));
        }
        if !store::supervision::prolong(&mut *tx, session, by, now).await? {
            return Err(no("that was decided already"));
        }
        record::write(&mut tx, AuditEvent::Supervision(SupervisionEvent::Prolonged { session, by, minutes }), Some(by), now).await?;
        store::tell(&mut *tx, Change::Supervision(session)).await?;
        self.commit(tx).await?;
        Ok(minutes)
    }

    /// For how many minutes a supervisor may let this session go on after its grant's end, and when that is. None: not at all, or it was
    /// decided already.
    pub async fn prolongable(&self, session: SessionId) -> Result<Option<(u16, Moment)>, StoreError> {
        let mut tx = self.begin().await?;
        let decided = !store::supervision::prolonged(&mut *tx, &[session.0]).await?.is_empty();
        if decided { Ok(None) } else { Self::prolongs(&mut tx, session).await }
    }

    async fn prolongs(tx: &mut sqlx::PgConnection, session: SessionId) -> Result<Option<(u16, Moment)>, StoreError> {
        let Some(row) = store::sessions::by_id(&mut *tx, session).await? else { return Ok(None) };
        let grant = store::grants::by_ids(&mut *tx, &[row.grant.0]).await?.pop();
        Ok(grant.and_then(|g| match g.obligations.at_end {
            Some(AtEnd::SupervisorDecides { minutes }) => Some((minutes, g.not_after)),
            Some(AtEnd::Cut) | None => None,
        }))
    }

    /// A running session that has to be watched, and somebody who may: not its own person, nobody of their company.
    async fn check_supervisor(&self, tx: &mut sqlx::PgConnection, session: SessionId, by: PersonId) -> Result<(), ManageError> {
        let row = store::sessions::by_id(&mut *tx, session).await?.ok_or(ManageError::NoSuch("session"))?;
        let supervisor = store::people::held(&mut *tx, by).await?;
        let of = store::people::by_id(&mut *tx, row.person).await?;
        let (Some(supervisor), Some(of)) = (supervisor, of) else { return Err(ManageError::NotAllowed) };
        if !may_supervise(&supervisor, &of) {
            return Err(ManageError::NotAllowed);
        }
        match store::supervision::supervised(&mut *tx, session).await? {
            Some(true) => Ok(()),
            Some(false) => Err(ManageError::Invalid { what: "session", why: "it runs without a supervisor".into() }),
            None => Err(ManageError::Invalid { what: "session", why: "it has ended".into() }),
        }
    }

    /// For the gateway that runs it: how long ago somebody who watches was heard of; none if nobody is. Whoever was not heard of for too long
    /// is written down as gone.
    pub async fn watched(&self, session: SessionId) -> Result<Option<Duration>, StoreError> {
        let age = store::supervision::age_ms(&self.inner.pool, session).await?;
        Ok(age.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))))
    }

    /// Whoever was not heard of for a lease is written down as gone; when the session is over, everybody.
    pub async fn end_supervisions(&self, session: SessionId, over: bool) -> Result<(), StoreError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        for by in store::supervision::lapse(&mut *tx, session, over, now).await? {
            let event = if over { SupervisionEvent::Left { session, by } } else { SupervisionEvent::Lapsed { session, by } };
            record::write(&mut tx, AuditEvent::Supervision(event), Some(by), now).await?;
            store::tell(&mut *tx, Change::Supervision(session)).await?;
        }
        self.commit(tx).await
    }

    /// For the gateway that records it: notes it has not taken yet, author and words.
    pub async fn take_supervision_notes(&self, session: SessionId) -> Result<Vec<(String, String)>, StoreError> {
        store::supervision::take_notes(&self.inner.pool, session, clock::now()).await
    }

    /// Who watched a session, and when.
    pub async fn supervisions(&self, session: SessionId) -> Result<Vec<Supervised>, StoreError> {
        let rows = store::supervision::of(&self.inner.pool, session).await?;
        let seen = |r: store::supervision::Row| Supervised {
            supervisor: r.supervisor.into(),
            name: r.name,
            joined_at: r.joined_at,
            left_at: r.left_at,
            lapsed: r.lapsed,
        };
        Ok(rows.into_iter().map(seen).collect())
    }

    pub async fn supervision_notes(&self, session: SessionId) -> Result<Vec<SupervisionNote>, StoreError> {
        let rows = store::supervision::notes(&self.inner.pool, session).await?;
        Ok(rows.into_iter().map(|r| SupervisionNote { by: r.name, at: r.written_at, text: r.text }).collect())
    }

    /// Whether this person watches that session now.
    pub async fn watches(&self, session: SessionId, by: PersonId) -> Result<bool, StoreError> {
        store::supervision::watches(&self.inner.pool, session, by).await
    }

    /// The running sessions that have to be watched.
    pub async fn to_supervise(&self) -> Result<Vec<(SessionId, Watching)>, StoreError> {
        let rows = store::supervision::running(&self.inner.pool).await?;
        let state = |r: &store::supervision::Waiting| match (r.watched, r.ever) {
            (true, _) => Watching::Watched,
            (false, true) => Watching::Unwatched,
            (false, false) => Watching::Lobby,
        };
        Ok(rows.iter().map(|r| (r.id.into(), state(r))).collect())
    }
}
