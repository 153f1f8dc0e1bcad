//! A passkey for one SSH connection: its signature holds the SSH session id, address, target and number (invariant 9).
use crate::{
    Approvals, AskStepUp, Change, SignError, SignStart, StepUpAsked, StepUpError, StepUpState, StepUpView, StoreError,
    audit::record,
    clock::{self, hex},
    identity::signing::{self, nonce},
    store::{self, ceremonies::Kind, step_ups::StepUp},
};
use anteroom_domain::{
    AuditEvent, CeremonyId, Person, PersonId, StepUpId, TargetName,
    content::{Nonce, StepUpContent},
};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;
use webauthn_rs_proto::PublicKeyCredential;

/// How long a terminal waits for its passkey.
const WAIT: time::Duration = time::Duration::minutes(2);
/// Connections of one person that wait at the same time: somebody with a stolen key shall not flood the real owner.
const MAX_WAITING: i64 = 5;
/// NOTIFY wakes at once; this is for when it can't.
const POLL: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    step_up: StepUpId,
    nonce: Nonce,
}

/// Two times three digits, without bias.
pub(crate) fn number() -> String {
    loop {
        let n = u32::from_be_bytes(clock::random::<4>());
        if n < u32::MAX - u32::MAX % 1_000_000 {
            return format!("{:03} {:03}", n / 1_000 % 1_000, n % 1_000);
        }
    }
}

fn content(s: &StepUp, nonce: Nonce) -> StepUpContent {
    StepUpContent {
        v: 1,
        step_up: s.id,
        person: s.person,
        ssh_session_id: hex(&s.ssh_session_id),
        ssh_key_fingerprint: s.fingerprint.clone(),
        target_name: s.target.clone(),
        account: s.account.clone(),
        source: s.source.clone(),
        number: s.number.clone(),
        at: s.asked_at,
        nonce,
    }
}

impl Approvals {
    /// Asks the person's passkey to confirm this connection.
    pub async fn ask_step_up(&self, ask: AskStepUp) -> Result<StepUpAsked, StepUpError> {
        let person = self.fresh(ask.person).await?;
        let now = clock::now();
        // The id is the link's secret part, so all of it is random.
        let s = StepUp::new(ask, StepUpId(Uuid::new_v4()), number(), now, now + WAIT);
        let mut tx = self.begin().await?;
        if store::step_ups::waiting_of(&mut *tx, person.id, now).await? >= MAX_WAITING {
            return Err(StepUpError::TooMany);
        }
        store::step_ups::insert(&mut *tx, &s).await?;
        let event = AuditEvent::StepUpAsked { step_up: s.id, person: person.id, target: s.target.clone(), source: s.source.clone() };
        record::write(&mut tx, event, Some(person.id), now).await?;
        store::tell(&mut *tx, Change::StepUp(s.id)).await?;
        self.commit(tx).await?;
        Ok(StepUpAsked { id: s.id, number: s.number, expires_at: s.expires_at })
    }

    /// Only its own person sees it.
    pub async fn step_up(&self, person: &Person, id: StepUpId) -> Result<Option<StepUpView>, StoreError> {
        let found = store::step_ups::by_id(&self.inner.pool, id).await?.filter(|s| s.person == person.id);
        Ok(found.map(|s| {
            let state = s.state(clock::now());
            StepUpView {
                id: s.id,
                number: s.number,
                target: s.target,
                account: s.account,
                source: s.source,
                fingerprint: s.fingerprint,
                asked_at: s.asked_at,
                expires_at: s.expires_at,
                state,
            }
        }))
    }

    pub async fn begin_step_up(&self, person: &Person, id: StepUpId) -> Result<SignStart, StepUpError> {
        let person = self.fresh(person.id).await?;
        let found = store::step_ups::by_id(&self.inner.pool, id).await?.filter(|s| s.person == person.id);
        let s = found.ok_or(StepUpError::NoSuchStepUp)?;
        if s.state(clock::now()) != StepUpState::Pending {
            return Err(StepUpError::Over);
        }
        let subject = Subject { step_up: id, nonce: nonce() };
        let content = content(&s, subject.nonce.clone());
        Ok(self.begin_signing(Kind::StepUp, person.id, &subject, &content).await?)
    }

    pub async fn finish_step_up(&self, person: &Person, ceremony: CeremonyId, credential: &PublicKeyCredential) -> Result<(), StepUpError> {
        let (taken, shown) = self.take_signing::<Subject>(Kind::StepUp, person.id, ceremony).await?;
        let (now, id) = (clock::now(), taken.subject.step_up);
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, person.id).await?.filter(|p| !p.is_suspended()).ok_or(SignError::Suspended)?;
        let found = store::step_ups::by_id(&mut *tx, id).await?.filter(|s| s.person == person.id);
        let s = found.ok_or(StepUpError::NoSuchStepUp)?;
        if s.state(now) != StepUpState::Pending || signing::text(&content(&s, taken.subject.nonce))? != shown {
            return Err(StepUpError::Over);
        }
        let signed = self.accept::<StepUpContent>(&mut tx, person.id, &taken.state, &shown, credential, now).await?;
        if !store::step_ups::pass(&mut *tx, id, &signed.evidence, now).await? {
            return Err(StepUpError::Over);
        }
        let event = AuditEvent::StepUpPassed {
            step_up: id,
            person: person.id,
            content_sha256: hex(&signed.content_sha256),
            evidence_sha256: hex(&signed.evidence.sha256),
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
        store::tell(&mut *tx, Change::StepUp(id)).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// "That is not me." The connection is told at once.
    pub async fn refuse_step_up(&self, person: &Person, id: StepUpId) -> Result<(), StepUpError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let found = store::step_ups::by_id(&mut *tx, id).await?.filter(|s| s.person == person.id);
        let s = found.ok_or(StepUpError::NoSuchStepUp)?;
        if !store::step_ups::refuse(&mut *tx, id, person.id, now).await? {
            return Err(StepUpError::Over);
        }
        let event = AuditEvent::AccessRefused {
            person: Some(person.id),
            target: s.target.into(),
            source: s.source,
            why: "the person said at the passkey page that this connection is not theirs".into(),
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
        store::tell(&mut *tx, Change::StepUp(id)).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// Waits for an answer, `max` at most; then says `Pending`. An unknown id counts as expired.
    pub async fn wait_step_up(&self, id: StepUpId, max: Duration) -> Result<StepUpState, StoreError> {
        let mut changes = self.changes();
        let end = Instant::now() + max;
        loop {
            let found = store::step_ups::by_id(&self.inner.pool, id).await?;
            let state = found.map_or(StepUpState::Expired, |s| s.state(clock::now()));
            if state != StepUpState::Pending || Instant::now() >= end {
                return Ok(state);
            }
            let told = async {
                loop {
                    match changes.recv().await {
                        Ok(Change::StepUp(this)) if this == id => return,
                        Ok(Change::Resync) | Err(_) => return sleep(POLL).await,
                        Ok(_) => {}
                    }
                }
            };
            let wake = end.min(Instant::now() + POLL);
            // Either way the database is asked again.
            let _ = timeout_at(wake, told).await;
        }
    }

    /// Whether policy lets an earlier step-up of this key from this address to this target count.
    pub async fn step_up_remembered(
        &self,
        person: PersonId,
        fingerprint: &str,
        source: IpAddr,
        target: &TargetName,
    ) -> Result<bool, StoreError> {
        let Some(since) = self.remembered_since(clock::now()) else { return Ok(false) };
        let source = source.to_string();
        store::step_ups::passed_since(&self.inner.pool, person, Some(fingerprint), &source, target.as_str(), since)
            .await
            .map(|at| at.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_two_times_three_digits() {
        for _ in 0..1_000 {
            let n = number();
            assert!(n.len() == 7 && n.as_bytes()[3] == b' ' && n.replace(' ', "").bytes().all(|b| b.is_ascii_digit()), "{n}");
        }
    }
}
