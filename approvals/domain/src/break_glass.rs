//! Access in an emergency. A grant like another, but made by the person's own passkey; somebody else looks at it afterwards.
use crate::{AccountName, CardId, GrantId, Handle, Moment, PersonId, Reason, RequestId, SessionId, TargetId, TargetName, content::Finding};
use serde::{Deserialize, Serialize};
use time::Duration;

/// The shortest and the longest time of one, and what is offered.
pub const SHORTEST: Duration = Duration::minutes(5);
pub const LONGEST: Duration = Duration::hours(4);
pub const USUAL: Duration = Duration::hours(1);

/// A grant that broke the glass, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlass {
    pub request: RequestId,
    pub grant: GrantId,
    pub person: PersonId,
    pub person_handle: Handle,
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
    pub reason: Reason,
    pub source: String,
    /// A sealed card opened it, while the database was away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardId>,
    #[serde(with = "time::serde::rfc3339")]
    pub from: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub until: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<Moment>,
    /// All that ran under it, oldest first.
    pub sessions: Vec<SessionId>,
    /// None: somebody has to look at it still.
    pub review: Option<Reviewed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewed {
    pub by: PersonId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    pub finding: Finding,
    pub findings: Reason,
}

impl BreakGlass {
    pub fn is_live(&self, now: Moment) -> bool {
        self.revoked_at.is_none() && self.from <= now && now < self.until
    }
}
