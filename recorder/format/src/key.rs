//! Recipients' keys and their one-line text form.
use crate::{
    hpke_base,
    opener::{OpenError, Opener, Share, Wrapped},
};
use anteroom_domain::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hpke::{
    Deserializable, Kem, Serializable,
    kem::{DhP256HkdfSha256, X25519HkdfSha256},
};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("not a line of the form `{X25519} BASE64` or `{P256} BASE64`")]
    PublicForm,
    #[error("not a line of the form `{X25519_PRIVATE} BASE64` or `{P256_PRIVATE} BASE64`")]
    PrivateForm,
    #[error("this is a private key where a public key belongs")]
    PrivateGiven,
    #[error("this is a public key where a private key belongs")]
    PublicGiven,
    #[error("the key is cut, no base64, or no point of its curve")]
    Value,
}

const X25519: &str = "anteroom-x25519-v1";
const X25519_PRIVATE: &str = "anteroom-x25519-private-v1";
const P256: &str = "anteroom-p256-v1";
const P256_PRIVATE: &str = "anteroom-p256-private-v1";

/// Which key agreement (RFC 9180 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// DHKEM(X25519, HKDF-SHA256).
    X25519,
    /// DHKEM(P-256, HKDF-SHA256): what hardware has.
    P256,
}

/// To whom recordings are written. Safe to show.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(Point);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Point {
    X25519([u8; 32]),
    /// Uncompressed (SEC 1 section 2.3.3): 4, x, y.
    P256([u8; 65]),
}

/// What opens them, in memory. Never on a gateway.
#[derive(Clone, Debug)]
pub struct PrivateKey {
    secret: Secret<[u8; 32]>,
    public: PublicKey,
}

impl PublicKey {
    /// From the form that RFC 9180 calls SerializePublicKey: 32 bytes of X25519, or an uncompressed point of P-256.
    pub fn from_bytes(curve: Curve, bytes: &[u8]) -> Result<Self, KeyError> {
        let value = |_| KeyError::Value;
        match curve {
            Curve::X25519 => {
                <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(bytes).map_err(value)?;
                Ok(Self(Point::X25519(bytes.try_into().map_err(|_| KeyError::Value)?)))
            }
            Curve::P256 => {
                <DhP256HkdfSha256 as Kem>::PublicKey::from_bytes(bytes).map_err(value)?;
                Ok(Self(Point::P256(bytes.try_into().map_err(|_| KeyError::Value)?)))
            }
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Point::X25519(b) => b,
            Point::P256(b) => b,
        }
    }

    pub fn curve(&self) -> Curve {
        match self.0 {
            Point::X25519(_) => Curve::X25519,
            Point::P256(_) => Curve::P256,
        }
    }

    /// Short name of the key: the first 16 bytes of its SHA-256, hex.
    pub fn id(&self) -> String {
        crate::hex(&Sha256::digest(self.as_bytes())[..16])
    }

    /// Whether `line` looks like a key's line, right or wrong; a path otherwise.
    pub fn is_line(line: &str) -> bool {
        [X25519, X25519_PRIVATE, P256, P256_PRIVATE].contains(&line.split_ascii_whitespace().next().unwrap_or_default())
    }
}

impl PrivateKey {
    /// X25519, from 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self::derive(Curve::X25519, seed)
    }

    /// DeriveKeyPair of RFC 9180 section 7.1.3, from 32 random bytes.
    pub fn derive(curve: Curve, seed: &[u8; 32]) -> Self {
        match curve {
            Curve::X25519 => {
                let (private, public) = X25519HkdfSha256::derive_keypair(seed);
                Self { secret: Secret::new(private.to_bytes().into()), public: PublicKey(Point::X25519(public.to_bytes().into())) }
            }
            Curve::P256 => {
                let (private, public) = DhP256HkdfSha256::derive_keypair(seed);
                Self { secret: Secret::new(private.to_bytes().into()), public: PublicKey(Point::P256(public.to_bytes().into())) }
            }
        }
    }

    fn from_bytes(curve: Curve, secret: Secret<[u8; 32]>) -> Result<Self, KeyError> {
        let bytes = secret.expose();
        let value = |_| KeyError::Value;
        let public = match curve {
            Curve::X25519 => {
                let private = Deserializable::from_bytes(bytes).map_err(value)?;
                PublicKey(Point::X25519(X25519HkdfSha256::sk_to_pk(&private).to_bytes().into()))
            }
            Curve::P256 => {
                let private = Deserializable::from_bytes(bytes).map_err(value)?;
                PublicKey(Point::P256(DhP256HkdfSha256::sk_to_pk(&private).to_bytes().into()))
            }
        };
        Ok(Self { secret, public })
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Opens what is no share, whatever its length.
    pub(crate) fn open_any(&self, wrapped: &Wrapped<'_>) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match self.public.curve() {
            Curve::X25519 => hpke_base::open::<X25519HkdfSha256>(self.secret.expose(), wrapped),
            Curve::P256 => hpke_base::open::<DhP256HkdfSha256>(self.secret.expose(), wrapped),
        }
    }

    /// The line of a private key file.
    pub fn to_line(&self) -> Zeroizing<String> {
        let label = match self.public.curve() {
            Curve::X25519 => X25519_PRIVATE,
            Curve::P256 => P256_PRIVATE,
        };
        Zeroizing::new(format!("{label} {}", BASE64.encode(self.secret.expose())))
    }
}

/// A key in memory does the whole of HPKE itself.
impl Opener for PrivateKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn open(&self, wrapped: &Wrapped<'_>) -> Result<Share, OpenError> {
        hpke_base::share_of(&self.open_any(wrapped)?)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;
    fn from_str(s: &str) -> Result<Self, KeyError> {
        let (label, value) = words(s);
        let curve = match label {
            X25519 => Curve::X25519,
            P256 => Curve::P256,
            X25519_PRIVATE | P256_PRIVATE => return Err(KeyError::PrivateGiven),
            _ => return Err(KeyError::PublicForm),
        };
        let bytes = BASE64.decode(value.ok_or(KeyError::PublicForm)?).map_err(|_| KeyError::Value)?;
        Self::from_bytes(curve, &bytes)
    }
}

impl FromStr for PrivateKey {
    type Err = KeyError;
    fn from_str(s: &str) -> Result<Self, KeyError> {
        let (label, value) = words(s);
        let curve = match label {
            X25519_PRIVATE => Curve::X25519,
            P256_PRIVATE => Curve::P256,
            X25519 | P256 => return Err(KeyError::PublicGiven),
            _ => return Err(KeyError::PrivateForm),
        };
        let bytes = Zeroizing::new(BASE64.decode(value.ok_or(KeyError::PrivateForm)?).map_err(|_| KeyError::Value)?);
        Self::from_bytes(curve, Secret::new(bytes.as_slice().try_into().map_err(|_| KeyError::Value)?))
    }
}

/// Label and key; a comment may follow.
fn words(s: &str) -> (&str, Option<&str>) {
    let mut words = s.split_ascii_whitespace();
    (words.next().unwrap_or_default(), words.next())
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = match self.curve() {
            Curve::X25519 => X25519,
            Curve::P256 => P256,
        };
        write!(f, "{label} {}", BASE64.encode(self.as_bytes()))
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

    const CURVES: [Curve; 2] = [Curve::X25519, Curve::P256];

    #[test]
    fn a_key_survives_its_text_form() {
        for curve in CURVES {
            let private = PrivateKey::derive(curve, &[7; 32]);
            let public = private.public();
            assert_eq!(public.to_string().parse::<PublicKey>().unwrap(), *public);
            assert_eq!(format!("{} key of ward 4\n", *private.to_line()).parse::<PrivateKey>().unwrap().public(), public);
            assert!(format!("{private:?}").starts_with("PrivateKey { secret: Secret(..)"));
        }
    }

    #[test]
    fn keys_that_were_swapped_or_cut_say_so() {
        for curve in CURVES {
            let private = PrivateKey::derive(curve, &[7; 32]);
            let public = private.public().to_string();
            assert_eq!(private.to_line().parse::<PublicKey>(), Err(KeyError::PrivateGiven));
            assert_eq!(public.parse::<PrivateKey>().unwrap_err(), KeyError::PublicGiven);
            assert_eq!(public[..public.len() - 5].parse::<PublicKey>(), Err(KeyError::Value));
        }
        assert_eq!("ssh-ed25519 AAAA".parse::<PublicKey>(), Err(KeyError::PublicForm));
        assert_eq!("ssh-ed25519 AAAA".parse::<PrivateKey>().unwrap_err(), KeyError::PrivateForm);
    }

    #[test]
    fn a_point_that_is_not_on_its_curve_is_no_key() {
        let mut off = PrivateKey::derive(Curve::P256, &[7; 32]).public().as_bytes().to_vec();
        off[64] ^= 1;
        assert_eq!(PublicKey::from_bytes(Curve::P256, &off), Err(KeyError::Value));
        assert_eq!(PublicKey::from_bytes(Curve::P256, &[0; 32]), Err(KeyError::Value));
    }
}
