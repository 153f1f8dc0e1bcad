//! What is kept of a passkey's signature, so that anybody can check it later.
use anteroom_domain::canonical;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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

impl AssertionEvidence {
    /// How other contents name the passkey that signed this; see [`key_sha256`].
    pub fn key_sha256(&self) -> Option<String> {
        key_sha256(&self.cose_key)
    }
}

/// SHA-256 of a COSE key's canonical JSON, lower-case hexadecimal. None for what has no canonical form, which no key of a passkey is.
pub fn key_sha256(cose_key: &serde_json::Value) -> Option<String> {
    let canonical = canonical::to_vec(cose_key).ok()?;
    Some(anteroom_domain::hex(&Sha256::digest(canonical)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_has_one_name_however_its_fields_are_ordered() {
        let named = key_sha256(&json!({"type_": "ES256", "key": {"y": "B", "x": "A"}}));
        assert_eq!(named, key_sha256(&json!({"key": {"x": "A", "y": "B"}, "type_": "ES256"})));
        assert_ne!(named, key_sha256(&json!({"key": {"x": "A", "y": "C"}, "type_": "ES256"})));
        assert!(named.is_some_and(|n| n.len() == 64));
    }
}
