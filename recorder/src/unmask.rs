//! Seeing an interval of a recording as it was: what is asked of the unsealer, and what it gives.
//!
//! The sealed track's keys are with the unsealer, another process on another machine or under another user. It gives away the keys of the
//! interval's chunks, wrapped to a key that was made for this one viewing.
use crate::custody::{self, CustodyError};
use anteroom_assertion::AssertionEvidence;
use anteroom_domain::{Moment, SessionId, UnmaskId, terminal::Later};
use anteroom_format::{PrivateKey, Release, ReleaseError, ReleasedChunk};
use serde::{Deserialize, Serialize};
use std::{
    fmt, io,
    time::{Duration, Instant},
};

/// What convinces the unsealer: signatures, and nothing that a database or a portal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmaskProof {
    /// Of `anteroom_domain::content::UnmaskContent`, by at least two key-holders.
    pub approvals: Vec<AssertionEvidence>,
    /// Of `anteroom_domain::content::UnmaskOpening`, by the requester, just now. Used once.
    pub opening: AssertionEvidence,
}

/// The key pair of one viewing. Its private half never leaves this value.
pub struct Recipient {
    key: PrivateKey,
    line: String,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recipient").field(&self.line).finish()
    }
}

impl Recipient {
    pub fn generate() -> Result<Self, CustodyError> {
        let key = custody::generate()?;
        let line = key.public().to_string();
        Ok(Self { key, line })
    }

    /// The public half, as it goes into the opening that the requester signs.
    pub fn line(&self) -> String {
        self.line.clone()
    }
}

/// Keys of an interval's chunks. They are forgotten (overwritten) when this is dropped, and refused after `expires_at`.
pub struct Released {
    unmask: UnmaskId,
    session: SessionId,
    header_sha256: String,
    from: Duration,
    until: Duration,
    expires_at: Moment,
    deadline: Instant,
    chunks: Vec<ReleasedChunk>,
}

impl fmt::Debug for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session, from, until, .. } = self;
        write!(f, "Released({session}, {from:?} to {until:?}, {} chunks)", self.chunks.len())
    }
}

impl Released {
    /// Opens what the unsealer answered. `now` is the wall clock's: the time that is left counts from here on by a clock nobody sets.
    pub fn open(release: &Release, recipient: &Recipient, now: Moment) -> Result<Self, UnsealError> {
        let chunks = release.open(&recipient.key)?;
        let c = &release.content;
        let left = Duration::try_from(c.expires_at - now).unwrap_or_default();
        let now = Instant::now();
        Ok(Self {
            unmask: c.unmask,
            session: c.session,
            header_sha256: c.header_sha256.clone(),
            from: Duration::from_micros(c.from_us),
            until: Duration::from_micros(c.until_us),
            expires_at: c.expires_at,
            deadline: now.checked_add(left).unwrap_or(now),
            chunks,
        })
    }

    pub fn unmask(&self) -> UnmaskId {
        self.unmask
    }
    pub fn session(&self) -> SessionId {
        self.session
    }
    /// Of the recording's `header.json`, hex.
    pub fn header_sha256(&self) -> &str {
        &self.header_sha256
    }
    /// Since the session's start.
    pub fn from(&self) -> Duration {
        self.from
    }
    /// Since the session's start, inclusive.
    pub fn until(&self) -> Duration {
        self.until
    }
    /// From here on nothing is shown with it.
    pub fn expires_at(&self) -> Moment {
        self.expires_at
    }
    /// How many chunks it opens; none where nothing happened in the interval.
    pub fn chunk_count(&self) -> usize {
        self.chunks.len()
    }
    /// Nothing when it has expired.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
    pub fn is_expired(&self) -> bool {
        self.time_left().is_zero()
    }

    pub(crate) fn chunks(&self) -> &[ReleasedChunk] {
        &self.chunks
    }
}

/// Why no keys came.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    #[error("the unsealer cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    #[error("the unsealer did not answer within {0:?}")]
    Slow(Duration),
    /// It looked and said no. `code` is stable (snake_case), `why` is for people; neither holds a key or recorded content.
    #[error("the unsealer refused: {why}")]
    Refused { code: String, why: String },
    #[error("the unsealer's answer is not understood")]
    Answer,
    #[error("the unsealer's answer is about something else")]
    OtherAnswer,
    #[error("what was released: {0}")]
    Release(#[from] ReleaseError),
}

/// Who has the sealed track's keys.
pub trait Unsealer: Send + Sync + fmt::Debug {
    /// The keys of the interval that `proof` is about, for `recipient`, whose line is in the opening. Bounded in time.
    fn release(&self, proof: UnmaskProof, recipient: Recipient) -> Later<'_, Result<Released, UnsealError>>;
}
