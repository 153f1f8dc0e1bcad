use crate::{AccountId, AccountName, Capabilities, GrantId, Moment, Obligations, PersonId, RequestId, TargetId, TargetName};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub request: RequestId,
    pub person: PersonId,
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountId,
    pub account_name: AccountName,
    pub capabilities: Capabilities,
    /// What policy asked for when it was made; what policy says at a connection comes on top.
    pub obligations: Obligations,
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<Moment>,
}

/// What a grant is worth at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    NotYet,
    Live,
    Expired,
    Revoked,
}

impl Grant {
    pub fn state(&self, now: Moment) -> GrantState {
        if self.revoked_at.is_some() {
            GrantState::Revoked
        } else if now < self.not_before {
            GrantState::NotYet
        } else if now >= self.not_after {
            GrantState::Expired
        } else {
            GrantState::Live
        }
    }
}
