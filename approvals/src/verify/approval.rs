//! Did everybody sign who had to, each exactly what the request says?
use super::story::{enrolled, ensure, hashes, signed};
use crate::{
    clock::text,
    evidence::{AssertionEvidence, Evidence},
};
use anteroom_domain::{
    AuditEvent, AuditRecord, Obligations, RequestState,
    content::{ApprovalContent, Verdict},
};
use anteroom_policy::{Needed, Tally, Voice};

pub(super) fn check(e: &Evidence) -> Result<String, String> {
    if super::emergency::is(e) {
        return super::emergency::check(e);
    }
    if super::card::is(e) {
        return super::card::check(e);
    }
    let contents = e.approvals().map(signed::<ApprovalContent>).collect::<Result<Vec<_>, _>>()?;
    let first = contents.first().ok_or("nobody signed")?;
    ensure(e.request.state == RequestState::Approved, "the request was not approved")?;
    for c in &contents {
        ensure(c.verdict == Verdict::Approve, "the request was not approved")?;
        ensure(c.approver != c.requester && c.stands_for != Some(c.requester), "the requester approved it")?;
        ensure(says(e, c), "what was signed is not what the request says")?;
    }
    enough(e, &contents)?;
    let who = contents.iter().map(|c| c.approver_handle.as_str()).collect::<Vec<_>>().join(" and ");
    let place = format!("{}@{}", e.grant.account_name, e.grant.target_name);
    Ok(format!("{who} signed: {} may reach {place} until {}", first.requester_handle, text(e.grant.not_after)))
}

fn says(e: &Evidence, c: &ApprovalContent) -> bool {
    let r = &e.request;
    c.request == r.id
        && c.requester == r.requester
        && c.requester_source == r.source
        && c.target == r.target
        && c.target_name == r.target_name
        && c.account == r.account
        && c.capabilities == r.capabilities
        && c.reason == r.reason
        && c.from == r.from
        && c.until == r.until
        && c.obligations == r.obligations
        && c.asks == r.asks
        && c.expires_at.is_none_or(|at| Some(at) == r.expires_at)
}

/// All that the obligations name, each over the same words, nobody twice.
fn enough(e: &Evidence, contents: &[ApprovalContent]) -> Result<(), String> {
    let (r, first) = (&e.request, &contents[0]);
    if contents.iter().any(|c| c.v < 2) {
        // It says nothing of obligations, so it cannot stand for a request that has some.
        let plain = contents.len() == 1 && r.obligations == Obligations::default() && r.asks.is_plain();
        return ensure(plain, "an approval of an older form cannot stand for what this request asks");
    }
    let subject = first.subject_sha256().map_err(|_| "the signed content has no canonical form")?;
    let same = contents.iter().all(|c| c.v == 2 && c.subject_sha256().is_ok_and(|s| s == subject));
    ensure(same, "the approvers did not sign the same words")?;
    let voices: Vec<Voice> = contents.iter().map(voice).collect();
    match Needed::new(&r.obligations, r.requester).tally(&voices) {
        Tally::Satisfied => Ok(()),
        Tally::Waiting(missing) => Err(format!("not everybody signed who had to: {} missing", anteroom_policy::listed(&missing))),
        Tally::Denied(_) => Err("the request was denied".into()),
    }
}

fn voice(c: &ApprovalContent) -> Voice {
    Voice { approver: c.approver, stands_for: c.stands_for, groups: c.groups.clone(), companies: c.companies.clone(), verdict: c.verdict }
}

/// The log says of each of them that it was given, by whom and in this order, and whose passkey it was.
pub(super) fn told(e: &Evidence, records: &[AuditRecord]) -> Result<(), String> {
    if super::emergency::is(e) {
        return super::emergency::told(e, records);
    }
    if super::card::is(e) {
        return super::card::told(e, records);
    }
    let mut last = None;
    for a in e.approvals() {
        let (content, assertion) = hashes(a)?;
        let entry = records.iter().find_map(|x| match &x.event {
            AuditEvent::RequestApproved { request, content_sha256, evidence_sha256, approver }
                if *request == e.request.id && *content_sha256 == content && *evidence_sha256 == assertion =>
            {
                Some((*approver, x.at))
            }
            _ => None,
        });
        let (approver, at) = entry.ok_or("no entry says that this was approved with this signature")?;
        let named = read(a).is_some_and(|c| c.approver == approver);
        ensure(named, "the log names another approver than the signed content")?;
        enrolled(records, approver, a).ok_or("no entry says that the passkey that approved is the approver's")?;
        ensure(last.is_none_or(|before| before <= at), "the approvals were given in another order than they stand here")?;
        last = Some(at);
    }
    Ok(())
}

fn read(a: &AssertionEvidence) -> Option<ApprovalContent> {
    serde_json::from_str(&a.content).ok()
}
