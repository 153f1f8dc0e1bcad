//! JSON files of which every byte counts: one canonical form, and nothing else is accepted.
use anteroom_domain::canonical::{self, CanonicalError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Files longer than this are not ours. In bytes.
pub const MAX_FILE: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error("longer than {MAX_FILE} bytes")]
    TooLong,
    #[error("cut short or not understood at column {0}")]
    Json(usize),
    #[error("not in canonical form: changed after it was written")]
    NotCanonical,
    #[error("its checksum differs: changed after it was written")]
    Checksum,
    #[error("another format than {0}")]
    Format(&'static str),
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Parses `bytes`, which must be exactly the canonical form of what they mean.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, FormError> {
    if bytes.len() > MAX_FILE {
        return Err(FormError::TooLong);
    }
    let value: T = serde_json::from_slice(bytes).map_err(|e| FormError::Json(e.column()))?;
    if canonical::to_vec(&value)? == bytes { Ok(value) } else { Err(FormError::NotCanonical) }
}

const CHECK: &str = "sha256";

/// Canonical form with one more member, `sha256`: the hex SHA-256 of the canonical form without it.
pub fn encode_checked<T: Serialize>(value: &T) -> Result<Vec<u8>, FormError> {
    let hash = crate::hex(&Sha256::digest(canonical::to_vec(value)?));
    let mut value = serde_json::to_value(value).map_err(CanonicalError::Json)?;
    let map = value.as_object_mut().ok_or(FormError::NotCanonical)?;
    map.insert(CHECK.into(), Value::String(hash));
    Ok(canonical::to_vec(&value)?)
}

pub fn decode_checked<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, FormError> {
    let mut value: Value = decode(bytes)?;
    let check = value.as_object_mut().and_then(|m| m.remove(CHECK)).ok_or(FormError::Checksum)?;
    let body = canonical::to_vec(&value)?;
    if check != Value::String(crate::hex(&Sha256::digest(&body))) {
        return Err(FormError::Checksum);
    }
    decode(&body)
}
