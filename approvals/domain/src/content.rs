//! What a passkey signs. The WebAuthn challenge is the SHA-256 of a domain string and the canonical content, so
//! the signature is over exactly this and can be checked later from the evidence alone (invariant 8).
mod unmask;
pub use unmask::{UnmaskContent, UnmaskOpening};

use crate::{
    AccountName, Capabilities, Handle, Moment, PersonId, Reason, RequestId, StepUpId, TargetId, TargetKind, TargetName, canonical,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// 32 random bytes, base64url: makes every content unique, so an assertion can't be used twice.
pub type Nonce = String;

/// A content that a passkey can sign.
pub trait Signable: Serialize {
    /// Separates the kinds: an approval's digest can never be a step-up's.
    const DOMAIN: &'static str;

    /// The bytes that are stored as evidence and shown to the signer.
    fn canonical(&self) -> Result<Vec<u8>, canonical::CanonicalError> {
        canonical::to_vec(self)
    }
}

/// SHA-256(domain, 0x00, content): the WebAuthn challenge.
pub fn challenge(domain: &str, content: &[u8]) -> [u8; 32] {
    let mut h = Sha256::new();
    h.update(domain.as_bytes());
    h.update([0]);
    h.update(content);
    h.finalize().into()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    Deny,
}

/// "*approver* approves that *requester* reaches *account* on *target* from then until then because ..."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalContent {
    pub v: u8,
    pub verdict: Verdict,
    pub request: RequestId,
    pub requester: PersonId,
    pub requester_handle: Handle,
    pub requester_source: String,
    pub approver: PersonId,
    pub approver_handle: Handle,
    pub target: TargetId,
    pub target_name: TargetName,
    pub target_kind: TargetKind,
    pub account: AccountName,
    pub capabilities: Capabilities,
    pub reason: Reason,
    #[serde(with = "time::serde::rfc3339")]
    pub from: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub until: Moment,
    pub nonce: Nonce,
}

impl Signable for ApprovalContent {
    const DOMAIN: &'static str = "anteroom.approval.v1";
}

/// A second factor for one SSH connection (invariant 9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUpContent {
    pub v: u8,
    pub step_up: StepUpId,
    pub person: PersonId,
    /// SSH session identifier (RFC 4253 section 7.2), hexadecimal.
    pub ssh_session_id: String,
    pub ssh_key_fingerprint: String,
    pub target_name: TargetName,
    pub account: AccountName,
    /// Client's IP address.
    pub source: String,
    /// The number shown in the terminal.
    pub number: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    pub nonce: Nonce,
}

impl Signable for StepUpContent {
    const DOMAIN: &'static str = "anteroom.step-up.v1";
}

/// "The program that shows this number is mine: certify its key for me."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateContent {
    pub v: u8,
    pub person: PersonId,
    pub handle: Handle,
    /// Of the key that is certified, `SHA256:...`
    pub fingerprint: String,
    /// The address that asked; the certificate counts from there only.
    pub source: String,
    /// The number the program shows.
    pub number: String,
    /// Of the certificate, decimal: it may be beyond 2^53.
    pub serial: String,
    #[serde(with = "time::serde::rfc3339")]
    pub from: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub until: Moment,
    pub nonce: Nonce,
}

impl Signable for CertificateContent {
    const DOMAIN: &'static str = "anteroom.certificate.v1";
}

/// "This SSH key is mine."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshKeyContent {
    pub v: u8,
    pub person: PersonId,
    /// `SHA256:...`
    pub fingerprint: String,
    pub label: String,
    pub nonce: Nonce,
}

impl Signable for SshKeyContent {
    const DOMAIN: &'static str = "anteroom.ssh-key.v1";
}
