//! Everything about one session that can be checked later without us.
pub use anteroom_assertion::AssertionEvidence;
use anteroom_domain::{AccessRequest, Grant, LegalHold, SessionRecord, Shredding, UnmaskRequest};
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

/// What was decided about keeping a recording.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeping {
    /// Oldest first; those that were lifted too.
    pub holds: Vec<LegalHold>,
    pub shredding: Option<Shredding>,
}

impl Keeping {
    pub fn is_empty(&self) -> bool {
        self.holds.is_empty() && self.shredding.is_none()
    }
    /// The holds that count.
    pub fn holding(&self) -> impl Iterator<Item = &LegalHold> {
        self.holds.iter().filter(|h| h.lifted.is_none())
    }
}

impl Evidence {
    pub fn approvals(&self) -> impl Iterator<Item = &AssertionEvidence> {
        std::iter::once(&self.approval).chain(&self.more_approvals)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    pub v: u8,
    pub request: AccessRequest,
    pub grant: Grant,
    pub session: SessionRecord,
    /// The first of them.
    pub approval: AssertionEvidence,
    /// The others, in the order they were given; empty if one was enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_approvals: Vec<AssertionEvidence>,
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
    /// As the log's entries tell it.
    #[serde(default, skip_serializing_if = "Keeping::is_empty")]
    pub keeping: Keeping,
    pub records: Vec<ProvenRecord>,
    /// Signed note (C2SP) over the tree that the proofs lead to.
    pub checkpoint: String,
    /// Verifier key of the log, as a signed note names it.
    pub log_key: String,
}
