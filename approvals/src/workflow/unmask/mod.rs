//! Seeing an interval of a recording as it was: asked by an auditor, approved by two key-holders, opened by the auditor. Everything the
//! unsealer believes is signed here; that it believes nothing else is its own business.
mod ask;
mod open;
mod review;
mod told;

use crate::{
    Approvals, Listing, Page, SignError, StoreError, UnmaskAnswer, UnmaskError, UnmaskFilter, UnmaskView, clock,
    evidence::AssertionEvidence, store,
};
use anteroom_assertion::key_sha256;
use anteroom_domain::{
    AuditEvent, Person, PersonId, UnmaskId, UnmaskRequest,
    content::{UnmaskContent, Verdict},
};
use std::collections::BTreeSet;
use webauthn_rs_core::proto::Credential;

impl Approvals {
    /// With everything its page shows. Whose it is, is for the caller to look at.
    pub async fn unmask(&self, id: UnmaskId) -> Result<Option<UnmaskView>, StoreError> {
        let db = &self.inner.pool;
        let Some(request) = store::unmasks::by_id(db, id).await? else { return Ok(None) };
        let answered = store::unmasks::answers(db, id).await?;
        let mut approvals = Vec::new();
        for (_, evidence) in answered.iter().filter(|(a, _)| a.verdict == Verdict::Approve) {
            approvals.push(store::evidence::by_id(db, *evidence).await?);
        }
        let now = requester_keys(&store::passkeys::of(db, request.requester).await?)?;
        let keys_changed = approvals.iter().any(|a| seen_keys(a).is_none_or(|seen| seen != now));
        let answers: Vec<UnmaskAnswer> = answered.into_iter().map(|(a, _)| a).collect();
        let openings = store::unmasks::openings(db, id).await?.into_iter().map(|(at, _)| at).collect();
        Ok(Some(UnmaskView { request, answers, openings, keys_changed }))
    }

    /// Newest first; searched by requester, the session's person and target, and reason.
    pub async fn unmasks(&self, filter: UnmaskFilter, page: Page) -> Result<Listing<UnmaskRequest>, StoreError> {
        store::unmasks::list(&self.inner.pool, &filter, page, clock::now()).await
    }

    /// One line for what was tried and is not allowed. Not for what only did not work.
    async fn note_refused_unmask(&self, id: UnmaskId, by: &Person, e: &UnmaskError) {
        if !matches!(e, UnmaskError::Sign(SignError::Store(_) | SignError::NoPasskey) | UnmaskError::NoSuchUnmask) {
            self.note_unmask_refused(id, by.id, e.to_string()).await;
        }
    }

    /// The same in other words; also for what the unsealer refused.
    pub async fn note_unmask_refused(&self, unmask: UnmaskId, by: PersonId, why: String) {
        match store::unmasks::by_id(&self.inner.pool, unmask).await {
            Ok(Some(r)) => self.note(AuditEvent::UnmaskRefused { unmask, session: r.session, by, why }, Some(by)).await,
            Ok(None) => {}
            Err(e) => tracing::warn!(error = %e, %unmask, "a refusal to unmask is not in the audit log"),
        }
    }
}

/// Names of a person's passkeys, sorted, as the content that is signed lists them.
fn requester_keys(passkeys: &[Credential]) -> Result<BTreeSet<String>, StoreError> {
    passkeys.iter().map(|c| key_of(c).ok_or(StoreError::Damaged("passkey"))).collect()
}

fn key_of(c: &Credential) -> Option<String> {
    key_sha256(&serde_json::to_value(&c.cred).ok()?)
}

/// The requester's passkeys that a key-holder saw and signed.
fn seen_keys(approval: &AssertionEvidence) -> Option<BTreeSet<String>> {
    Some(serde_json::from_str::<UnmaskContent>(&approval.content).ok()?.requester_keys.into_iter().collect())
}
