//! What is kept of a passkey's signature, so that anybody can check it later.
use serde::{Deserialize, Serialize};

/// A WebAuthn assertion and all that is needed to check it. Binary fields are base64url without padding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionEvidence {
    pub v: u8,
    /// Separates kinds of contents; see `anteroom_domain::content`.
    pub domain: String,
    pub rp_id: String,
    pub origin: String,
    /// The canonical content that was shown and signed.
    pub content: String,
    pub credential_id: String,
    /// The public key, as `webauthn-rs-core` writes a COSE key in JSON.
    pub cose_key: serde_json::Value,
    pub client_data_json: String,
    pub authenticator_data: String,
    pub signature: String,
}
