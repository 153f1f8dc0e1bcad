//! Looking at it afterwards: another person signs what they found, over the sessions that ran under it.
use crate::{
    Approvals, BreakGlassError, Change, SignStart,
    audit::record,
    clock::{self, hex},
    identity::signing::{self, nonce},
    store::{self, ceremonies::Kind},
};
use anteroom_domain::{
    AuditEvent, BreakGlass, CeremonyId, Person, Reason, RequestId,
    audit::BreakGlassEvent,
    break_glass::Reviewed,
    content::{BreakGlassReview, Finding, Nonce},
};
use anteroom_policy::{
    Action,
    aftermath::{self, NoReview},
    may,
};
use serde::{Deserialize, Serialize};
use webauthn_rs_proto::PublicKeyCredential;

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    request: RequestId,
    finding: Finding,
    findings: Reason,
    nonce: Nonce,
}

fn content(reviewer: &Person, glass: &BreakGlass, s: &Subject) -> BreakGlassReview {
    BreakGlassReview {
        v: 1,
        request: glass.request,
        person: glass.person,
        person_handle: glass.person_handle.clone(),
        reviewer: reviewer.id,
        reviewer_handle: reviewer.handle.clone(),
        target_name: glass.target_name.clone(),
        account: glass.account.clone(),
        reason: glass.reason.clone(),
        sessions: glass.sessions.clone(),
        finding: s.finding,
        findings: s.findings.clone(),
        nonce: s.nonce.clone(),
    }
}

impl Approvals {
    pub async fn begin_glass_review(
        &self,
        reviewer: &Person,
        request: RequestId,
        finding: Finding,
        findings: Reason,
    ) -> Result<SignStart, BreakGlassError> {
        let mut tx = self.begin().await?;
        let (reviewer, glass) = look(&mut tx, reviewer, request).await?;
        drop(tx);
        aftermath::review(&reviewer, &glass, clock::now())?;
        let subject = Subject { request, finding, findings, nonce: nonce() };
        let content = content(&reviewer, &glass, &subject);
        Ok(self.begin_signing(Kind::BreakGlassReview, reviewer.id, &subject, &content).await?)
    }

    pub async fn finish_glass_review(
        &self,
        reviewer: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<RequestId, BreakGlassError> {
        let (taken, text) = self.take_signing::<Subject>(Kind::BreakGlassReview, reviewer.id, ceremony).await?;
        let (now, s) = (clock::now(), taken.subject);
        let mut tx = self.begin().await?;
        let (reviewer, glass) = look(&mut tx, reviewer, s.request).await?;
        aftermath::review(&reviewer, &glass, now)?;
        // Another session, for instance one that began in the last second: look again.
        if signing::text(&content(&reviewer, &glass, &s))? != text {
            return Err(BreakGlassError::Changed);
        }
        let signed = self.accept::<BreakGlassReview>(&mut tx, reviewer.id, &taken.state, &text, credential, now).await?;
        let review = Reviewed { by: reviewer.id, at: now, finding: s.finding, findings: s.findings };
        if !store::break_glass::close(&mut *tx, s.request, &review, &signed.evidence).await? {
            return Err(NoReview::Reviewed.into());
        }
        let event = BreakGlassEvent::Reviewed {
            request: s.request,
            person: glass.person,
            by: reviewer.id,
            finding: s.finding.as_str().into(),
            content_sha256: hex(&signed.content_sha256),
            evidence_sha256: hex(&signed.evidence.sha256),
        };
        record::write(&mut tx, AuditEvent::BreakGlass(event), Some(reviewer.id), now).await?;
        store::tell(&mut *tx, Change::Request(s.request)).await?;
        self.commit(tx).await?;
        Ok(s.request)
    }
}

/// Who may not review learns nothing of what there is.
async fn look(tx: &mut sqlx::PgConnection, reviewer: &Person, request: RequestId) -> Result<(Person, BreakGlass), BreakGlassError> {
    let reviewer = store::people::held(&mut *tx, reviewer.id).await?.filter(|p| may(p, Action::ReviewBreakGlass));
    let reviewer = reviewer.ok_or(BreakGlassError::NotAllowed)?;
    let glass = store::break_glass::held(tx, request).await?.ok_or(BreakGlassError::NoSuch)?;
    Ok((reviewer, glass))
}
