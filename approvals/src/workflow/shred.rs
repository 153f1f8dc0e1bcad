//! Destroying a recording's keys: decided here, written down and committed; only then does whoever holds the files remove them. The
//! decision is never taken back, so whatever is in the way is looked at before, with the session's row held.
use super::holds::hash;
use crate::{
    Approvals, Change, KeepError, StoreError,
    audit::record,
    clock::{self, text},
    store,
};
use anteroom_domain::{AuditEvent, Handle, Moment, PersonId, Reason, RecordingState, SessionId, Shredding};
use anteroom_policy::{Action, Kept, expires, may};
use std::collections::BTreeMap;

/// The names of a recording's envelope files, with their SHA-256 in hexadecimal.
pub type Envelopes = BTreeMap<String, String>;

impl Approvals {
    /// Somebody decides. Deciding again changes nothing and tells what was decided before.
    pub async fn shred_recording(
        &self,
        by: PersonId,
        session: SessionId,
        reason: Reason,
        envelopes: Envelopes,
    ) -> Result<Shredding, KeepError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, by).await?.filter(|p| may(p, Action::ShredRecording)).ok_or(KeepError::NotAllowed)?;
        if let Some(before) = may_be_shredded(&mut tx, session, Some(by), now).await? {
            return Ok(before);
        }
        let decided = Shredding { session, at: now, by: Some(by), by_handle: Some(person.handle), reason, envelopes };
        self.destroy_keys(tx, decided).await
    }

    /// Its time is over; decided by the policy, with what is known now. None: it stays.
    pub async fn shred_expired(
        &self,
        session: SessionId,
        keep: time::Duration,
        envelopes: Envelopes,
    ) -> Result<Option<Shredding>, KeepError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        if may_be_shredded(&mut tx, session, None, now).await?.is_some() {
            return Ok(None);
        }
        let row = store::sessions::by_id(&mut *tx, session).await?.ok_or(KeepError::NoSuchSession)?;
        let recording = Kept { ended_at: row.ended_at, sealed: row.recording != RecordingState::Recording, held: row.held };
        if !expires(&recording, keep, now) {
            return Ok(None);
        }
        let reason = format!("kept for {} days after the session, as this gateway is configured", keep.whole_days());
        let reason = Reason::new(reason).map_err(|_| StoreError::Damaged("shredding"))?;
        self.destroy_keys(tx, Shredding { session, at: now, by: None, by_handle: None::<Handle>, reason, envelopes }).await.map(Some)
    }

    /// Decision, audit line, the end of what could still be asked of it, and of what can be searched of it: all or nothing.
    async fn destroy_keys(&self, mut tx: sqlx::Transaction<'static, sqlx::Postgres>, d: Shredding) -> Result<Shredding, KeepError> {
        let session = d.session;
        for u in store::unmasks::usable_of(&mut tx, session, d.at).await? {
            store::unmasks::set_state(&mut *tx, u.id, anteroom_domain::UnmaskState::Shredded).await?;
            record::write(&mut tx, AuditEvent::UnmaskEnded { unmask: u.id, session }, d.by, d.at).await?;
            store::tell(&mut *tx, Change::Unmask(u.id)).await?;
        }
        store::recording_lines::forget(&mut tx, session).await?;
        store::shreddings::insert(&mut *tx, &d).await?;
        let event = AuditEvent::RecordingShredded {
            session,
            by: d.by,
            why: d.why().into(),
            reason_sha256: hash(&d.reason),
            envelopes: d.envelopes.clone(),
        };
        record::write(&mut tx, event, d.by, d.at).await?;
        store::tell(&mut *tx, Change::Session(session)).await?;
        self.commit(tx).await?;
        tracing::warn!(%session, by = d.why(), envelopes = d.envelopes.len(), "the keys of a recording are to be destroyed");
        Ok(d)
    }

    /// Decisions that nobody has said to be carried out, oldest first, after a place.
    pub async fn shreddings_to_do(&self, after: Option<(Moment, SessionId)>, at_most: i64) -> Result<Vec<(Moment, SessionId)>, StoreError> {
        store::shreddings::to_do(&self.inner.pool, after, at_most).await
    }

    /// The files are gone, durably.
    pub async fn shredding_done(&self, session: SessionId) -> Result<(), StoreError> {
        store::shreddings::done(&self.inner.pool, session, clock::now()).await
    }

    /// Recordings whose time may be over when they are kept for `keep`, oldest first, after a place. None while our clock and the
    /// database's disagree: then nobody knows how old anything is.
    pub async fn expired(
        &self,
        keep: time::Duration,
        after: Option<(Moment, SessionId)>,
        at_most: i64,
    ) -> Result<Option<Vec<(Moment, SessionId)>>, StoreError> {
        let db = &self.inner.pool;
        let now = clock::now();
        if (store::sessions::its_clock(db).await? - now).unsigned_abs() > CLOCKS_APART {
            return Ok(None);
        }
        let Some(before) = now.checked_sub(keep) else { return Ok(Some(Vec::new())) };
        let old = store::sessions::ended_until(db, before, after, at_most).await?;
        Ok(Some(old.into_iter().map(|o| (o.ended_at, o.session.into())).collect()))
    }
}

/// Two clocks that differ by more are not both right.
const CLOCKS_APART: std::time::Duration = std::time::Duration::from_secs(600);

/// Takes the session's row. What was decided before, if it was; an error if something is in the way.
async fn may_be_shredded(
    tx: &mut sqlx::PgConnection,
    session: SessionId,
    by: Option<PersonId>,
    now: Moment,
) -> Result<Option<Shredding>, KeepError> {
    if !store::sessions::lock(tx, session).await? {
        return Err(KeepError::NoSuchSession);
    }
    if let Some(before) = store::shreddings::of(&mut *tx, session).await? {
        return Ok(Some(before));
    }
    let holds = store::holds::of(&mut *tx, session).await?;
    if let Some(hold) = holds.iter().find(|h| h.lifted.is_none()) {
        return Err(KeepError::Held { reason: hold.reason.as_str().into() });
    }
    if holds.iter().any(|h| by.is_some() && h.lifted.as_ref().map(|l| l.by) == by) {
        return Err(KeepError::LiftedByYou);
    }
    let row = store::sessions::by_id(&mut *tx, session).await?.ok_or(KeepError::NoSuchSession)?;
    if row.ended_at.is_none() || row.recording == RecordingState::Recording {
        return Err(KeepError::NotSealed);
    }
    if let Some(u) = store::unmasks::usable_of(tx, session, now).await?.into_iter().find(|u| u.opened) {
        return Err(KeepError::BeingUnmasked { until: text(u.expires_at) });
    }
    Ok(None)
}
