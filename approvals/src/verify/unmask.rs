//! Who saw the recording as it was: asked, approved by two others, and opened, as the log says it, each with its signature.
use super::story::{Report, enrolled, ensure, hashes, signed};
use crate::{
    clock::{hex, text},
    evidence::{AssertionEvidence, Evidence, UnmaskEvidence},
};
use anteroom_domain::{
    AuditEvent, AuditRecord, Moment, PersonId, UnmaskId, UnmaskRequest, UnmaskState,
    content::{UnmaskContent, UnmaskOpening, Verdict},
    unmask::HOLDERS_NEEDED,
};
use sha2::{Digest, Sha256};

/// The state that entries of the log tell.
pub(crate) fn state(records: &[AuditRecord], id: UnmaskId) -> UnmaskState {
    let mut approved = 0;
    let mut state = UnmaskState::Pending;
    for r in records {
        match &r.event {
            AuditEvent::UnmaskApproved { unmask, .. } if *unmask == id => {
                approved += 1;
                if approved >= HOLDERS_NEEDED {
                    state = UnmaskState::Approved;
                }
            }
            AuditEvent::UnmaskDenied { unmask, .. } if *unmask == id => state = UnmaskState::Denied,
            AuditEvent::UnmaskWithdrawn { unmask, .. } if *unmask == id => state = UnmaskState::Withdrawn,
            _ => {}
        }
    }
    state
}

/// Nothing is said about a recording that nobody asked to see unmasked.
pub(super) fn check(report: &mut Report, e: &Evidence, records: &[AuditRecord]) {
    let whole = whole(e, records);
    if matches!(whole, Ok(0)) {
        return;
    }
    report.add("unmask requests", whole.map(|n| format!("{n} entries of the log, each with what was signed")));
    for (number, u) in (1..).zip(&e.unmasks) {
        report.add(&format!("unmask {number}: asked"), asked(e, u, records));
        report.add(&format!("unmask {number}: answers"), answers(u, records));
        report.add(&format!("unmask {number}: openings"), openings(u, records));
    }
}

/// A bundle cannot be robbed of what the log says about unmasking.
fn whole(e: &Evidence, records: &[AuditRecord]) -> Result<usize, String> {
    let of = |id: &UnmaskId| e.unmasks.iter().find(|u| u.request.id == *id);
    let has = |all: &[AssertionEvidence], sha256: &String| all.iter().any(|a| hashes(a).is_ok_and(|(_, h)| h == *sha256));
    let mut entries = 0;
    for r in records {
        let here = match &r.event {
            AuditEvent::UnmaskRequested { unmask, .. } | AuditEvent::UnmaskWithdrawn { unmask, .. } => of(unmask).is_some(),
            AuditEvent::UnmaskApproved { unmask, evidence_sha256, .. } | AuditEvent::UnmaskDenied { unmask, evidence_sha256, .. } => {
                of(unmask).is_some_and(|u| has(&u.answers, evidence_sha256))
            }
            AuditEvent::UnmaskOpened { unmask, evidence_sha256, .. } => of(unmask).is_some_and(|u| has(&u.openings, evidence_sha256)),
            AuditEvent::UnmaskReleased { unmask, .. } | AuditEvent::UnmaskViewed { unmask, .. } => {
                of(unmask).is_some_and(|u| !u.openings.is_empty())
            }
            _ => continue,
        };
        entries += 1;
        ensure(here, "the log names a request to see the recording unmasked, an answer or an opening that the bundle does not hold")?;
    }
    let ids: std::collections::BTreeSet<_> = e.unmasks.iter().map(|u| u.request.id).collect();
    ensure(ids.len() == e.unmasks.len(), "a request to see the recording unmasked is in the bundle twice")?;
    Ok(entries.max(e.unmasks.len()))
}

fn asked(e: &Evidence, u: &UnmaskEvidence, records: &[AuditRecord]) -> Result<String, String> {
    let (r, s) = (&u.request, &e.session);
    let same = r.session == s.id
        && r.session_person.as_str() == s.person_handle
        && r.session_target == format!("{}@{}", s.account, s.target_name)
        && r.session_started_at == s.started_at;
    ensure(same, "it is about another session")?;
    let header = records.iter().find_map(|x| match &x.event {
        AuditEvent::SessionStarted { session, recording_header_sha256, .. } if *session == s.id => Some(recording_header_sha256),
        _ => None,
    });
    ensure(header == Some(&r.header_sha256), "it is about another recording than the log names for this session")?;
    let reason = hex(&Sha256::digest(r.reason.as_str()));
    let logged = records.iter().any(|x| {
        matches!(&x.event, AuditEvent::UnmaskRequested { unmask, session, by, from_us, until_us, reason_sha256, expires_at }
            if *unmask == r.id && *session == r.session && *by == r.requester && *from_us == r.from_us && *until_us == r.until_us
            && *reason_sha256 == reason && *expires_at == text(r.expires_at) && x.at == r.created_at)
    });
    ensure(logged, "no entry says that this was asked for")?;
    ensure(state(records, r.id) == r.state, "the log tells another outcome")?;
    let seconds = |us: u64| us / 1_000_000;
    let (from, until) = (seconds(r.from_us), seconds(r.until_us));
    Ok(format!("{} asked for second {from} to {until}, until {}", r.requester_handle, text(r.expires_at)))
}

fn answers(u: &UnmaskEvidence, records: &[AuditRecord]) -> Result<String, String> {
    let r = &u.request;
    let mut said: Vec<(PersonId, String)> = Vec::new();
    for a in &u.answers {
        let c: UnmaskContent = signed(a)?;
        ensure(is_about(&c, r), "a key-holder signed something else than was asked for")?;
        ensure(c.holder != r.requester, "the requester answered it")?;
        ensure(!said.iter().any(|(h, _)| *h == c.holder), "one key-holder answered twice")?;
        let (content, assertion) = hashes(a)?;
        let logged = records.iter().find(|x| match &x.event {
            AuditEvent::UnmaskApproved { unmask, holder, content_sha256, evidence_sha256, .. } => {
                c.verdict == Verdict::Approve
                    && (*unmask, *holder) == (r.id, c.holder)
                    && (content_sha256, evidence_sha256) == (&content, &assertion)
            }
            AuditEvent::UnmaskDenied { unmask, holder, content_sha256, evidence_sha256, .. } => {
                c.verdict == Verdict::Deny
                    && (*unmask, *holder) == (r.id, c.holder)
                    && (content_sha256, evidence_sha256) == (&content, &assertion)
            }
            _ => false,
        });
        let logged = logged.ok_or("no entry says that this was answered with this signature")?;
        ensure(logged.at < r.expires_at, "it was answered after its time")?;
        enrolled(records, c.holder, a).ok_or("no entry says that the passkey that answered is the key-holder's")?;
        let verb = if c.verdict == Verdict::Approve { "approved" } else { "denied" };
        said.push((c.holder, format!("{} {verb}", c.holder_handle)));
    }
    if r.state == UnmaskState::Approved || !u.openings.is_empty() {
        ensure(approvals(u).count() >= HOLDERS_NEEDED, "fewer than two key-holders approved")?;
    }
    let words: Vec<_> = said.into_iter().map(|(_, words)| words).collect();
    Ok(if words.is_empty() { "nobody answered".into() } else { words.join(", ") })
}

fn is_about(c: &UnmaskContent, r: &UnmaskRequest) -> bool {
    c.unmask == r.id
        && c.session == r.session
        && c.header_sha256 == r.header_sha256
        && c.session_person == r.session_person
        && c.session_target == r.session_target
        && c.session_started_at == r.session_started_at
        && (c.from_us, c.until_us) == (r.from_us, r.until_us)
        && c.requester == r.requester
        && c.requester_handle == r.requester_handle
        && c.reason == r.reason
        && c.expires_at == r.expires_at
}

/// Contents of the approvals that can be read; whether they are signed is looked at by [`answers`].
fn approvals(u: &UnmaskEvidence) -> impl Iterator<Item = UnmaskContent> {
    let read = |a: &AssertionEvidence| serde_json::from_str::<UnmaskContent>(&a.content).ok();
    u.answers.iter().filter_map(read).filter(|c| c.verdict == Verdict::Approve)
}

fn openings(u: &UnmaskEvidence, records: &[AuditRecord]) -> Result<String, String> {
    let r = &u.request;
    for a in &u.openings {
        let o: UnmaskOpening = signed(a)?;
        let same = o.unmask == r.id && o.session == r.session && (o.from_us, o.until_us) == (r.from_us, r.until_us);
        ensure(same, "something else was opened than was asked for")?;
        ensure(o.requester == r.requester, "somebody else opened it")?;
        let key = a.key_sha256().ok_or("the opening's public key is unreadable")?;
        ensure(approvals(u).all(|c| c.requester_keys.contains(&key)), "it was opened with a passkey that the key-holders did not see")?;
        let (content, assertion) = hashes(a)?;
        let at: Option<Moment> = records.iter().find_map(|x| match &x.event {
            AuditEvent::UnmaskOpened { unmask, by, content_sha256, evidence_sha256, .. }
                if *unmask == r.id && *by == r.requester && *content_sha256 == content && *evidence_sha256 == assertion =>
            {
                Some(x.at)
            }
            _ => None,
        });
        let at = at.ok_or("no entry says that it was opened with this signature")?;
        ensure(o.at < r.expires_at && at < r.expires_at, "it was opened after its time")?;
        let approved = records.iter().filter(|x| matches!(&x.event, AuditEvent::UnmaskApproved { unmask, .. } if *unmask == r.id));
        ensure(approved.filter(|x| x.at <= at).count() >= HOLDERS_NEEDED, "it was opened before two key-holders had approved")?;
        enrolled(records, r.requester, a).ok_or("no entry says that the passkey that opened it is the requester's")?;
    }
    let viewed = records.iter().filter(|x| matches!(&x.event, AuditEvent::UnmaskViewed { unmask, .. } if *unmask == r.id)).count();
    Ok(format!("opened {} times, watched {viewed} times", u.openings.len()))
}
