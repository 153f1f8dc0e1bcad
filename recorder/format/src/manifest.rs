//! `manifest.json`: what a closed recording consists of, signed by the gateway.
use crate::Track;
use anteroom_domain::canonical::{self, CanonicalError};
use anteroom_domain::{RecordingState, SessionId};
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
