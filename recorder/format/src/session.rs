//! `header.json`: who, where and when. Its hash is in every segment and in the audit log.
use anteroom_domain::canonical::{self, CanonicalError};
use anteroom_domain::{AccountName, GrantId, Moment, PersonId, SessionId, TargetId, TargetName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What the gateway knows when a session starts. Holds no patient data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionHeader {
    pub session: SessionId,
    pub person: PersonId,
    pub person_handle: String,
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
    /// Client's IP address.
    pub source: std::net::IpAddr,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: Moment,
    pub grant: GrantId,
}

/// The whole of `header.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingHeader {
    /// Always [`RecordingHeader::FORMAT`].
    pub format: String,
    pub gateway: String,
    pub session: SessionHeader,
    /// SHA-256 of the masking rules, hex.
    pub rules_sha256: String,
    /// Ed25519 public key that will sign the manifest, base64.
    pub manifest_key: String,
}

impl RecordingHeader {
    pub const FORMAT: &str = "anteroom-recording-v1";

    /// The bytes of `header.json`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_vec(self)
    }

    pub fn sha256(&self) -> Result<[u8; 32], CanonicalError> {
        Ok(Sha256::digest(self.to_bytes()?).into())
    }
}
