//! Legal holds: as long as one is on a recording, its keys are not destroyed, whoever asks.
//!
//! Placing, lifting and shredding take the session's row first, so that of two at the same moment one sees what the other did.
use crate::{
    Approvals, Change, KeepError, Keeping, StoreError,
    audit::record,
    clock::{self, hex},
    evidence::ProvenRecord,
    store,
};
use anteroom_domain::{AuditEvent, AuditRecord, HoldId, HoldLifted, LegalHold, PersonId, Reason, SessionId};
use anteroom_policy::{Action, may};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Holds that count on one recording at once: more matters than that nobody keeps apart.
const MAX_HOLDS: usize = 20;

impl Approvals {
    /// All legal holds of a recording, past ones too, and the decision to destroy its keys.
    pub async fn keeping(&self, session: SessionId) -> Result<Keeping, StoreError> {
        let db = &self.inner.pool;
        Ok(Keeping { holds: store::holds::of(db, session).await?, shredding: store::shreddings::of(db, session).await? })
    }

    /// Exactly what the records name: what happened since they were read is for the next bundle.
    pub(crate) async fn keeping_evidence(&self, session: SessionId, records: &[ProvenRecord]) -> Result<Keeping, StoreError> {
        let (mut placed, mut lifted, mut shredded) = (BTreeSet::new(), BTreeSet::new(), false);
        for r in records {
            let record: AuditRecord = serde_json::from_str(&r.record).map_err(|_| StoreError::Damaged("audit_entry"))?;
            match record.event {
                AuditEvent::LegalHoldPlaced { hold, .. } => drop(placed.insert(hold)),
                AuditEvent::LegalHoldLifted { hold, .. } => drop(lifted.insert(hold)),
                AuditEvent::RecordingShredded { .. } => shredded = true,
                _ => {}
            }
        }
        let mut k = self.keeping(session).await?;
        k.holds.retain(|h| placed.contains(&h.id));
        for hold in k.holds.iter_mut().filter(|h| !lifted.contains(&h.id)) {
            hold.lifted = None;
        }
        k.shredding = k.shredding.filter(|_| shredded);
        Ok(k)
    }

    /// From now on the recording is not shredded, until this very hold is lifted. A session that runs can be held too.
    pub async fn place_hold(&self, by: PersonId, session: SessionId, reason: Reason) -> Result<LegalHold, KeepError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, by).await?.filter(|p| may(p, Action::HoldRecording)).ok_or(KeepError::NotAllowed)?;
        if !store::sessions::lock(&mut tx, session).await? {
            return Err(KeepError::NoSuchSession);
        }
        if store::shreddings::of(&mut *tx, session).await?.is_some() {
            return Err(KeepError::Shredded);
        }
        if store::holds::of(&mut *tx, session).await?.iter().filter(|h| h.lifted.is_none()).count() >= MAX_HOLDS {
            return Err(KeepError::TooMany { max: MAX_HOLDS });
        }
        let hold = LegalHold {
            id: clock::new_id(),
            session,
            reason,
            placed_by: by,
            placed_by_handle: person.handle,
            placed_at: now,
            lifted: None,
        };
        store::holds::insert(&mut *tx, &hold).await?;
        let event = AuditEvent::LegalHoldPlaced { hold: hold.id, session, by, reason_sha256: hash(&hold.reason) };
        record::write(&mut tx, event, Some(by), now).await?;
        store::tell(&mut *tx, Change::Session(session)).await?;
        self.commit(tx).await?;
        tracing::info!(%session, hold = %hold.id, "a legal hold was placed");
        Ok(hold)
    }

    /// `which` may be left out when there is one only.
    pub async fn lift_hold(&self, by: PersonId, session: SessionId, which: Option<HoldId>, reason: Reason) -> Result<LegalHold, KeepError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, by).await?.filter(|p| may(p, Action::LiftHold)).ok_or(KeepError::NotAllowed)?;
        if !store::sessions::lock(&mut tx, session).await? {
            return Err(KeepError::NoSuchSession);
        }
        let mut count: Vec<LegalHold> = store::holds::of(&mut *tx, session).await?;
        count.retain(|h| h.lifted.is_none() && which.is_none_or(|w| w == h.id));
        let mut hold = match count.len() {
            0 => return Err(KeepError::NoHold),
            1 => count.remove(0),
            _ => return Err(KeepError::WhichHold),
        };
        store::holds::lift(&mut *tx, hold.id, by, reason.as_str(), now).await?;
        let event = AuditEvent::LegalHoldLifted { hold: hold.id, session, by, reason_sha256: hash(&reason) };
        record::write(&mut tx, event, Some(by), now).await?;
        store::tell(&mut *tx, Change::Session(session)).await?;
        self.commit(tx).await?;
        tracing::info!(%session, hold = %hold.id, "a legal hold was lifted");
        hold.lifted = Some(HoldLifted { by, by_handle: person.handle, at: now, reason });
        Ok(hold)
    }
}

/// How the log names a reason.
pub(crate) fn hash(reason: &Reason) -> String {
    hex(&Sha256::digest(reason.as_str()))
}
