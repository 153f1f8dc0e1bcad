//! Companies whose people keep some of the targets.
use crate::{CompanyId, DisplayName, GroupName, Moment};
use serde::{Deserialize, Serialize};
use time::{Date, Time};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Company {
    pub id: CompanyId,
    pub name: DisplayName,
    /// From then on its people reach nothing.
    #[serde(with = "time::serde::rfc3339")]
    pub contract_ends: Moment,
    /// Its people work only while somebody of the hospital watches.
    pub supervised: bool,
    /// One of this group of the hospital's own people has to approve what its people ask for; none: whoever the policies name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sponsors: Option<GroupName>,
}

/// What a company's contract says from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    pub ends: Moment,
    pub supervised: bool,
    pub sponsors: Option<GroupName>,
}

impl Company {
    pub fn contract(&self) -> Contract {
        Contract { ends: self.contract_ends, supervised: self.supervised, sponsors: self.sponsors.clone() }
    }
}

/// A contract that runs until a day runs to its last second, UTC.
pub fn last_moment(day: Date) -> Moment {
    day.with_time(Time::from_hms(23, 59, 59).unwrap_or(Time::MIDNIGHT)).assume_utc()
}
