use crate::{
    AccountId, AccountName, Capabilities, GrantId, Moment, Obligations, PersonId, Reason, RequestId, TargetId, TargetName, TicketNumber,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    Pending,
    Approved,
    Denied,
    Withdrawn,
    /// Nobody answered in time.
    Expired,
}

impl RequestState {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Denied, Self::Withdrawn, Self::Expired];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == s)
    }
}

/// A login on a target, as a request names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountId,
    pub account_name: AccountName,
}

/// What a request may ask for beside one login at one time. Every default asks for nothing more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asks {
    /// Beside the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<TicketNumber>,
    /// The same time again in each of so many following weeks.
    #[serde(skip_serializing_if = "is_zero")]
    pub weeks: u8,
    /// The grant that ends too soon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<GrantId>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it so
fn is_zero(n: &u8) -> bool {
    *n == 0
}

impl Asks {
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Most logins of one request.
pub const MAX_PLACES: usize = 10;
/// A time may come back in so many following weeks.
pub const MAX_WEEKS: u8 = 12;

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
    #[serde(default, skip_serializing_if = "Asks::is_plain")]
    pub asks: Asks,
    pub state: RequestState,
    /// Address the request was made from.
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
    /// From then on nobody can approve it. None in evidence from before 2026-11-26.
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
}

impl AccessRequest {
    /// Every time it asks for: from, until. The first is `from` and `until`, the others are whole weeks later.
    pub fn times(&self) -> impl Iterator<Item = (Moment, Moment)> {
        (0..=i64::from(self.asks.weeks)).map(|w| time::Duration::weeks(w)).map(|w| (self.from + w, self.until + w))
    }
    pub fn target_names(&self) -> Vec<TargetName> {
        std::iter::once(&self.target_name).chain(self.asks.more.iter().map(|p| &p.target_name)).cloned().collect()
    }
    /// The end of the last of its times.
    pub fn last_until(&self) -> Moment {
        self.until + time::Duration::weeks(i64::from(self.asks.weeks))
    }
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
