//! Recipients' keys and their one-line text form.
use anteroom_domain::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hpke::{Deserializable, Kem, Serializable, kem::X25519HkdfSha256};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("not a line of the form `{expected} BASE64`")]
    Form { expected: &'static str },
    #[error("this is a private key where a public key belongs")]
    PrivateGiven,
    #[error("this is a public key where a private key belongs")]
    PublicGiven,
    #[error("the key is not 32 bytes of base64, or is no point of the curve")]
    Value,
}

const PUBLIC: &str = "anteroom-x25519-v1";
const PRIVATE: &str = "anteroom-x25519-private-v1";

/// To whom recordings are written (X25519). Safe to show.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

/// What opens them. Never on a gateway.
#[derive(Clone, Debug)]
pub struct PrivateKey(Secret<[u8; 32]>);

impl PublicKey {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Short name of the key: the first 16 bytes of its SHA-256, hex.
    pub fn id(&self) -> String {
        crate::hex(&Sha256::digest(self.0)[..16])
    }

    pub(crate) fn hpke(&self) -> Result<<X25519HkdfSha256 as Kem>::PublicKey, KeyError> {
        Deserializable::from_bytes(&self.0).map_err(|_| KeyError::Value)
    }
}

impl PrivateKey {
    /// From 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let (private, _) = X25519HkdfSha256::derive_keypair(seed);
        Self(Secret::new(private.to_bytes().into()))
    }

    pub fn public(&self) -> Result<PublicKey, KeyError> {
        Ok(PublicKey(X25519HkdfSha256::sk_to_pk(&self.hpke()?).to_bytes().into()))
    }

    pub(crate) fn hpke(&self) -> Result<<X25519HkdfSha256 as Kem>::PrivateKey, KeyError> {
        Deserializable::from_bytes(self.0.expose()).map_err(|_| KeyError::Value)
    }

    /// The line of a private key file.
    pub fn to_line(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PRIVATE} {}", BASE64.encode(self.0.expose())))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    fn from_str(s: &str) -> Result<Self, KeyError> {
        let bytes = parse(s, PUBLIC, PRIVATE, KeyError::PrivateGiven)?;
        let key = Self(*bytes);
        key.hpke()?;
        Ok(key)
    }
}

impl FromStr for PrivateKey {
    type Err = KeyError;
    fn from_str(s: &str) -> Result<Self, KeyError> {
        let key = Self(Secret::new(*parse(s, PRIVATE, PUBLIC, KeyError::PublicGiven)?));
        key.hpke()?;
        Ok(key)
    }
}

/// A comment may follow the key.
fn parse(s: &str, label: &'static str, other: &str, mixed_up: KeyError) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut words = s.split_ascii_whitespace();
    let found = words.next().unwrap_or_default();
    if found == other {
        return Err(mixed_up);
    }
    let value = words.next().filter(|_| found == label).ok_or(KeyError::Form { expected: label })?;
    let bytes = Zeroizing::new(BASE64.decode(value).map_err(|_| KeyError::Value)?);
    Ok(Zeroizing::new(bytes.as_slice().try_into().map_err(|_| KeyError::Value)?))
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC} {}", BASE64.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_survives_its_text_form() {
        let private = PrivateKey::from_seed(&[7; 32]);
        let public = private.public().unwrap();
        assert_eq!(public.to_string().parse::<PublicKey>().unwrap(), public);
        assert_eq!(format!("{} key of ward 4\n", *private.to_line()).parse::<PrivateKey>().unwrap().public().unwrap(), public);
        assert_eq!(format!("{private:?}"), "PrivateKey(Secret(..))");
    }

    #[test]
    fn keys_that_were_swapped_or_cut_say_so() {
        let private = PrivateKey::from_seed(&[7; 32]);
        let public = private.public().unwrap().to_string();
        assert_eq!(private.to_line().parse::<PublicKey>(), Err(KeyError::PrivateGiven));
        assert_eq!(public.parse::<PrivateKey>().unwrap_err(), KeyError::PublicGiven);
        assert_eq!(public[..public.len() - 5].parse::<PublicKey>(), Err(KeyError::Value));
        assert_eq!("ssh-ed25519 AAAA".parse::<PublicKey>(), Err(KeyError::Form { expected: PUBLIC }));
    }
}
