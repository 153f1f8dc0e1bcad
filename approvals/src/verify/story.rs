//! Does everything about a session fit together? Request, approval, grant, session, recording, and the log that
//! remembers them.
use crate::{
    audit::{merkle, note},
    clock::{hex, text, unhex},
    evidence::{AssertionEvidence, Evidence},
};
use anteroom_domain::{
    AuditEvent, AuditRecord, FactorUsed, PersonId, canonical,
    content::{ApprovalContent, CertificateContent, Signable, StepUpContent},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in words.
    pub check: String,
    pub ok: bool,
    /// What is wrong, or what exactly was found to be right.
    pub detail: String,
}

/// Nothing was found to be wrong (and something was looked at).
pub fn all_good(findings: &[Finding]) -> bool {
    !findings.is_empty() && findings.iter().all(|f| f.ok)
}

pub(super) struct Report(Vec<Finding>);

impl Report {
    fn say(&mut self, check: &str, ok: bool, detail: impl Into<String>) {
        self.0.push(Finding { check: check.into(), ok, detail: detail.into() });
    }
    /// `Ok` says what was found, `Err` what is wrong.
    pub(super) fn add(&mut self, check: &str, r: Result<String, String>) {
        match r {
            Ok(d) => self.say(check, true, d),
            Err(d) => self.say(check, false, d),
        }
    }
}

pub(super) fn ensure(ok: bool, why: &str) -> Result<(), String> {
    if ok { Ok(()) } else { Err(why.into()) }
}

/// Everything that can be said about `evidence`. With `trusted_log_key` (a signed note's verifier key) the log
/// must be that one; without, the key in the evidence is taken, which proves integrity but not origin.
///
/// Whose a passkey is, is what the log's `passkey_enrolled` lines say: they name the credential, and the line of the
/// approval names the hash of the evidence with its public key.
pub fn verify_evidence(evidence: &Evidence, trusted_log_key: Option<&str>) -> Vec<Finding> {
    let mut report = Report(Vec::new());
    let e = evidence;
    let records = log(&mut report, e, trusted_log_key);
    report.add("approval", super::approval::check(e));
    report.add("second factor", second_factor(e, &records));
    report.add("grant", grant(e));
    report.add("session", session(e));
    report.add("audit log tells this story", told(e, &records));
    super::unmask::check(&mut report, e, &records);
    super::keeping::check(&mut report, e, &records);
    report.0
}

/// The checkpoint's signature and every record's place under it. Returns the records that are proven.
fn log(report: &mut Report, e: &Evidence, trusted: Option<&str>) -> Vec<AuditRecord> {
    let key = trusted.unwrap_or(&e.log_key);
    let checkpoint = match note::open(&e.checkpoint, key) {
        Ok(c) => c,
        Err(err) => {
            report.say("checkpoint", false, err.to_string());
            return Vec::new();
        }
    };
    let whose = if trusted.is_some() { "the key you trust" } else { "the key in the bundle (give --log-key to be sure whose it is)" };
    report.say("checkpoint", true, format!("{} signed {} entries, with {whose}", checkpoint.origin, checkpoint.size));
    let mut proven = Vec::new();
    let mut wrong = Vec::new();
    for r in &e.records {
        let proof: Option<Vec<merkle::Hash>> = r.proof.iter().map(|h| unhex(h)?.try_into().ok()).collect();
        let leaf = merkle::leaf_hash(r.record.as_bytes());
        let there = proof.is_some_and(|p| merkle::verify_inclusion(&leaf, r.index, checkpoint.size, &p, &checkpoint.root));
        match serde_json::from_str::<AuditRecord>(&r.record) {
            Ok(record) if there => proven.push(record),
            _ => wrong.push(r.index.to_string()),
        }
    }
    if wrong.is_empty() {
        report.say("audit records", true, format!("{} records are in the log", proven.len()));
    } else {
        report.say("audit records", false, format!("not in the log as they stand here: entries {}", wrong.join(", ")));
    }
    proven
}

/// Reads a signed content back.
pub(super) fn signed<C: Signable + DeserializeOwned>(a: &AssertionEvidence) -> Result<C, String> {
    anteroom_assertion::signed(a).map_err(|w| format!("the passkey's assertion: {w}"))
}

/// What the log says was the second factor is here, and nothing else: a bundle cannot be robbed of it.
fn second_factor(e: &Evidence, records: &[AuditRecord]) -> Result<String, String> {
    let used = records.iter().find_map(|x| match &x.event {
        AuditEvent::SessionStarted { session, second_factor, .. } if *session == e.session.id => second_factor.as_ref(),
        _ => None,
    });
    match (used, &e.step_up, &e.certificate) {
        (Some(FactorUsed::Passkey { step_up }), Some(a), None) => {
            let c = confirmed(e, a)?;
            ensure(c.step_up == *step_up, "the log names another confirmation")?;
            Ok(format!("a passkey confirmed the connection from {} with SSH key {}", c.source, c.ssh_key_fingerprint))
        }
        (Some(FactorUsed::Certificate { serial }), None, Some(a)) => {
            let c = certified(e, a)?;
            ensure(c.serial == *serial, "the log names another certificate")?;
            let (key, until) = (c.fingerprint, text(c.until));
            Ok(format!("a passkey gave out certificate {serial} for SSH key {key}, from {} until {until}", c.source))
        }
        (Some(FactorUsed::SecurityKey), None, None) => Ok("a security key that verified its person, as the gateway saw it".into()),
        (Some(FactorUsed::Remembered), None, None) => Ok("a confirmation with the same key shortly before, which policy remembered".into()),
        (Some(FactorUsed::Card { card }), None, None) => {
            ensure(super::card::id(e) == Some(*card), "the log names a card that did not open this")?;
            Ok("the code of a sealed break-glass card, as the gateway saw it".into())
        }
        (Some(FactorUsed::Passkey { .. } | FactorUsed::Certificate { .. }), None, None) => {
            Err("the log names a passkey's signature that the bundle does not hold".into())
        }
        // The log of an older program does not say which it was.
        (None, Some(a), None) => confirmed(e, a).map(|c| format!("a passkey confirmed the connection from {}", c.source)),
        (None, None, None) => Ok("the log does not say which; an older program wrote it".into()),
        _ => Err("the bundle holds another second factor than the log names".into()),
    }
}

/// A passkey over this very connection.
fn confirmed(e: &Evidence, a: &AssertionEvidence) -> Result<StepUpContent, String> {
    let c: StepUpContent = signed(a)?;
    let s = &e.session;
    let same = c.person == s.person && c.target_name == s.target_name && c.account == s.account && c.source == s.source;
    ensure(same, "a connection of somebody else, or to somewhere else, was confirmed")?;
    Ok(c)
}

/// A passkey over a certificate of this person, for this address, that counted when the session began.
fn certified(e: &Evidence, a: &AssertionEvidence) -> Result<CertificateContent, String> {
    let c: CertificateContent = signed(a)?;
    let s = &e.session;
    ensure(c.person == s.person && c.handle.as_str() == s.person_handle, "the certificate is somebody else's")?;
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
    ensure(address(&c.source).is_some_and(|a| Some(a) == address(&s.source)), "the certificate is for another address")?;
    ensure(s.started_at >= c.from && s.started_at < c.until, "the certificate did not count when the session began")?;
    Ok(c)
}

fn grant(e: &Evidence) -> Result<String, String> {
    let (g, r) = (&e.grant, &e.request);
    let first = g.target == r.target && g.target_name == r.target_name && g.account_name == r.account;
    let place = first
        || r.asks
            .more
            .iter()
            .any(|p| g.target == p.target && g.target_name == p.target_name && g.account == p.account && g.account_name == p.account_name);
    let same = g.request == r.id
        && g.person == r.requester
        && place
        && g.capabilities == r.capabilities
        && g.obligations == r.obligations
        && r.times().any(|(from, until)| g.not_before == from && g.not_after == until);
    ensure(same, "the grant is not what was approved")?;
    Ok(format!("from {} until {}", text(g.not_before), text(g.not_after)))
}

fn session(e: &Evidence) -> Result<String, String> {
    let (s, g) = (&e.session, &e.grant);
    let same =
        s.grant == g.id && s.person == g.person && s.target == g.target && s.target_name == g.target_name && s.account == g.account_name;
    ensure(same, "the session is not under this grant")?;
    let handle = if super::emergency::is(e) {
        super::emergency::handle(e)
    } else if super::card::is(e) {
        // A card is nobody's; whose name this is, the log says.
        Some(s.person_handle.clone())
    } else {
        serde_json::from_str::<ApprovalContent>(&e.approval.content).ok().map(|c| c.requester_handle.to_string())
    };
    ensure(handle.ok_or("the signed content is unreadable")? == s.person_handle, "the session is somebody else's")?;
    ensure(s.started_at >= g.not_before && s.started_at < g.not_after, "the session began outside of the grant's time")?;
    ensure(g.revoked_at.is_none_or(|at| s.started_at <= at), "the session began after the grant was revoked")?;
    ensure(s.ended_at.is_none_or(|at| s.started_at <= at), "the session ended before it began")?;
    Ok(format!("{} on {}@{} from {}", s.person_handle, s.account, s.target_name, text(s.started_at)))
}

/// The proven records say the same as request, approval, grant, session and manifest do.
fn told(e: &Evidence, records: &[AuditRecord]) -> Result<String, String> {
    let (r, g, s) = (&e.request, &e.grant, &e.session);
    let any = |f: &dyn Fn(&AuditRecord) -> bool| records.iter().any(f);

    let reason = hex(&Sha256::digest(r.reason.as_str()));
    let submitted = any(&|x| {
        matches!(&x.event, AuditEvent::RequestSubmitted { request, person, target, account, from, until, reason_sha256, source, asks }
            if *request == r.id && *asks == r.asks && *person == r.requester && *target == r.target && *account == r.account && x.at == r.created_at
            && *from == text(r.from) && *until == text(r.until) && *reason_sha256 == reason && *source == r.source)
    });
    // An emergency is asked for and taken in one entry.
    ensure(submitted || super::emergency::is(e) || super::card::is(e), "no entry says that this was requested")?;

    super::approval::told(e, records)?;

    if let Some(a) = &e.step_up {
        let (content, assertion) = hashes(a)?;
        let passed = any(&|x| {
            matches!(&x.event, AuditEvent::StepUpPassed { person, content_sha256, evidence_sha256, .. }
                if *person == s.person && *content_sha256 == content && *evidence_sha256 == assertion)
        });
        ensure(passed, "no entry says that this connection was confirmed with this signature")?;
        enrolled(records, s.person, a).ok_or("no entry says that the passkey that confirmed is this person's")?;
    }

    if let Some(a) = &e.certificate {
        let (content, assertion) = hashes(a)?;
        let c: CertificateContent = serde_json::from_str(&a.content).map_err(|_| "the signed content is unreadable")?;
        let issued = any(&|x| {
            matches!(&x.event, AuditEvent::CertificateIssued { person, serial, fingerprint, source, until, content_sha256, evidence_sha256 }
                if *person == s.person && *serial == c.serial && *fingerprint == c.fingerprint && *source == c.source
                && *until == text(c.until) && *content_sha256 == content && *evidence_sha256 == assertion)
        });
        ensure(issued, "no entry says that this certificate was given out with this signature")?;
        enrolled(records, s.person, a).ok_or("no entry says that the passkey that gave out the certificate is this person's")?;
    }

    let made = any(&|x| {
        matches!(&x.event, AuditEvent::GrantMade { grant, request, person, target, account, not_before, not_after }
            if *grant == g.id && *request == r.id && *person == g.person && *target == g.target && *account == g.account_name
            && *not_before == text(g.not_before) && *not_after == text(g.not_after))
    });
    ensure(made, "no entry says that this grant was made")?;
    let revoked = records.iter().find(|x| matches!(&x.event, AuditEvent::GrantRevoked { grant, .. } if *grant == g.id));
    // A grant may be revoked after the checkpoint was signed; it is never un-revoked.
    ensure(revoked.is_none_or(|x| Some(x.at) == g.revoked_at), "the log says that this grant was revoked at another time")?;

    let started = any(&|x| {
        matches!(&x.event, AuditEvent::SessionStarted { session, grant, person, target, account, source, .. }
            if *session == s.id && *grant == g.id && *person == s.person && *target == s.target && *account == s.account
            && *source == s.source && x.at == s.started_at)
    });
    ensure(started, "no entry says that this session began")?;
    if let Some(at) = s.ended_at {
        let ended = any(
            &|x| matches!(&x.event, AuditEvent::SessionEnded { session, reason } if *session == s.id && Some(reason) == s.end_reason.as_ref() && x.at == at),
        );
        ensure(ended, "no entry says that this session ended then and so")?;
    }
    if let Some(m) = &e.manifest {
        // Whether the recording's files fit the manifest is for the recording's own verifier.
        let bytes = canonical::to_vec(m).map_err(|_| "the manifest is unreadable")?;
        let hash = hex(&Sha256::digest(bytes));
        let sealed = any(&|x| {
            matches!(&x.event, AuditEvent::RecordingSealed { session, state, mask_incomplete, mask_counts, manifest_sha256 }
                if *session == s.id && state == s.recording.as_str() && *mask_incomplete == s.mask_incomplete
                && *mask_counts == s.mask_counts && *manifest_sha256 == hash)
        });
        ensure(sealed, "no entry says that a recording with this manifest was sealed")?;
    }
    Ok("requested, approved, granted and begun as written here".into())
}

/// Hashes of the content and of the whole evidence, as the log names them.
pub(crate) fn hashes(a: &AssertionEvidence) -> Result<(String, String), String> {
    let whole = canonical::to_vec(a).map_err(|_| "the evidence has no canonical form")?;
    Ok((hex(&Sha256::digest(a.content.as_bytes())), hex(&Sha256::digest(whole))))
}

/// The entry that says that this person enrolled the passkey that signed.
pub(super) fn enrolled<'r>(records: &'r [AuditRecord], who: PersonId, a: &AssertionEvidence) -> Option<&'r AuditRecord> {
    let id = hex(&Sha256::digest(B64.decode(&a.credential_id).ok()?));
    records.iter().find(
        |x| matches!(&x.event, AuditEvent::PasskeyEnrolled { person, credential_sha256 } if *person == who && *credential_sha256 == id),
    )
}
