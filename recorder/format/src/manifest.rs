//! `manifest.json`: what a closed recording consists of, signed by the gateway.
use crate::{
    Track,
    strict::{self, FormError},
};
use anteroom_domain::canonical::{self, CanonicalError};
use anteroom_domain::{RecordingState, SessionId};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Whether the masked track was searched for sealed originals when the recording was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskCheck {
    /// Searched; none was found.
    Passed,
    /// At least one was found: `mask_incomplete`.
    Found,
    /// The writer died before it could search.
    NotRun,
}

/// One file of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentSummary {
    pub segment: u32,
    /// Length of the valid part in bytes. A torn file may hold more.
    pub bytes: u64,
    pub chunks: u64,
    pub events: u64,
    /// Chain hash of the last valid chunk, hex; the header's hash when there is none.
    pub head: String,
    /// Ends with its final chunk.
    pub finished: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackSummary {
    pub track: Track,
    pub segments: Vec<SegmentSummary>,
}

/// How much one channel carried. Numbers only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelCount {
    pub channel: u32,
    pub events: u64,
    pub input_bytes: u64,
    pub output_bytes: u64,
}

/// What is signed. Numbers are integers below 2^53, so that the canonical form exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`Manifest::FORMAT`].
    pub format: String,
    pub session: SessionId,
    pub gateway: String,
    /// SHA-256 of `header.json`, hex.
    pub header_sha256: String,
    pub rules_sha256: String,
    /// `complete` or `torn`.
    pub state: RecordingState,
    /// Time of the last recorded event, in microseconds since the session's start.
    pub duration_us: u64,
    pub tracks: Vec<TrackSummary>,
    /// Empty in a torn recording: they are not readable without keys.
    pub channels: Vec<ChannelCount>,
    pub mask_check: MaskCheck,
    /// Masked identifiers by type; never values.
    pub mask_counts: BTreeMap<String, u64>,
}

impl Manifest {
    pub const FORMAT: &str = "anteroom-manifest-v1";

    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        canonical::to_vec(self)
    }

    pub fn sha256(&self) -> Result<[u8; 32], CanonicalError> {
        Ok(Sha256::digest(self.to_bytes()?).into())
    }

    pub fn mask_incomplete(&self) -> bool {
        self.mask_check == MaskCheck::Found
    }
}

/// The file: a manifest, the key that signed it and the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedManifest {
    pub manifest: Manifest,
    /// Ed25519 public key, base64.
    pub key: String,
    /// Ed25519 over [`Manifest::FORMAT`], a zero byte and the manifest's canonical bytes; base64.
    pub signature: String,
}

/// Why a manifest file is not one of ours.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("signed by another key than the one its header announced")]
    OtherKey,
    #[error("the signature is wrong: changed after it was signed")]
    Signature,
}

impl From<CanonicalError> for ManifestError {
    fn from(e: CanonicalError) -> Self {
        Self::Form(e.into())
    }
}

impl SignedManifest {
    pub fn sign(manifest: Manifest, key: &SigningKey) -> Result<Self, ManifestError> {
        let signature = key.sign(&signed_bytes(&manifest)?);
        Ok(Self { manifest, key: public_text(key), signature: BASE64.encode(signature.to_bytes()) })
    }

    /// The bytes of `manifest.json`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ManifestError> {
        Ok(canonical::to_vec(self)?)
    }

    /// Parses `manifest.json` and checks its signature. `key` is the one that `header.json` announced, base64.
    pub fn verify(bytes: &[u8], key: &str) -> Result<Self, ManifestError> {
        let signed: Self = strict::decode(bytes)?;
        if signed.manifest.format != Manifest::FORMAT {
            return Err(FormError::Format(Manifest::FORMAT).into());
        }
        if signed.key != key {
            return Err(ManifestError::OtherKey);
        }
        let bytes: [u8; 32] = decode(key)?;
        let signature = Signature::from_bytes(&decode(&signed.signature)?);
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| ManifestError::Signature)?;
        key.verify_strict(&signed_bytes(&signed.manifest)?, &signature).map_err(|_| ManifestError::Signature)?;
        Ok(signed)
    }
}

/// The public half as `header.json` and manifests carry it.
pub fn public_text(key: &SigningKey) -> String {
    BASE64.encode(key.verifying_key().to_bytes())
}

fn signed_bytes(manifest: &Manifest) -> Result<Vec<u8>, CanonicalError> {
    let mut bytes = Manifest::FORMAT.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend_from_slice(&manifest.to_bytes()?);
    Ok(bytes)
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], ManifestError> {
    BASE64.decode(text).ok().and_then(|b| b.try_into().ok()).ok_or(ManifestError::Signature)
}
