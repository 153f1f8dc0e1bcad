//! A wish to see an interval of a recording as it was, before and after two key-holders answered it.
use crate::{CanonicalText, Handle, Moment, PersonId, Reason, SessionId, UnmaskId};
use serde::{Deserialize, Serialize};

/// What the database says of it. That its time is over is nobody's answer: see [`UnmaskStage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnmaskState {
    /// Fewer than two key-holders have approved.
    Pending,
    /// Two have: the requester may open it.
    Approved,
    /// One key-holder said no.
    Denied,
    /// The requester took it back, before or after it was approved.
    Withdrawn,
}

impl UnmaskState {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Approved, Self::Denied, Self::Withdrawn];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == s)
    }
}

/// The state as people see it at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnmaskStage {
    Waiting,
    /// It can be opened.
    Open,
    Denied,
    Withdrawn,
    /// Its time passed before two key-holders had approved.
    Expired,
    /// It was open, and its time is over.
    Ended,
}

/// How many key-holders have to approve.
pub const HOLDERS_NEEDED: usize = 2;

/// The longest interval one request may ask for: what is needed for the reason, not a day of somebody's work (45 CFR 164.502(b)).
pub const MAX_INTERVAL_US: u64 = 4 * 3600 * 1_000_000;

/// For how long a request may be used, from when it was asked, in hours.
pub const USES_HOURS: [u8; 4] = [1, 8, 24, 72];
/// Unless something else is chosen.
pub const USUAL_HOURS: u8 = 8;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmaskRequest {
    pub id: UnmaskId,
    pub session: SessionId,
    /// Hash of the recording's `header.json`, hex.
    pub header_sha256: String,
    /// Whose session it was.
    pub session_person: Handle,
    /// `ACCOUNT@TARGET`.
    pub session_target: CanonicalText,
    #[serde(with = "time::serde::rfc3339")]
    pub session_started_at: Moment,
    /// Microseconds since the session's start; the interval is `from_us..=until_us`.
    pub from_us: u64,
    pub until_us: u64,
    pub requester: PersonId,
    pub requester_handle: Handle,
    pub reason: Reason,
    pub state: UnmaskState,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
    /// Nothing is approved or opened from here on.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: Moment,
}

impl UnmaskRequest {
    pub fn stage(&self, now: Moment) -> UnmaskStage {
        let over = self.expires_at <= now;
        match self.state {
            UnmaskState::Pending if over => UnmaskStage::Expired,
            UnmaskState::Pending => UnmaskStage::Waiting,
            UnmaskState::Approved if over => UnmaskStage::Ended,
            UnmaskState::Approved => UnmaskStage::Open,
            UnmaskState::Denied => UnmaskStage::Denied,
            UnmaskState::Withdrawn => UnmaskStage::Withdrawn,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntervalError {
    #[error("the end is not after the start")]
    EndNotAfterStart,
    #[error("the recording is shorter than that")]
    BeyondRecording,
    #[error("longer than 4 hours; ask for less, or ask more than once")]
    TooLong,
}

/// An interval lies in a recording of this length, is not empty and not too long.
pub fn check_interval(from_us: u64, until_us: u64, length_us: u64) -> Result<(), IntervalError> {
    if until_us <= from_us {
        Err(IntervalError::EndNotAfterStart)
    } else if until_us > length_us {
        Err(IntervalError::BeyondRecording)
    } else if until_us - from_us > MAX_INTERVAL_US {
        Err(IntervalError::TooLong)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const HOUR: u64 = 3600 * 1_000_000;

    #[test]
    fn an_interval_lies_in_the_recording_and_has_an_end() {
        assert_eq!(check_interval(0, HOUR, HOUR), Ok(()));
        assert_eq!(check_interval(HOUR, HOUR, 2 * HOUR), Err(IntervalError::EndNotAfterStart));
        assert_eq!(check_interval(0, HOUR + 1, HOUR), Err(IntervalError::BeyondRecording));
        assert_eq!(check_interval(HOUR, 5 * HOUR, 8 * HOUR), Ok(()));
        assert_eq!(check_interval(HOUR, 5 * HOUR + 1, 8 * HOUR), Err(IntervalError::TooLong));
    }
}
