//! Did the person break the glass for exactly this, and does the log say that it was an emergency?
use super::story::{enrolled, ensure, hashes, signed};
use crate::{
    clock::{hex, text},
    evidence::Evidence,
};
use anteroom_domain::{
    AuditEvent, AuditRecord, RequestState,
    audit::BreakGlassEvent,
    content::{BreakGlassContent, Signable},
};
use sha2::{Digest, Sha256};

/// The signature that stands in an approval's place says itself what it is; what it is worth is checked below.
pub(super) fn is(e: &Evidence) -> bool {
    e.approval.domain == BreakGlassContent::DOMAIN
}

pub(super) fn handle(e: &Evidence) -> Option<String> {
    serde_json::from_str::<BreakGlassContent>(&e.approval.content).ok().map(|c| c.person_handle.to_string())
}

pub(super) fn check(e: &Evidence) -> Result<String, String> {
    let c: BreakGlassContent = signed(&e.approval)?;
    let r = &e.request;
    ensure(e.more_approvals.is_empty() && r.state == RequestState::Approved && r.asks.is_plain(), "an emergency has one signature")?;
    let same = c.request == r.id
        && c.person == r.requester
        && c.source == r.source
        && c.target == r.target
        && c.target_name == r.target_name
        && c.account == r.account
        && c.capabilities == r.capabilities
        && c.reason == r.reason
        && c.from == r.from
        && c.until == r.until;
    ensure(same, "what was signed is not what the request says")?;
    Ok(format!("nobody approved it: {} broke the glass to reach {}@{} until {}", c.person_handle, c.account, c.target_name, text(c.until)))
}

/// The log has it as an emergency, with this signature, and the passkey is this person's.
pub(super) fn told(e: &Evidence, records: &[AuditRecord]) -> Result<(), String> {
    let (content, assertion) = hashes(&e.approval)?;
    let (r, g) = (&e.request, &e.grant);
    let reason = hex(&Sha256::digest(r.reason.as_str()));
    let broken = records.iter().any(|x| {
        matches!(&x.event, AuditEvent::BreakGlass(BreakGlassEvent::Broken { request, grant, person, target, account, until, reason_sha256, source, content_sha256, evidence_sha256 })
            if *request == r.id && *grant == g.id && *person == r.requester && *target == r.target && *account == r.account
            && *until == text(r.until) && *reason_sha256 == reason && *source == r.source
            && *content_sha256 == content && *evidence_sha256 == assertion)
    });
    ensure(broken, "no entry says that this was an emergency with this signature")?;
    enrolled(records, r.requester, &e.approval).ok_or("no entry says that the passkey that signed is this person's")?;
    Ok(())
}
