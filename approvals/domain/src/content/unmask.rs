//! Seeing an interval of a recording as it was: what two key-holders sign, and what the auditor signs to open it. The unsealer
//! believes these two and nothing else, neither database nor portal.
use super::{Nonce, Signable, Verdict};
use crate::{CanonicalText, Handle, Moment, PersonId, Reason, SessionId, UnmaskId};
use serde::{Deserialize, Serialize};

/// "*holder* lets *requester* see from then until then of this recording as it was, until that hour, because ..."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmaskContent {
    pub v: u8,
    pub verdict: Verdict,
    pub unmask: UnmaskId,
    pub session: SessionId,
    /// Hash of the recording's `header.json`, hex: this recording and no other.
    pub header_sha256: String,
    /// Whose session it was, and where: what a holder judges by.
    pub session_person: Handle,
    pub session_target: CanonicalText,
    #[serde(with = "time::serde::rfc3339")]
    pub session_started_at: Moment,
    /// Microseconds since the session's start; the interval is `from_us..=until_us`.
    pub from_us: u64,
    pub until_us: u64,
    pub requester: PersonId,
    pub requester_handle: Handle,
    /// SHA-256 of the canonical JSON of each passkey's COSE key ([`crate::canonical`]), hex, sorted: with one of these the requester opens it.
    pub requester_keys: Vec<String>,
    pub holder: PersonId,
    pub holder_handle: Handle,
    pub reason: Reason,
    /// Nothing is released from here on.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: Moment,
    pub nonce: Nonce,
}

impl Signable for UnmaskContent {
    const DOMAIN: &'static str = "anteroom.unmask.v1";
}

/// "I, the requester, open it now, here": the released keys are wrapped to `recipient` alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmaskOpening {
    pub v: u8,
    pub unmask: UnmaskId,
    pub session: SessionId,
    pub from_us: u64,
    pub until_us: u64,
    pub requester: PersonId,
    /// A fresh public key of who shows it, in the form of a key file's line (`anteroom-x25519-v1 BASE64`).
    pub recipient: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    pub nonce: Nonce,
}

impl Signable for UnmaskOpening {
    const DOMAIN: &'static str = "anteroom.unmask-opening.v1";
}
