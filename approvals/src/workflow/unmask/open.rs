//! The requester opens what two key-holders approved: one more touch, over a key that was made for this one viewing. It is in the log, and
//! committed, before anybody asks the unsealer.
use super::{key_of, seen_keys};
use crate::{
    Approvals, Change, SignStart, UnmaskError, UnmaskOpened,
    audit::record,
    clock::{self, hex, text},
    evidence::AssertionEvidence,
    identity::signing::{self, nonce},
    store::{self, ceremonies::Kind},
};
use anteroom_domain::{
    AuditEvent, CanonicalText, CeremonyId, Moment, Person, UnmaskId, UnmaskRequest, UnmaskState,
    content::{Nonce, UnmaskOpening, Verdict},
    unmask::HOLDERS_NEEDED,
};
use anteroom_policy::{Action, may};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use webauthn_rs_proto::PublicKeyCredential;

/// What has to survive between begin and finish; everything else is read again.
#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    unmask: UnmaskId,
    recipient: CanonicalText,
    #[serde(with = "time::serde::rfc3339")]
    at: Moment,
    nonce: Nonce,
}

/// What is opened, and with what right.
struct Case {
    request: UnmaskRequest,
    requester: Person,
    /// Who approved, as they are now.
    holders: Vec<Person>,
    approvals: Vec<AssertionEvidence>,
}

impl Case {
    fn check(&self, now: Moment) -> Result<(), UnmaskError> {
        if !may(&self.requester, Action::AskUnmask) {
            return Err(UnmaskError::NotAllowed);
        }
        match self.request.state {
            UnmaskState::Pending => return Err(UnmaskError::NotApproved),
            UnmaskState::Denied | UnmaskState::Withdrawn => return Err(UnmaskError::Answered),
            UnmaskState::Approved => {}
        }
        if self.request.expires_at <= now {
            return Err(UnmaskError::Over);
        }
        if self.holders.len() < HOLDERS_NEEDED || self.holders.iter().any(|h| h.id == self.request.requester) {
            return Err(UnmaskError::NotApproved);
        }
        if !self.holders.iter().all(|h| may(h, Action::ReviewUnmask)) {
            return Err(UnmaskError::HolderGone);
        }
        Ok(())
    }

    /// The requester's passkeys that every approval names. The unsealer takes no other.
    fn known_keys(&self) -> BTreeSet<String> {
        self.approvals.iter().map(|a| seen_keys(a).unwrap_or_default()).reduce(|a, b| &a & &b).unwrap_or_default()
    }

    fn content(&self, s: &Subject) -> UnmaskOpening {
        let r = &self.request;
        UnmaskOpening {
            v: 1,
            unmask: r.id,
            session: r.session,
            from_us: r.from_us,
            until_us: r.until_us,
            requester: self.requester.id,
            recipient: s.recipient.clone(),
            at: s.at,
            nonce: s.nonce.clone(),
        }
    }
}

/// Reads the case and holds its rows until the transaction ends.
async fn hold(tx: &mut sqlx::PgConnection, unmask: UnmaskId, person: &Person) -> Result<Case, UnmaskError> {
    let requester = store::people::held(&mut *tx, person.id).await?.ok_or(UnmaskError::NotAllowed)?;
    let request = store::unmasks::held(&mut *tx, unmask).await?.ok_or(UnmaskError::NoSuchUnmask)?;
    let (mut holders, mut approvals) = (Vec::new(), Vec::new());
    for (answer, evidence) in store::unmasks::answers(&mut *tx, unmask).await? {
        if answer.verdict == Verdict::Approve {
            holders.extend(store::people::held(&mut *tx, answer.holder).await?);
            approvals.push(store::evidence::by_id(&mut *tx, evidence).await?);
        }
    }
    Ok(Case { request, requester, holders, approvals })
}

impl Approvals {
    /// `recipient` is the line of a fresh public key: what is released is wrapped to it alone.
    pub async fn begin_unmask_opening(&self, person: &Person, unmask: UnmaskId, recipient: String) -> Result<SignStart, UnmaskError> {
        let subject = Subject { unmask, recipient, at: clock::now(), nonce: nonce() };
        let begun = async {
            let mut tx = self.begin().await?;
            let case = hold(&mut tx, unmask, person).await?;
            self.not_somebody_elses(&case.request, person).await?;
            case.check(subject.at)?;
            let known = case.known_keys();
            let mut passkeys = store::passkeys::of(&mut *tx, person.id).await?;
            passkeys.retain(|c| key_of(c).is_some_and(|k| known.contains(&k)));
            if passkeys.is_empty() {
                return Err(UnmaskError::NoKnownKey);
            }
            Ok((case, passkeys))
        };
        match begun.await {
            Ok((case, passkeys)) => {
                Ok(self.begin_signing_with(Kind::UnmaskOpen, person.id, passkeys, &subject, &case.content(&subject)).await?)
            }
            Err(e) => {
                self.note_refused_unmask(unmask, person, &e).await;
                Err(e)
            }
        }
    }

    /// Evidence and audit line are committed when this returns: only then may the unsealer be asked.
    pub async fn finish_unmask_opening(
        &self,
        person: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<UnmaskOpened, UnmaskError> {
        let (taken, content) = self.take_signing::<Subject>(Kind::UnmaskOpen, person.id, ceremony).await?;
        let unmask = taken.subject.unmask;
        let done = self.open_unmask(person, taken, content, credential).await;
        if let Err(e) = &done {
            self.note_refused_unmask(unmask, person, e).await;
        }
        done
    }

    async fn open_unmask(
        &self,
        person: &Person,
        taken: signing::Signing<Subject>,
        content: String,
        credential: &PublicKeyCredential,
    ) -> Result<UnmaskOpened, UnmaskError> {
        let (now, s) = (clock::now(), taken.subject);
        let mut tx = self.begin().await?;
        let case = hold(&mut tx, s.unmask, person).await?;
        self.not_somebody_elses(&case.request, person).await?;
        case.check(now)?;
        if signing::text(&case.content(&s))? != content {
            return Err(UnmaskError::Changed);
        }
        let by = case.requester.id;
        let signed = self.accept::<UnmaskOpening>(&mut tx, by, &taken.state, &content, credential, now).await?;
        if !signed.assertion.key_sha256().is_some_and(|k| case.known_keys().contains(&k)) {
            return Err(UnmaskError::NoKnownKey);
        }
        store::unmasks::insert_opening(&mut *tx, s.unmask, &signed.evidence, now).await?;
        let event = AuditEvent::UnmaskOpened {
            unmask: s.unmask,
            session: case.request.session,
            by,
            content_sha256: hex(&signed.content_sha256),
            evidence_sha256: hex(&signed.evidence.sha256),
        };
        record::write(&mut tx, event, Some(by), now).await?;
        store::tell(&mut *tx, Change::Unmask(s.unmask)).await?;
        self.commit(tx).await?;
        tracing::info!(unmask = %s.unmask, session = %case.request.session, until = text(case.request.expires_at), "an interval is opened unmasked");
        Ok(UnmaskOpened { request: case.request, approvals: case.approvals, opening: signed.assertion })
    }

    /// For the person it is as if it did not exist; for the log it is not.
    async fn not_somebody_elses(&self, request: &UnmaskRequest, person: &Person) -> Result<(), UnmaskError> {
        if request.requester == person.id {
            return Ok(());
        }
        self.note_unmask_refused(request.id, person.id, "somebody else asked for this and may open it".into()).await;
        Err(UnmaskError::NoSuchUnmask)
    }
}
