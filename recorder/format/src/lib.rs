//! The recording container, version 1: what [`docs/spec/recording-container.md`](../../../docs/spec/recording-container.md) says, in code.
//!
//! Pure: bytes, keys and times in, bytes and findings out. No clock, no files, no randomness of its own.
#![forbid(unsafe_code)]

mod chain;
mod crypt;
mod damage;
mod desktop;
mod envelope;
mod event;
#[cfg(any(test, feature = "fuzz"))]
mod fuzz;
mod hpke_base;
mod index;
mod key;
pub mod layout;
mod manifest;
mod opener;
mod reader;
mod release;
mod session;
mod stored;
pub mod strict;
mod varint;
mod writer;

pub use chain::{ChainReader, Frame, ReadError};
pub use crypt::{ChunkKey, SegmentKey, SegmentSecret};
pub use damage::{Damage, Problem};
pub use desktop::{Desktop, MAX_PIXELS, MAX_SIDE, MAX_STATIC_CHANNELS, MAX_TILES, MAX_ZONES, Zone, is_size};
pub use envelope::{Envelope, EnvelopeError, MAX_SHARES, MAX_WRAPS, Wrap};
pub use event::{Body, Event, Events, FileLine, MAX_TEXT, Outcome};
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub use fuzz::fuzz;
pub use hpke_base::{check_enc, open_agreed, prove};
pub use index::{Carries, ChannelEntry, End, EndReason, IndexEntry, KeyframeAt, KeyframePart, MAX_PART, MAX_PARTS};
pub use key::{Curve, KeyError, PrivateKey, PublicKey};
pub use layout::{FrameHeader, Hash, Kind, SegmentHeader};
pub use manifest::{ChannelCount, Manifest, ManifestError, MaskCheck, SegmentSummary, SignedManifest, TrackSummary, public_text};
pub use opener::{OpenError, Opener, Share, Wrapped};
pub use reader::{Content, SegmentReader, Unpacker};
pub use release::{MAX_RELEASED, Release, ReleaseContent, ReleaseError, ReleasedChunk, ReleasedReader};
pub use session::{RecordingHeader, SessionHeader};
pub use writer::{Finished, Packer, Picture, Screen, SegmentStart, SegmentWriter, WriteError};

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

#[cfg(test)]
mod vectors;
