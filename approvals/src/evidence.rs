//! Everything about one session that can be checked later without us.
pub use anteroom_assertion::AssertionEvidence;
use anteroom_domain::{AccessRequest, Grant, SessionRecord, UnmaskRequest};
use serde::{Deserialize, Serialize};

/// An audit record with the proof that it is in the tree of the checkpoint.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProvenRecord {
    /// Canonical bytes: exactly what is hashed.
    pub record: String,
    pub index: u64,
    /// RFC 6962 audit path, hexadecimal, from the leaf upwards.
    pub proof: Vec<String>,
}

/// A wish to see an interval of the session's recording as it was, and what was signed about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnmaskEvidence {
    /// Its state is the one that the log's entries tell.
    pub request: UnmaskRequest,
    /// Of `anteroom_domain::content::UnmaskContent`, in the order they were given.
    pub answers: Vec<AssertionEvidence>,
    /// Of `anteroom_domain::content::UnmaskOpening`.
    pub openings: Vec<AssertionEvidence>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    pub v: u8,
    pub request: AccessRequest,
    pub grant: Grant,
    pub session: SessionRecord,
    pub approval: AssertionEvidence,
    /// The second factor of the connection, if it was a passkey over this very one.
    pub step_up: Option<AssertionEvidence>,
    /// What a passkey signed when the certificate was given out that let the connection in, if one did.
    #[serde(default)]
    pub certificate: Option<AssertionEvidence>,
    /// The recording's manifest, once it is sealed.
    pub manifest: Option<serde_json::Value>,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmasks: Vec<UnmaskEvidence>,
    pub records: Vec<ProvenRecord>,
    /// Signed note (C2SP) over the tree that the proofs lead to.
    pub checkpoint: String,
    /// Verifier key of the log, as a signed note names it.
    pub log_key: String,
}
