//! What is wrong with a segment, and where.
use std::fmt;

/// Where reading stopped being possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {offset}: {problem}", Place(*chunk))]
pub struct Damage {
    /// None: the segment's header.
    pub chunk: Option<u64>,
    /// First byte of the header or chunk that is not as it was written.
    pub offset: u64,
    pub problem: Problem,
}

struct Place(Option<u64>);
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("header"),
            Some(n) => write!(f, "chunk {n}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("not a recording segment")]
    Magic,
    #[error("version {version} with suite {suite} is not known to this reader")]
    Version { version: u16, suite: u8 },
    #[error("the header was changed")]
    HeaderHash,
    #[error("the file ends in the middle of it")]
    Truncated,
    #[error("unknown track")]
    Track,
    #[error("belongs to another track")]
    OtherTrack,
    #[error("unknown chunk kind")]
    Kind,
    #[error("unknown flags")]
    Flags,
    #[error("impossible length")]
    Length,
    #[error("impossible number of events")]
    Count,
    #[error("impossible time")]
    Time,
    #[error("out of order: chunk {found} where {expected} belongs")]
    Sequence { expected: u64, found: u64 },
    #[error("changed after it was written (chain hash differs)")]
    Chain,
    #[error("bytes follow the final chunk")]
    AfterFinal,
    #[error("belongs to another recording or place in it: {0}")]
    Misplaced(&'static str),
    #[error("does not decrypt: changed, or made with another key")]
    Cipher,
    #[error("does not decompress to the length it announced")]
    Compression,
    #[error("holds an event that no writer makes: {0}")]
    Content(&'static str),
}

impl Problem {
    pub fn at(self, chunk: Option<u64>, offset: u64) -> Damage {
        Damage { chunk, offset, problem: self }
    }
}
