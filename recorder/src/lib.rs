//! Remembers what happened in a session, so that it can be shown and proved later.
//!
//! A gateway can write recordings and cannot read them: data keys are wrapped to public keys whose private halves live elsewhere
//! (invariant 3). Nothing typed and no raw output reaches the masked track (invariant 4).
#![forbid(unsafe_code)]

mod cast;
pub mod custody;
mod desk;
mod disk;
mod error;
mod event;
pub mod film;
mod follow;
mod growing;
mod lines;
mod masked_channel;
mod masked_lane;
mod masked_track;
mod ocr;
mod parts;
mod pool;
mod recorder;
mod recording;
mod recover;
mod reel;
mod replay;
mod revealed;
mod safe;
mod screen;
mod seal;
mod sealed_lane;
mod shared;
mod shown;
pub mod shred;
mod storage;
mod store;
mod survey;
mod table;
mod tail;
mod track;
pub mod unmask;
mod verify;

pub use anteroom_format::{
    Desktop, Manifest, MaskCheck, Outcome, PrivateKey, PublicKey, RecordingHeader, SessionHeader, SignedManifest, Track, Zone,
};
pub use cast::Cast;
pub use desk::{ClearingStatus, DesktopOptions, MakeOcr};
pub use error::{OpenError, RecordError, RecordingFailed};
pub use event::{Event, EventKind, FileMoved, Pty};
pub use follow::{Follower, Live};
pub use ocr::{Halt, Tesseract};
pub use parts::Parts;
pub use recorder::{HURRY, Recipients, Recorder, RecorderOptions};
pub use recording::{LiveEvent, LiveKind, Recording, Sealed};
pub use reel::{Film, FilmFollower, FilmParts};
pub use replay::{ChannelInfo, ChannelKind, FileInfo, MAX_FILES, RecordingInfo, ReplayError, Replayer};
pub use storage::{ArchiveError, Refusal, SpoolStatus, Storage, StorageError, StorageOptions};
pub use store::find;
pub use survey::{BARS, MAX_LINES, MAX_MARKS, Mark, MarkKind, Quiet, ShownLine, Survey, Timeline};
pub use verify::{Code, Finding, Part, Report, Source, Verdict, verify, verify_dir};

#[cfg(test)]
extern crate self as anteroom_recorder;
#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[path = "../tests/common/desktop.rs"]
mod made_up;
