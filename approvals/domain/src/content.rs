//! What a passkey signs. The WebAuthn challenge is the SHA-256 of a domain string and the canonical content, so
//! the signature is over exactly this and can be checked later from the evidence alone (invariant 8).
mod break_glass;
mod card;
mod unmask;
pub use break_glass::{BreakGlassContent, BreakGlassReview, Finding};
pub use card::{CardContent, CardTerms};
pub use unmask::{UnmaskContent, UnmaskOpening};

use crate::{
    AccountName, Asks, Capabilities, Comment, CompanyId, GroupName, Handle, Moment, Obligations, PersonId, Reason, RequestId, StepUpId,
    TargetId, TargetKind, TargetName, canonical,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

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
///
/// Version 1 had one target, one approver and no obligations: what is missing there reads as the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalContent {
    /// 1 or 2.
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
    /// What the grant will owe, and who else has to sign.
    #[serde(default)]
    pub obligations: Obligations,
    /// Further targets, ticket, weeks, what is extended.
    #[serde(default)]
    pub asks: Asks,
    /// Until when it may be approved.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester_company: Option<CompanyId>,
    /// The approver's groups that count here, or those of whom they stand for.
    #[serde(default)]
    pub groups: BTreeSet<GroupName>,
    /// Companies of the approver and of whom they stand for.
    #[serde(default)]
    pub companies: BTreeSet<CompanyId>,
    /// Absent; the approver is their deputy and fills their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<PersonId>,
    /// Why it is denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
    pub nonce: Nonce,
}

impl Signable for ApprovalContent {
    // The purpose, not the version: that is in the content.
    const DOMAIN: &'static str = "anteroom.approval.v1";
}

impl ApprovalContent {
    /// SHA-256 over what every approver of a request signs alike: all of it but who signs, what they say, and the nonce.
    pub fn subject_sha256(&self) -> Result<[u8; 32], canonical::CanonicalError> {
        let mut v = serde_json::to_value(self)?;
        if let Some(m) = v.as_object_mut() {
            for own in ["verdict", "approver", "approver_handle", "groups", "companies", "stands_for", "comment", "nonce"] {
                m.remove(own);
            }
        }
        Ok(Sha256::digest(canonical::to_vec(&v)?).into())
    }
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
