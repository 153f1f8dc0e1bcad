//! Keys of device managers: how they are written down, and what a signature is.
use base64::{Engine, engine::general_purpose::STANDARD as B64};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::fmt;

/// Of an Ed25519 key as X.509 has it (RFC 8410 section 4); the 32 bytes follow.
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// Longer than any way to write one.
const MAX_TEXT: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("this is a secret key; give the public one, which \"anteroom feed key\" prints")]
    Secret,
    #[error("not an Ed25519 public key: whpk_ and base64, or what \"openssl pkey -pubout\" writes, or a line ssh-ed25519")]
    Public,
    #[error("not a secret key: whsk_ and 32 bytes in base64; make one with: anteroom feed key")]
    NotSecret,
}

/// What a device manager's signatures are checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedKey(VerifyingKey);

impl fmt::Debug for FeedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl FeedKey {
    /// As people have it: `whpk_...`, PEM or an OpenSSH line.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(KeyError::Public);
        }
        if text.starts_with("whsk_") || text.contains("PRIVATE KEY") {
            return Err(KeyError::Secret);
        }
        let bytes = if let Some(b64) = text.strip_prefix("whpk_") {
            B64.decode(b64).ok()
        } else if let Some(pem) = text.strip_prefix("-----BEGIN PUBLIC KEY-----") {
            let b64: String = pem.strip_suffix("-----END PUBLIC KEY-----").unwrap_or_default().split_whitespace().collect();
            B64.decode(b64).ok().and_then(|der| der.strip_prefix(&SPKI).map(<[u8]>::to_vec))
        } else {
            let line = ssh_key::PublicKey::from_openssh(text).ok();
            line.and_then(|k| k.key_data().ed25519().map(|k| k.as_ref().to_vec()))
        };
        Self::of(&bytes.ok_or(KeyError::Public)?)
    }

    /// From its 32 bytes. A key that fits many signatures is none.
    pub fn of(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::Public)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Public)?;
        if key.is_weak() { Err(KeyError::Public) } else { Ok(Self(key)) }
    }

    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// `whpk_...`
    pub fn text(&self) -> String {
        format!("whpk_{}", B64.encode(self.0.to_bytes()))
    }

    pub(crate) fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

/// What a device manager signs with.
pub struct FeedSecret(SigningKey);

impl fmt::Debug for FeedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FeedSecret")
    }
}

impl FeedSecret {
    pub fn of(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// `whsk_` and the seed; libraries that keep the public key behind it are understood.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let bytes = text.trim().strip_prefix("whsk_").and_then(|b| B64.decode(b).ok()).ok_or(KeyError::NotSecret)?;
        let seed: [u8; 32] = bytes.get(..32).and_then(|s| s.try_into().ok()).ok_or(KeyError::NotSecret)?;
        let key = Self::of(seed);
        if bytes.len() == 32 || bytes[32..] == key.public().bytes() { Ok(key) } else { Err(KeyError::NotSecret) }
    }

    /// `whsk_...`: whoever has it signs.
    pub fn text(&self) -> String {
        format!("whsk_{}", B64.encode(self.0.to_bytes()))
    }

    pub fn public(&self) -> FeedKey {
        FeedKey(self.0.verifying_key())
    }

    /// The header `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let message = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        format!("v1a,{}", B64.encode(self.0.sign(&message).to_bytes()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Test 1 of RFC 8032 section 7.1, in the ways people have keys.
    #[test]
    fn the_same_key_in_every_way_it_is_written() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b,
            0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let secret = FeedSecret::of(seed);
        let key = secret.public();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", B64.encode([&SPKI[..], &key.bytes()].concat()));
        assert_eq!(pem.lines().nth(1), Some("MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), "as openssl writes it");
        let ssh = ssh_key::PublicKey::from(ssh_key::public::KeyData::Ed25519(ssh_key::public::Ed25519PublicKey(key.bytes())));
        for text in [key.text(), pem, ssh.to_openssh().unwrap()] {
            assert_eq!(FeedKey::read(&text).unwrap(), key, "{text}");
        }
        let back = FeedSecret::read(&format!(" {}\n", secret.text())).unwrap();
        assert_eq!(back.public(), key);
        let long = format!("whsk_{}", B64.encode([&seed[..], &key.bytes()].concat()));
        assert_eq!(FeedSecret::read(&long).unwrap().public(), key);
        assert!(!format!("{secret:?}").contains("nWGx"));
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let secret = FeedSecret::of([1; 32]);
        assert_eq!(FeedKey::read(&secret.text()).unwrap_err(), KeyError::Secret);
        assert_eq!(FeedKey::read("-----BEGIN PRIVATE KEY-----\nMC4=").unwrap_err(), KeyError::Secret);
        // Of small order: one signature would fit every message.
        let weak = format!("whpk_{}", B64.encode([&[1][..], &[0; 31]].concat()));
        let long = "x".repeat(1_000_000);
        for bad in ["", "whpk_", "whpk_AAAA", "ssh-rsa AAAA", "-----BEGIN PUBLIC KEY-----", &weak, &long] {
            assert_eq!(FeedKey::read(bad).unwrap_err(), KeyError::Public, "{bad:.60}");
        }
        for bad in ["", "whsk_AAAA", "whpk_AAAA"] {
            assert_eq!(FeedSecret::read(bad).unwrap_err(), KeyError::NotSecret);
        }
    }
}
