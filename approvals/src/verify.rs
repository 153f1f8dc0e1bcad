//! Checks evidence offline: no database, no keys of ours, no trust in who hands it over.
use crate::evidence::{AssertionEvidence, Evidence};
use serde::Serialize;

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in words.
    pub check: String,
    pub ok: bool,
    /// What is wrong, or what exactly was found to be right.
    pub detail: String,
}

/// Everything that can be said about `evidence`. With `trusted_log_key` (a signed note's verifier key) the log
/// must be that one; without, the key in the evidence is taken, which proves integrity but not origin.
pub fn verify_evidence(evidence: &Evidence, trusted_log_key: Option<&str>) -> Vec<Finding> {
    let _ = (evidence, trusted_log_key);
    todo!()
}

/// Is this a passkey's signature, user present and verified, over exactly this content?
pub fn verify_assertion(evidence: &AssertionEvidence) -> Result<(), &'static str> {
    let _ = evidence;
    todo!()
}
