use crate::{AccountName, Capabilities, Moment, Obligations, PersonId, Reason, RequestId, TargetId, TargetName};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    Pending,
    Approved,
    Denied,
    Withdrawn,
}

impl RequestState {
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

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessRequest {
    pub id: RequestId,
    pub requester: PersonId,
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
    pub reason: Reason,
    #[serde(with = "time::serde::rfc3339")]
    pub from: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub until: Moment,
    pub capabilities: Capabilities,
    /// What policy asked for when it was made.
    pub obligations: Obligations,
    pub state: RequestState,
    /// Address the request was made from.
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
}

/// The longest time one request may ask for.
pub const MAX_GRANT: time::Duration = time::Duration::hours(24);
/// A request may begin this far in the future at most.
pub const MAX_AHEAD: time::Duration = time::Duration::days(30);
/// A "from" this much in the past still counts as "now": forms are filled slowly and clocks differ.
pub const CLOCK_SLACK: time::Duration = time::Duration::minutes(10);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("the end is not after the start")]
    EndNotAfterStart,
    #[error("the start lies in the past; leave it empty to start now")]
    StartInPast,
    #[error("the end lies in the past")]
    EndInPast,
    #[error("longer than 24 hours; ask for less and ask again when needed")]
    TooLong,
    #[error("the start lies more than 30 days ahead")]
    TooFarAhead,
}

/// Checks the wished-for time against "now" and returns it in whole seconds.
pub fn check_window(from: Moment, until: Moment, now: Moment) -> Result<(Moment, Moment), WindowError> {
    let whole = |m: Moment| m.replace_nanosecond(0).unwrap_or(m).to_offset(time::UtcOffset::UTC);
    let (from, until) = (whole(from), whole(until));
    if until <= from {
        Err(WindowError::EndNotAfterStart)
    } else if until <= now {
        Err(WindowError::EndInPast)
    } else if from < now - CLOCK_SLACK {
        Err(WindowError::StartInPast)
    } else if until - from > MAX_GRANT {
        Err(WindowError::TooLong)
    } else if from > now + MAX_AHEAD {
        Err(WindowError::TooFarAhead)
    } else {
        Ok((from, until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::{Duration, macros::datetime};
    const NOW: Moment = datetime!(2026-11-23 12:00:00.5 UTC);

    #[test]
    fn a_window_is_judged_by_the_clock_it_is_told() {
        assert!(check_window(NOW, NOW + Duration::hours(1), NOW).is_ok());
        let e = |f, u| check_window(NOW + f, NOW + u, NOW).unwrap_err();
        assert_eq!(e(Duration::ZERO, Duration::ZERO), WindowError::EndNotAfterStart);
        assert_eq!(e(-Duration::hours(2), Duration::hours(1)), WindowError::StartInPast);
        assert_eq!(e(-Duration::hours(2), -Duration::hours(1)), WindowError::EndInPast);
        assert_eq!(e(Duration::ZERO, Duration::hours(25)), WindowError::TooLong);
        assert_eq!(e(Duration::days(31), Duration::days(31) + Duration::hours(1)), WindowError::TooFarAhead);
    }
}
