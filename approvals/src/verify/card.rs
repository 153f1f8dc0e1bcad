//! An emergency that a sealed card opened: did two officers sign exactly this card, and does the log say that it was used for exactly this?
use super::story::{enrolled, ensure, hashes, signed};
use crate::{
    clock::{hex, text},
    evidence::Evidence,
};
use anteroom_domain::{
    AuditEvent, AuditRecord, CardId, RequestState,
    audit::CardEvent,
    content::{CardContent, Signable},
};
use sha2::{Digest, Sha256};
use time::Duration;

/// The signature that stands in an approval's place says itself what it is; what it is worth is checked below.
pub(super) fn is(e: &Evidence) -> bool {
    e.approval.domain == CardContent::DOMAIN
}

/// Which card it was.
pub(super) fn id(e: &Evidence) -> Option<CardId> {
    serde_json::from_str::<CardContent>(&e.approval.content).ok().map(|c| c.terms.card)
}

fn both(e: &Evidence) -> Result<[CardContent; 2], String> {
    let contents = e.approvals().map(signed::<CardContent>).collect::<Result<Vec<_>, _>>()?;
    <[CardContent; 2]>::try_from(contents).map_err(|_| "a card has two signatures".into())
}

pub(super) fn check(e: &Evidence) -> Result<String, String> {
    let [a, b] = both(e)?;
    ensure(a.v == 1 && b.v == 1 && a.terms == b.terms, "the two officers did not sign the same card")?;
    let keys = e.more_approvals.iter().all(|m| m.credential_id != e.approval.credential_id && m.cose_key != e.approval.cose_key);
    ensure(a.officer != b.officer && keys, "one officer signed the card twice")?;
    let (t, r) = (&a.terms, &e.request);
    ensure(![a.officer, b.officer].contains(&r.requester), "who used the card had signed it")?;
    t.check().map_err(|why| why.to_string())?;
    ensure(r.state == RequestState::Approved && r.asks.is_plain(), "an emergency is one login on one target")?;
    ensure(t.target == r.target && t.target_name == r.target_name && t.account == r.account, "the card is for somewhere else")?;
    ensure(r.capabilities.beyond(&t.capabilities).is_empty(), "the card does not allow as much")?;
    let lasts = r.until - r.from;
    ensure(lasts > Duration::ZERO && lasts <= Duration::minutes(t.minutes.into()), "the card does not last as long")?;
    ensure(r.from >= t.from && r.from < t.until, "the card did not count at that time")?;
    let (first, second) = (&a.officer_handle, &b.officer_handle);
    Ok(format!(
        "nobody approved it: a sealed card, signed by {first} and {second}, opened {}@{} until {}",
        t.account,
        t.target_name,
        text(r.until)
    ))
}

/// The log has the card with these signatures of these officers' passkeys, and its use for this request.
pub(super) fn told(e: &Evidence, records: &[AuditRecord]) -> Result<(), String> {
    let [a, b] = both(e)?;
    let (t, r, g, s) = (&a.terms, &e.request, &e.grant, &e.session);
    let second = e.more_approvals.first().ok_or("a card has two signatures")?;
    let ((content, assertion), (content2, assertion2)) = (hashes(&e.approval)?, hashes(second)?);
    let event = |f: &dyn Fn(&CardEvent) -> bool| records.iter().find(|x| matches!(&x.event, AuditEvent::Card(c) if f(c)));
    let begun = event(&|c| {
        matches!(c, CardEvent::Begun { card, officer, code_sha256, content_sha256, evidence_sha256, .. }
            if *card == t.card && *officer == a.officer && *code_sha256 == t.code_sha256
            && *content_sha256 == content && *evidence_sha256 == assertion)
    });
    ensure(begun.is_some(), "no entry says that the first officer signed this card")?;
    let countersigned = event(&|c| {
        matches!(c, CardEvent::Countersigned { card, officer, content_sha256, evidence_sha256 }
            if *card == t.card && *officer == b.officer && *content_sha256 == content2 && *evidence_sha256 == assertion2)
    });
    let countersigned = countersigned.ok_or("no entry says that a second officer signed this card")?;
    enrolled(records, a.officer, &e.approval).ok_or("no entry says that the passkey that began the card is its officer's")?;
    enrolled(records, b.officer, second).ok_or("no entry says that the passkey that countersigned the card is its officer's")?;
    let reason = hex(&Sha256::digest(r.reason.as_str()));
    let used = records.iter().find_map(|x| match &x.event {
        AuditEvent::Card(CardEvent::Used {
            card,
            request,
            grant,
            person,
            target,
            account,
            from,
            until,
            reason_sha256,
            source,
            irregular,
        }) if *card == t.card
            && *request == r.id
            && *grant == g.id
            && *person == r.requester
            && *target == r.target
            && *account == r.account
            && *from == text(r.from)
            && *until == text(r.until)
            && *reason_sha256 == reason
            && *source == r.source =>
        {
            Some(irregular)
        }
        _ => None,
    });
    match used {
        None => return Err("no entry says that this card was used for this".into()),
        Some(Some(why)) => return Err(format!("the card did not count when it was used: {why}")),
        Some(None) => {}
    }
    ensure(countersigned.at <= r.from, "the card was used before two officers had signed it")?;
    let revoked = event(&|c| matches!(c, CardEvent::Revoked { card, .. } if *card == t.card));
    ensure(revoked.is_none_or(|x| x.at > r.from), "the card was used after it had been revoked")?;
    let named = records.iter().any(
        |x| matches!(&x.event, AuditEvent::PersonAdded { person, handle, .. } if *person == s.person && handle.as_str() == s.person_handle),
    );
    ensure(named, "no entry says that the session's person has this name")
}
