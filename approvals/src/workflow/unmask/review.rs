//! A key-holder answers: their passkey signs exactly what is asked for. Two of them have to say yes, one no is enough.
use super::requester_keys;
use crate::{
    Approvals, Change, SignStart, StoreError, UnmaskAnswer, UnmaskError,
    audit::record,
    clock::{self, hex},
    identity::signing::{self, nonce},
    store::{self, ceremonies::Kind},
};
use anteroom_domain::{
    AuditEvent, CeremonyId, Moment, Person, UnmaskId, UnmaskRequest, UnmaskState,
    content::{Nonce, UnmaskContent, Verdict},
    unmask::HOLDERS_NEEDED,
};
use anteroom_policy::{Action, may};
use serde::{Deserialize, Serialize};
use webauthn_rs_proto::PublicKeyCredential;

/// What has to survive between begin and finish; everything else is read again.
#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    unmask: UnmaskId,
    verdict: Verdict,
    nonce: Nonce,
}

/// Everybody and everything an answer is about, as they are now.
struct Case {
    request: UnmaskRequest,
    requester: Person,
    requester_keys: Vec<String>,
    holder: Person,
    answers: Vec<UnmaskAnswer>,
}

impl Case {
    /// The rules. Asked when a review begins and again, with the rows held, when it ends.
    fn check(&self, verdict: Verdict, now: Moment) -> Result<(), UnmaskError> {
        if !may(&self.holder, Action::ReviewUnmask) {
            return Err(UnmaskError::NotHolder);
        }
        if self.request.requester == self.holder.id {
            return Err(UnmaskError::OwnRequest);
        }
        if self.answers.iter().any(|a| a.holder == self.holder.id) {
            return Err(UnmaskError::Twice);
        }
        if self.request.state != UnmaskState::Pending {
            return Err(UnmaskError::Answered);
        }
        if self.request.expires_at <= now {
            return Err(UnmaskError::Over);
        }
        if verdict == Verdict::Approve && !may(&self.requester, Action::AskUnmask) {
            return Err(UnmaskError::RequesterGone);
        }
        Ok(())
    }

    fn content(&self, verdict: Verdict, nonce: Nonce) -> UnmaskContent {
        let r = &self.request;
        UnmaskContent {
            v: 1,
            verdict,
            unmask: r.id,
            session: r.session,
            header_sha256: r.header_sha256.clone(),
            session_person: r.session_person.clone(),
            session_target: r.session_target.clone(),
            session_started_at: r.session_started_at,
            from_us: r.from_us,
            until_us: r.until_us,
            requester: r.requester,
            requester_handle: self.requester.handle.clone(),
            requester_keys: self.requester_keys.clone(),
            holder: self.holder.id,
            holder_handle: self.holder.handle.clone(),
            reason: r.reason.clone(),
            expires_at: r.expires_at,
            nonce,
        }
    }
}

/// Reads the case and holds its rows until the transaction ends: nobody answers, suspends or withdraws meanwhile.
async fn hold(tx: &mut sqlx::PgConnection, unmask: UnmaskId, holder: &Person) -> Result<Case, UnmaskError> {
    let holder = store::people::held(&mut *tx, holder.id).await?.ok_or(UnmaskError::NotHolder)?;
    let Some(request) = store::unmasks::held(&mut *tx, unmask).await? else {
        // Who may not review learns nothing of what exists.
        return Err(if may(&holder, Action::ReviewUnmask) { UnmaskError::NoSuchUnmask } else { UnmaskError::NotHolder });
    };
    let requester = store::people::held(&mut *tx, request.requester).await?.ok_or(StoreError::Damaged("unmask"))?;
    let requester_keys = requester_keys(&store::passkeys::of(&mut *tx, requester.id).await?)?.into_iter().collect();
    let answers = store::unmasks::answers(&mut *tx, unmask).await?.into_iter().map(|(a, _)| a).collect();
    Ok(Case { request, requester, requester_keys, holder, answers })
}

impl Approvals {
    /// The content to show and the options for the passkey that signs it.
    pub async fn begin_unmask_review(&self, holder: &Person, unmask: UnmaskId, verdict: Verdict) -> Result<SignStart, UnmaskError> {
        let case = async {
            let mut tx = self.begin().await?;
            let case = hold(&mut tx, unmask, holder).await?;
            case.check(verdict, clock::now())?;
            Ok(case)
        };
        match case.await {
            Ok(case) => {
                let subject = Subject { unmask, verdict, nonce: nonce() };
                let content = case.content(verdict, subject.nonce.clone());
                Ok(self.begin_signing(Kind::UnmaskReview, holder.id, &subject, &content).await?)
            }
            Err(e) => {
                self.note_refused_unmask(unmask, holder, &e).await;
                Err(e)
            }
        }
    }

    /// The request's state afterwards: it waits still after the first of two approvals.
    pub async fn finish_unmask_review(
        &self,
        holder: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<UnmaskState, UnmaskError> {
        let (taken, content) = self.take_signing::<Subject>(Kind::UnmaskReview, holder.id, ceremony).await?;
        let unmask = taken.subject.unmask;
        let done = self.decide_unmask(holder, taken, content, credential).await;
        if let Err(e) = &done {
            self.note_refused_unmask(unmask, holder, e).await;
        }
        done
    }

    async fn decide_unmask(
        &self,
        holder: &Person,
        taken: signing::Signing<Subject>,
        content: String,
        credential: &PublicKeyCredential,
    ) -> Result<UnmaskState, UnmaskError> {
        let (now, s) = (clock::now(), taken.subject);
        let mut tx = self.begin().await?;
        let case = hold(&mut tx, s.unmask, holder).await?;
        case.check(s.verdict, now)?;
        // What would be shown now is what was shown then, to the byte.
        if signing::text(&case.content(s.verdict, s.nonce))? != content {
            return Err(UnmaskError::Changed);
        }
        let holder = case.holder.id;
        let signed = self.accept::<UnmaskContent>(&mut tx, holder, &taken.state, &content, credential, now).await?;
        let answer = store::unmasks::NewAnswer { unmask: s.unmask, requester: case.requester.id, holder, verdict: s.verdict, at: now };
        store::unmasks::insert_answer(&mut *tx, &answer, &signed.evidence).await?;
        let (unmask, session) = (s.unmask, case.request.session);
        let (content_sha256, evidence_sha256) = (hex(&signed.content_sha256), hex(&signed.evidence.sha256));
        let (state, event) = match s.verdict {
            Verdict::Approve => {
                // A denial ends it, so whoever answered before said yes.
                let state = if case.answers.len() + 1 >= HOLDERS_NEEDED { UnmaskState::Approved } else { UnmaskState::Pending };
                (state, AuditEvent::UnmaskApproved { unmask, session, holder, content_sha256, evidence_sha256 })
            }
            Verdict::Deny => (UnmaskState::Denied, AuditEvent::UnmaskDenied { unmask, session, holder, content_sha256, evidence_sha256 }),
        };
        store::unmasks::set_state(&mut *tx, unmask, state).await?;
        record::write(&mut tx, event, Some(holder), now).await?;
        store::tell(&mut *tx, Change::Unmask(unmask)).await?;
        self.commit(tx).await?;
        Ok(state)
    }
}
