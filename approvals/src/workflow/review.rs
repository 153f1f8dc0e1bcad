//! Answering a request: somebody else's passkey signs exactly what the request says (invariant 8).
use crate::{
    Approvals, Change, ReviewError, SignError, SignStart, StoreError,
    audit::record,
    clock::{self, hex, text},
    identity::signing::{self, nonce},
    store::{self, ceremonies::Kind},
};
use anteroom_domain::{
    AccessRequest, AccountId, AuditEvent, CeremonyId, Grant, Moment, Person, RequestId, RequestState, Target,
    content::{ApprovalContent, Nonce, Verdict},
};
use anteroom_policy::{Action, may};
use serde::{Deserialize, Serialize};
use webauthn_rs_proto::PublicKeyCredential;

/// What has to survive between begin and finish; everything else is read again.
#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    request: RequestId,
    verdict: Verdict,
    nonce: Nonce,
}

/// Everybody and everything an answer is about, as they are now.
struct Case {
    request: AccessRequest,
    account: AccountId,
    requester: Person,
    approver: Person,
    target: Target,
}

impl Case {
    /// The rules. Asked when a review begins and again, with the rows held, when it ends.
    fn check(&self, verdict: Verdict, now: Moment) -> Result<(), ReviewError> {
        if !may(&self.approver, Action::ReviewRequests) {
            return Err(ReviewError::NotAllowed);
        }
        if self.request.requester == self.approver.id {
            return Err(ReviewError::OwnRequest);
        }
        if self.request.state != RequestState::Pending {
            return Err(ReviewError::Answered);
        }
        if verdict == Verdict::Approve {
            if !may(&self.requester, Action::RequestAccess) {
                return Err(ReviewError::RequesterSuspended);
            }
            if self.request.until <= now {
                return Err(ReviewError::Over);
            }
        }
        Ok(())
    }

    fn content(&self, verdict: Verdict, nonce: Nonce) -> ApprovalContent {
        let r = &self.request;
        ApprovalContent {
            v: 1,
            verdict,
            request: r.id,
            requester: r.requester,
            requester_handle: self.requester.handle.clone(),
            requester_source: r.source.clone(),
            approver: self.approver.id,
            approver_handle: self.approver.handle.clone(),
            target: r.target,
            target_name: r.target_name.clone(),
            target_kind: self.target.kind,
            account: r.account.clone(),
            capabilities: r.capabilities.clone(),
            reason: r.reason.clone(),
            from: r.from,
            until: r.until,
            nonce,
        }
    }

    fn grant(&self) -> Grant {
        let r = &self.request;
        Grant {
            id: clock::new_id(),
            request: r.id,
            person: r.requester,
            target: r.target,
            target_name: r.target_name.clone(),
            account: self.account,
            account_name: r.account.clone(),
            capabilities: r.capabilities.clone(),
            obligations: r.obligations.clone(),
            not_before: r.from,
            not_after: r.until,
            revoked_at: None,
        }
    }
}

/// Reads the case and holds its rows until the transaction ends: nobody answers, suspends or withdraws meanwhile.
async fn hold(tx: &mut sqlx::PgConnection, request: RequestId, approver: &Person) -> Result<Case, ReviewError> {
    let approver = store::people::held(&mut *tx, approver.id).await?.ok_or(ReviewError::NotAllowed)?;
    // Before the request is looked at: who may not review learns nothing of what exists.
    if !may(&approver, Action::ReviewRequests) {
        return Err(ReviewError::NotAllowed);
    }
    let (request, account) = store::requests::held(&mut *tx, request).await?.ok_or(ReviewError::NoSuchRequest)?;
    let damaged = || StoreError::Damaged("access_request");
    let requester = store::people::held(&mut *tx, request.requester).await?.ok_or_else(damaged)?;
    let target = store::targets::by_id(&mut *tx, request.target).await?.ok_or_else(damaged)?;
    Ok(Case { request, account, requester, approver, target })
}

impl Approvals {
    /// The content to show and the options for the passkey that signs it.
    pub async fn begin_review(&self, approver: &Person, request: RequestId, verdict: Verdict) -> Result<SignStart, ReviewError> {
        let mut tx = self.begin().await?;
        let case = hold(&mut tx, request, approver).await?;
        let checked = case.check(verdict, clock::now());
        drop(tx);
        if let Err(e) = checked {
            self.note_refused_review(request, approver, &e).await;
            return Err(e);
        }
        let subject = Subject { request, verdict, nonce: nonce() };
        let content = case.content(verdict, subject.nonce.clone());
        Ok(self.begin_signing(Kind::Review, approver.id, &subject, &content).await?)
    }

    /// The grant, if the verdict was to approve. The request, the signature and the grant are one transaction.
    pub async fn finish_review(
        &self,
        approver: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<Option<Grant>, ReviewError> {
        let (taken, content) = self.take_signing::<Subject>(Kind::Review, approver.id, ceremony).await?;
        let request = taken.subject.request;
        let done = self.decide(approver, taken, content, credential).await;
        if let Err(e) = &done {
            self.note_refused_review(request, approver, e).await;
        }
        done
    }

    async fn decide(
        &self,
        approver: &Person,
        taken: signing::Signing<Subject>,
        content: String,
        credential: &PublicKeyCredential,
    ) -> Result<Option<Grant>, ReviewError> {
        let (now, s) = (clock::now(), taken.subject);
        let mut tx = self.begin().await?;
        let case = hold(&mut tx, s.request, approver).await?;
        case.check(s.verdict, now)?;
        // What would be shown now is what was shown then, to the byte.
        if signing::text(&case.content(s.verdict, s.nonce))? != content {
            return Err(ReviewError::Changed);
        }
        let signed = self.accept::<ApprovalContent>(&mut tx, case.approver.id, &taken.state, &content, credential, now).await?;
        let state = match s.verdict {
            Verdict::Approve => RequestState::Approved,
            Verdict::Deny => RequestState::Denied,
        };
        if !store::requests::answer(&mut *tx, s.request, state).await? {
            return Err(ReviewError::Answered);
        }
        let approval = store::requests::NewApproval {
            id: clock::new_id(),
            request: s.request,
            requester: case.requester.id,
            approver: case.approver.id,
            verdict: s.verdict,
            at: now,
        };
        store::requests::insert_approval(&mut *tx, &approval, &signed.evidence).await?;
        let (request, approver) = (s.request, case.approver.id);
        let (content_sha256, evidence_sha256) = (hex(&signed.content_sha256), hex(&signed.evidence.sha256));
        let event = match s.verdict {
            Verdict::Approve => AuditEvent::RequestApproved { request, approver, content_sha256, evidence_sha256 },
            Verdict::Deny => AuditEvent::RequestDenied { request, approver, content_sha256, evidence_sha256 },
        };
        record::write(&mut tx, event, Some(approver), now).await?;
        let grant = match s.verdict {
            Verdict::Approve => Some(case.grant()),
            Verdict::Deny => None,
        };
        if let Some(g) = &grant {
            store::grants::insert(&mut *tx, g).await?;
            let event = AuditEvent::GrantMade {
                grant: g.id,
                request,
                person: g.person,
                target: g.target,
                account: g.account_name.clone(),
                not_before: text(g.not_before),
                not_after: text(g.not_after),
            };
            record::write(&mut tx, event, Some(approver), now).await?;
        }
        store::tell(&mut *tx, Change::Request(request)).await?;
        self.commit(tx).await?;
        Ok(grant)
    }

    async fn note_refused_review(&self, request: RequestId, approver: &Person, e: &ReviewError) {
        if matches!(e, ReviewError::Sign(SignError::Store(_) | SignError::NoPasskey) | ReviewError::NoSuchRequest) {
            return;
        }
        let event = AuditEvent::ReviewRefused { request, approver: approver.id, why: e.to_string() };
        self.note(event, Some(approver.id)).await;
    }
}
