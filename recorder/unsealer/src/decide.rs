//! Whether an interval may be released. Pure: no clock, no files, no keys.
use crate::{
    Refusal,
    refusal::Whose,
    trust::{Site, Trust},
};
use anteroom_assertion::{AssertionEvidence, signed};
use anteroom_domain::{
    Handle, Moment, PersonId, SessionId, UnmaskId,
    content::{Signable, UnmaskContent, UnmaskOpening, Verdict},
};
use anteroom_format::PublicKey;
use anteroom_recorder::unmask::UnmaskProof;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// An opening counts for this long: the requester touched the passkey just now.
pub const OPENING_LIFETIME: Duration = Duration::from_secs(120);
/// How far the portal's clock may be ahead of ours.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5);
/// Who was given keys forgets them after this long, or when the approval expires, whichever is first.
pub const LONGEST_HOLD: Duration = Duration::from_secs(3600);
/// More than two may approve; more than these is no approval but a load.
pub const MAX_APPROVALS: usize = 8;
const VERSION: u8 = 1;

/// The right to have one interval released to one key. Only [`decide`] makes one, and it cannot be changed.
///
/// ```compile_fail
/// fn earlier(w: &mut anteroom_unsealer::Warrant) { w.from_us = 0; }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warrant {
    unmask: UnmaskId,
    session: SessionId,
    header_sha256: String,
    shown: Shown,
    from_us: u64,
    until_us: u64,
    requester: PersonId,
    requester_handle: Handle,
    holders: Vec<Handle>,
    recipient: PublicKey,
    expires_at: Moment,
    hold_until: Moment,
    nonce: String,
}

/// What the key-holders were told about the recording; compared with what the recording itself says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) person: Handle,
    /// `account@target`.
    pub(crate) target: String,
    pub(crate) started_at: Moment,
}

impl Warrant {
    pub fn unmask(&self) -> UnmaskId {
        self.unmask
    }
    pub fn session(&self) -> SessionId {
        self.session
    }
    /// Of the recording's `header.json`, hex.
    pub fn header_sha256(&self) -> &str {
        &self.header_sha256
    }
    /// Microseconds since the session's start.
    pub fn from_us(&self) -> u64 {
        self.from_us
    }
    /// Inclusive.
    pub fn until_us(&self) -> u64 {
        self.until_us
    }
    pub fn requester(&self) -> PersonId {
        self.requester
    }
    pub fn requester_handle(&self) -> &Handle {
        &self.requester_handle
    }
    pub fn holders(&self) -> &[Handle] {
        &self.holders
    }
    pub fn recipient(&self) -> &PublicKey {
        &self.recipient
    }
    /// Of the approval.
    pub fn expires_at(&self) -> Moment {
        self.expires_at
    }
    /// When who gets the keys has to forget them.
    pub fn hold_until(&self) -> Moment {
        self.hold_until
    }
    /// Of the opening; it is used once.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }
    pub(crate) fn shown(&self) -> &Shown {
        &self.shown
    }
}

/// Whether `proof` is enough for whom we trust, at this moment. `used` knows the nonces of openings that were used.
pub fn decide(trust: &Trust, proof: &UnmaskProof, now: Moment, used: impl Fn(&str) -> bool) -> Result<Warrant, Refusal> {
    match proof.approvals.len() {
        given @ ..2 => return Err(Refusal::TooFewApprovals { given }),
        2..=MAX_APPROVALS => {}
        _ => return Err(Refusal::TooManyApprovals),
    }
    let approvals = proof.approvals.iter().enumerate().map(|(i, e)| approval(trust, i + 1, e)).collect::<Result<Vec<_>, _>>()?;
    two_people(&approvals)?;
    let (first, others) = approvals.split_first().ok_or(Refusal::TooFewApprovals { given: 0 })?;
    others.iter().try_for_each(|other| same(first, other))?;
    if first.from_us > first.until_us {
        return Err(Refusal::NoInterval);
    }
    if now >= first.expires_at {
        return Err(Refusal::Expired);
    }
    let (opening, recipient) = opening(trust, &proof.opening, &approvals)?;
    if now - opening.at > OPENING_LIFETIME {
        return Err(Refusal::OpeningTooOld);
    }
    if opening.at - now > CLOCK_SKEW {
        return Err(Refusal::OpeningInFuture);
    }
    if used(&opening.nonce) {
        return Err(Refusal::OpeningUsed);
    }
    Ok(Warrant {
        unmask: first.unmask,
        session: first.session,
        header_sha256: first.header_sha256.clone(),
        shown: Shown { person: first.session_person.clone(), target: first.session_target.clone(), started_at: first.session_started_at },
        from_us: first.from_us,
        until_us: first.until_us,
        requester: first.requester,
        requester_handle: first.requester_handle.clone(),
        holders: approvals.iter().map(|a| a.holder_handle.clone()).collect(),
        recipient,
        expires_at: first.expires_at,
        hold_until: first.expires_at.min(now + LONGEST_HOLD),
        nonce: opening.nonce,
    })
}

/// One approval by itself: signed on our site, by a passkey that we trust for its holder, with yes.
fn approval(trust: &Trust, number: usize, e: &AssertionEvidence) -> Result<UnmaskContent, Refusal> {
    let whose = Whose::Approval(number);
    let content: UnmaskContent = read(&trust.site, whose, e)?;
    if content.v != VERSION {
        return Err(Refusal::Version { whose });
    }
    let holder = content.holder_handle.clone();
    if content.holder == content.requester {
        return Err(Refusal::HolderIsRequester { holder });
    }
    let Some(trusted) = trust.holder(content.holder) else { return Err(Refusal::UnknownHolder { holder }) };
    if !e.key_sha256().is_some_and(|key| trusted.has(&key)) {
        return Err(Refusal::UntrustedKey { holder });
    }
    match content.verdict {
        Verdict::Approve => Ok(content),
        Verdict::Deny => Err(Refusal::Denied { holder }),
    }
}

fn read<C: Signable + DeserializeOwned>(site: &Site, whose: Whose, e: &AssertionEvidence) -> Result<C, Refusal> {
    if e.v != VERSION {
        return Err(Refusal::Version { whose });
    }
    if e.rp_id != site.rp_id || e.origin != site.origin {
        return Err(Refusal::OtherSite { whose });
    }
    signed(e).map_err(|why| Refusal::Signature { whose, why })
}

fn two_people(approvals: &[UnmaskContent]) -> Result<(), Refusal> {
    for (i, a) in approvals.iter().enumerate() {
        if approvals[..i].iter().any(|b| b.holder == a.holder) {
            return Err(Refusal::SameHolderTwice { holder: a.holder_handle.clone() });
        }
    }
    Ok(())
}

/// Everything but who signed, their nonce, and which passkeys the requester had that day.
fn same(a: &UnmaskContent, b: &UnmaskContent) -> Result<(), Refusal> {
    for (equal, what) in [
        (a.unmask == b.unmask, "another request"),
        (a.session == b.session, "another session"),
        (a.header_sha256 == b.header_sha256, "another recording"),
        (a.session_person == b.session_person, "another person's session"),
        (a.session_target == b.session_target, "another target"),
        (a.session_started_at == b.session_started_at, "another start"),
        (a.from_us == b.from_us && a.until_us == b.until_us, "another interval"),
        (a.requester == b.requester && a.requester_handle == b.requester_handle, "another requester"),
        (a.reason == b.reason, "another reason"),
        (a.expires_at == b.expires_at, "another expiry"),
    ] {
        if !equal {
            return Err(Refusal::ContentsDiffer { what });
        }
    }
    Ok(())
}

/// The opening is by the requester, with a passkey that all key-holders saw, of exactly what they approved.
fn opening(trust: &Trust, e: &AssertionEvidence, approvals: &[UnmaskContent]) -> Result<(UnmaskOpening, PublicKey), Refusal> {
    let whose = Whose::Opening;
    let o: UnmaskOpening = read(&trust.site, whose, e)?;
    if o.v != VERSION {
        return Err(Refusal::Version { whose });
    }
    for a in approvals {
        for (equal, what) in [
            (o.unmask == a.unmask, "request"),
            (o.requester == a.requester, "person"),
            (o.session == a.session, "session"),
            (o.from_us == a.from_us && o.until_us == a.until_us, "interval"),
        ] {
            if !equal {
                return Err(Refusal::OtherOpening { what });
            }
        }
    }
    let key = e.key_sha256().ok_or(Refusal::OtherKey)?;
    if approvals.iter().any(|a| !a.requester_keys.contains(&key)) {
        return Err(Refusal::OtherKey);
    }
    // A portal that lists a key-holder's passkey among the requester's would make one person out of two.
    if trust.owner_of(&key).is_some_and(|owner| owner.person != o.requester) {
        return Err(Refusal::OpenedByHolder);
    }
    let recipient = o.recipient.parse().map_err(|_| Refusal::NoRecipient)?;
    Ok((o, recipient))
}
