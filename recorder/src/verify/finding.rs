//! What can be wrong with a recording: each kind of damage has a code of its own, which stays the same for programs that read it.
use anteroom_format::{Damage, EnvelopeError, ManifestError, Problem, strict::FormError};
use serde::Serialize;
use std::fmt;

/// An enum that knows all its values.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One kind of damage. In words for programs: in snake case, here and in JSON.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

codes! {
    /// There is no recording of this session.
    NoRecording,
    /// The disk, or the archive, could not be read.
    Unreadable,
    HeaderMissing,
    /// `header.json` is cut, changed or no header at all.
    HeaderMalformed,
    /// A format of another version.
    HeaderFormat,
    /// A whole header, of another session.
    HeaderOtherSession,
    /// `manifest.json` is cut or no manifest at all.
    ManifestMalformed,
    /// Signed by another key than the one the header names.
    ManifestOtherKey,
    /// Changed after it was signed.
    ManifestSignature,
    /// A whole manifest, of another recording.
    ManifestOtherRecording,
    /// It does not list what a recording consists of.
    ManifestTracks,
    SegmentMissing,
    /// There, but the manifest does not know it.
    SegmentUnlisted,
    /// Whole, and ends elsewhere than the manifest says: chunks are missing at the end, or another file took its place.
    SegmentOtherEnd,
    /// Of another recording, track or place.
    SegmentMisplaced,
    /// The file does not begin as a segment.
    SegmentMagic,
    /// The segment's own header was changed.
    SegmentHeader,
    /// Made by a newer or foreign writer.
    SegmentVersion,
    /// The last chunk of a closed recording is missing.
    FinalMissing,
    /// Bytes after the end.
    BytesAfterEnd,
    /// The file ends in the middle of a chunk.
    ChunkTruncated,
    /// A chunk's header holds what no writer writes.
    ChunkHeader,
    /// A chunk of the other track.
    ChunkOtherTrack,
    /// Chunks were taken out, put in or moved.
    ChunkOrder,
    /// Times run backwards.
    ChunkTime,
    /// A chunk was changed after it was written.
    ChunkChanged,
    /// An envelope is cut, changed or no envelope at all.
    EnvelopeMalformed,
    /// An envelope with the key of another segment.
    EnvelopeOtherSegment,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl From<&Problem> for Code {
    fn from(p: &Problem) -> Self {
        match p {
            Problem::Magic => Self::SegmentMagic,
            Problem::Version { .. } => Self::SegmentVersion,
            Problem::HeaderHash => Self::SegmentHeader,
            Problem::Truncated => Self::ChunkTruncated,
            Problem::OtherTrack => Self::ChunkOtherTrack,
            Problem::Track | Problem::Kind | Problem::Flags | Problem::Length | Problem::Count => Self::ChunkHeader,
            Problem::Time => Self::ChunkTime,
            Problem::Sequence { .. } => Self::ChunkOrder,
            Problem::AfterFinal => Self::BytesAfterEnd,
            Problem::Misplaced(_) => Self::SegmentMisplaced,
            // The last three are found with a key only.
            Problem::Chain | Problem::Cipher | Problem::Compression | Problem::Content(_) => Self::ChunkChanged,
        }
    }
}

impl From<&ManifestError> for Code {
    fn from(e: &ManifestError) -> Self {
        match e {
            ManifestError::Form(_) => Self::ManifestMalformed,
            ManifestError::OtherKey => Self::ManifestOtherKey,
            ManifestError::Signature => Self::ManifestSignature,
        }
    }
}

impl From<&EnvelopeError> for Code {
    fn from(e: &EnvelopeError) -> Self {
        match e {
            EnvelopeError::OtherSegment => Self::EnvelopeOtherSegment,
            _ => Self::EnvelopeMalformed,
        }
    }
}

/// Of `header.json`.
pub(super) fn header_code(e: &FormError) -> Code {
    match e {
        FormError::Format(_) => Code::HeaderFormat,
        _ => Code::HeaderMalformed,
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: Code,
    /// File name inside the recording's folder.
    pub file: String,
    /// Chunk number in that file, from 0.
    pub chunk: Option<u64>,
    /// Where in the file, in bytes.
    pub offset: Option<u64>,
    pub problem: String,
}

impl Finding {
    pub(super) fn new(code: Code, file: &str, problem: impl ToString) -> Self {
        Self { code, file: file.into(), chunk: None, offset: None, problem: problem.to_string() }
    }

    pub(super) fn at(mut self, chunk: Option<u64>, offset: u64) -> Self {
        (self.chunk, self.offset) = (chunk, Some(offset));
        self
    }

    pub(super) fn damage(file: &str, d: &Damage) -> Self {
        Self::new((&d.problem).into(), file, &d.problem).at(d.chunk, d.offset)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(chunk) = self.chunk {
            write!(f, ", chunk {chunk}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ", byte {offset}")?;
        }
        write!(f, ": {} [{}]", self.problem, self.code)
    }
}
