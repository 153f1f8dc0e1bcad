//! Remembers what happened in a session, so that it can be shown and proved later.
//!
//! A gateway can write recordings and cannot read them: data keys are wrapped to public keys whose private halves live elsewhere
//! (invariant 3). Nothing typed and no raw output reaches the masked track (invariant 4).
#![forbid(unsafe_code)]

pub mod custody;
mod error;
mod event;
mod recorder;
mod recording;
mod replay;
mod verify;

pub use anteroom_format::{Manifest, MaskCheck, PrivateKey, PublicKey, RecordingHeader, SessionHeader, SignedManifest, Track};
pub use error::{OpenError, RecordError, RecordingFailed};
pub use event::{Event, EventKind, Pty};
pub use recorder::{Recipients, Recorder, RecorderOptions};
pub use recording::{LiveEvent, LiveKind, Recording, Sealed};
pub use replay::{Cast, ChannelInfo, RecordingInfo, ReplayError, Replayer};
pub use verify::{Finding, Report, Verdict, verify_dir};
