//! An auditor asks, and takes it back.
use crate::{
    Approvals, Change, StoreError, UnmaskError, UnmaskForm,
    audit::record,
    clock::{self, hex, text},
    store,
};
use anteroom_domain::{
    AuditEvent, Person, RecordingState, UnmaskId, UnmaskRequest, UnmaskState,
    unmask::{USES_HOURS, check_interval},
};
use anteroom_policy::{Action, may};
use sha2::{Digest, Sha256};

/// A person's requests that wait for key-holders.
const MAX_WAITING: i64 = 20;

impl Approvals {
    /// The row and its audit line. The recording has to be closed, and the interval in it.
    pub async fn ask_unmask(&self, person: &Person, form: UnmaskForm) -> Result<UnmaskRequest, UnmaskError> {
        if !USES_HOURS.contains(&form.hours) {
            return Err(UnmaskError::Hours);
        }
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person =
            store::people::held(&mut *tx, person.id).await?.filter(|p| may(p, Action::AskUnmask)).ok_or(UnmaskError::NotAllowed)?;
        let session = store::sessions::by_id(&mut *tx, form.session).await?.ok_or(UnmaskError::NoSuchSession)?;
        if session.recording == RecordingState::Recording {
            return Err(UnmaskError::NotSealed);
        }
        let manifest = store::sessions::manifest(&mut *tx, session.id).await?;
        let length_us = manifest.as_ref().and_then(|m| m.get("duration_us")?.as_u64()).ok_or(UnmaskError::NotSealed)?;
        // People write whole seconds; the last one of a recording is rarely whole.
        let until_us = if form.until_us.saturating_sub(length_us) < 1_000_000 { form.until_us.min(length_us) } else { form.until_us };
        check_interval(form.from_us, until_us, length_us)?;
        if store::unmasks::waiting_of(&mut *tx, person.id, now).await? >= MAX_WAITING {
            return Err(UnmaskError::TooMany { max: MAX_WAITING });
        }
        let id: UnmaskId = clock::new_id();
        let expires_at = now + time::Duration::hours(form.hours.into());
        let new = store::unmasks::New {
            id,
            session: session.id,
            requester: person.id,
            reason: form.reason.as_str(),
            from_us: form.from_us,
            until_us,
            created_at: now,
            expires_at,
        };
        store::unmasks::insert(&mut *tx, new).await?;
        let event = AuditEvent::UnmaskRequested {
            unmask: id,
            session: session.id,
            by: person.id,
            from_us: form.from_us,
            until_us,
            reason_sha256: hex(&Sha256::digest(form.reason.as_str())),
            expires_at: text(expires_at),
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
        store::tell(&mut *tx, Change::Unmask(id)).await?;
        let asked = store::unmasks::by_id(&mut *tx, id).await?.ok_or(StoreError::Damaged("unmask"))?;
        self.commit(tx).await?;
        Ok(asked)
    }

    /// Only by the one who asked, while it waits or is open. What was released is forgotten by whoever holds it.
    pub async fn withdraw_unmask(&self, person: &Person, id: UnmaskId) -> Result<(), UnmaskError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let held = store::unmasks::held(&mut tx, id).await?.filter(|r| r.requester == person.id).ok_or(UnmaskError::NoSuchUnmask)?;
        if !matches!(held.state, UnmaskState::Pending | UnmaskState::Approved) {
            return Err(UnmaskError::Answered);
        }
        if held.expires_at <= now {
            return Err(UnmaskError::Over);
        }
        store::unmasks::set_state(&mut *tx, id, UnmaskState::Withdrawn).await?;
        let event = AuditEvent::UnmaskWithdrawn { unmask: id, session: held.session, by: person.id };
        record::write(&mut tx, event, Some(person.id), now).await?;
        store::tell(&mut *tx, Change::Unmask(id)).await?;
        self.commit(tx).await?;
        Ok(())
    }
}
