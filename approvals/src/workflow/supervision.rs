//! Supervisors: joining a session, being heard of every second, leaving, and what they wrote down.
use crate::{
    Approvals, Change, ManageError, StoreError,
    audit::record,
    clock::{self, hex},
    notify, store,
};
use anteroom_domain::{AtEnd, AuditEvent, Grant, MessageText, Moment, PersonId, SessionId, SupervisionId, audit::SupervisionEvent};
use sha2::{Digest, Sha256};
use std::{net::IpAddr, time::Duration};

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

/// When a session is over by its grant, for whoever watches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeLeft {
    /// The grant's end. Other rules may end it before.
    pub ends: Moment,
    /// For how many minutes after that whoever watches may let it go on; none: not at all.
    pub minutes: Option<u16>,
    /// Somebody did, and its hard end is then.
    pub prolonged: Option<Prolonged>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prolonged {
    /// Display name.
    pub by: String,
    pub until: Moment,
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
    pub async fn join_supervision(&self, session: SessionId, by: PersonId, source: IpAddr) -> Result<SupervisionId, ManageError> {
        let (id, now): (SupervisionId, _) = (clock::new_id(), clock::now());
        let mut tx = self.begin().await?;
        self.check_supervisor(&mut tx, session, by, source).await?;
        store::supervision::join(&mut *tx, id, session, by, now).await?;
        record::write(&mut tx, AuditEvent::Supervision(SupervisionEvent::Joined { session, by }), Some(by), now).await?;
        store::tell(&mut *tx, Change::Supervision(session)).await?;
        self.commit(tx).await?;
        Ok(id)
    }

    /// False: it is over; join again. Whether they may watch is asked again each time, so that it follows a change of policy, of the target or
    /// of the person within a second: who may not any more has left.
    pub async fn renew_supervision(&self, id: SupervisionId, by: PersonId, source: IpAddr) -> Result<bool, StoreError> {
        let Some(session) = store::supervision::seat(&self.inner.pool, id, by).await? else { return Ok(false) };
        match self.may_watch(session, by, source).await {
            Ok(()) => store::supervision::renew(&self.inner.pool, id, by).await,
            Err(ManageError::Store(e)) => Err(e),
            Err(_) => {
                self.leave_supervision(id, by).await?;
                Ok(false)
            }
        }
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
    pub async fn note_supervision(&self, session: SessionId, by: PersonId, source: IpAddr, text: &MessageText) -> Result<(), ManageError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        self.check_supervisor(&mut tx, session, by, source).await?;
        store::supervision::note(&mut *tx, uuid::Uuid::now_v7(), session, by, text.as_str(), now).await?;
        let event = SupervisionEvent::Noted { session, by, note_sha256: hex(&Sha256::digest(text.as_str())) };
        record::write(&mut tx, AuditEvent::Supervision(event), Some(by), now).await?;
        store::tell(&mut *tx, Change::Supervision(session)).await?;
        Ok(self.commit(tx).await?)
    }

    /// Whoever watches lets it go on after its grant's end, for as long as the approvers signed that one may; once. Minutes.
    pub async fn prolong_session(&self, session: SessionId, by: PersonId, source: IpAddr) -> Result<u16, ManageError> {
        let no = |why: &str| ManageError::Invalid { what: "session", why: why.into() };
        let now = clock::now();
        let mut tx = self.begin().await?;
        self.check_supervisor(&mut tx, session, by, source).await?;
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
        // The gateway puts it into the recording, with who it was.
        let note = format!("let the session go on for {} after its grant's end", in_minutes(minutes));
        store::supervision::note(&mut *tx, uuid::Uuid::now_v7(), session, by, &note, now).await?;
        record::write(&mut tx, AuditEvent::Supervision(SupervisionEvent::Prolonged { session, by, minutes }), Some(by), now).await?;
        store::tell(&mut *tx, Change::Supervision(session)).await?;
        self.commit(tx).await?;
        Ok(minutes)
    }

    /// None: there is no such session.
    pub async fn time_left(&self, session: SessionId) -> Result<Option<TimeLeft>, StoreError> {
        let mut tx = self.begin().await?;
        let Some(row) = store::sessions::by_id(&mut *tx, session).await? else { return Ok(None) };
        let Some(grant) = store::grants::by_ids(&mut *tx, &[row.grant.0]).await?.pop() else { return Ok(None) };
        let by = store::supervision::prolonged_by(&mut *tx, session).await?;
        let minutes = after_its_end(&grant);
        let until = |by| Prolonged { by, until: grant.not_after + time::Duration::minutes(minutes.unwrap_or_default().into()) };
        Ok(Some(TimeLeft { ends: grant.not_after, minutes, prolonged: by.map(until) }))
    }

    async fn prolongs(tx: &mut sqlx::PgConnection, session: SessionId) -> Result<Option<(u16, Moment)>, StoreError> {
        let Some(row) = store::sessions::by_id(&mut *tx, session).await? else { return Ok(None) };
        let grant = store::grants::by_ids(&mut *tx, &[row.grant.0]).await?.pop();
        Ok(grant.and_then(|g| after_its_end(&g).map(|minutes| (minutes, g.not_after))))
    }

    /// A running session that has to be watched, and somebody who may; nobody suspends them before our transaction ends.
    async fn check_supervisor(
        &self,
        tx: &mut sqlx::PgConnection,
        session: SessionId,
        by: PersonId,
        source: IpAddr,
    ) -> Result<(), ManageError> {
        let supervisor = store::people::held(&mut *tx, by).await?;
        Box::pin(self.check_watcher(tx, session, supervisor, source)).await?;
        match store::supervision::supervised(&mut *tx, session).await? {
            Some(true) => Ok(()),
            Some(false) => Err(ManageError::Invalid { what: "session", why: "it runs without a supervisor".into() }),
            None => Err(ManageError::Invalid { what: "session", why: "it has ended".into() }),
        }
    }

    /// For the gateway that runs it: from now on somebody has to watch, and those who could are told. False: the database does not know of the
    /// session yet.
    pub async fn require_supervision(&self, session: SessionId) -> Result<bool, StoreError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let Some(new) = store::supervision::require(&mut *tx, session).await? else { return Ok(false) };
        if new {
            record::write(&mut tx, AuditEvent::Supervision(SupervisionEvent::Required { session }), None, now).await?;
            if let Some(row) = store::sessions::by_id(&mut *tx, session).await? {
                let person = store::people::by_id(&mut *tx, row.person).await?;
                let target = store::targets::by_id(&mut *tx, row.target).await?;
                let grant = store::grants::by_id(&mut *tx, row.grant).await?;
                if let (Some(person), Some(target), Some(grant)) = (person, target, grant) {
                    let notice = Box::pin(self.session_waits(&mut tx, session, (&person, &target, &grant), now)).await?;
                    notify::enqueue(&mut tx, &notice, now).await?;
                }
            }
            store::tell(&mut *tx, Change::Supervision(session)).await?;
        }
        self.commit(tx).await?;
        Ok(true)
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

    /// Display names of those who watch a session now, who came first at first.
    pub async fn watchers(&self, session: SessionId) -> Result<Vec<String>, StoreError> {
        store::supervision::watchers(&self.inner.pool, session).await
    }

    /// The running sessions that have to be watched, by whomever ([`Self::to_watch`] has those of one supervisor).
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

/// What the approvers signed that a supervisor may decide, in minutes.
fn after_its_end(grant: &Grant) -> Option<u16> {
    match grant.obligations.at_end {
        Some(AtEnd::SupervisorDecides { minutes }) => Some(minutes),
        Some(AtEnd::Cut) | None => None,
    }
}

fn in_minutes(n: u16) -> String {
    format!("{n} minute{}", if n == 1 { "" } else { "s" })
}
