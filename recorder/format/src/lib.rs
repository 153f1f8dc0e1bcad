//! The recording container, version 1: what `docs/spec/recording-container.md` says, in code.
//!
//! Pure: bytes, keys and times in, bytes and findings out. No clock, no files, no randomness of its own.
#![forbid(unsafe_code)]

mod key;
mod manifest;
mod session;

pub use key::{KeyError, PrivateKey, PublicKey};
pub use manifest::{ChannelCount, Manifest, MaskCheck, SegmentSummary, SignedManifest, TrackSummary};
pub use session::{RecordingHeader, SessionHeader};

/// Which of the two tracks of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// What an auditor sees: re-rendered from classified cells.
    Masked,
    /// Everything, keystrokes included; opened by two key-holders together.
    Sealed,
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}
