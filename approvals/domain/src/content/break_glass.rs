//! Access in an emergency: what the person signs instead of an approver, and what somebody else signs afterwards.
use super::{Nonce, Signable};
use crate::{AccountName, Capabilities, Handle, Moment, PersonId, Reason, RequestId, SessionId, TargetId, TargetKind, TargetName};
use serde::{Deserialize, Serialize};

/// "*person* breaks the glass to reach *account* on *target* until then because ..., and knows that everybody is told."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassContent {
    pub v: u8,
    pub request: RequestId,
    pub person: PersonId,
    pub person_handle: Handle,
    /// The address it was asked from.
    pub source: String,
    pub target: TargetId,
    pub target_name: TargetName,
    pub target_kind: TargetKind,
    pub account: AccountName,
    pub capabilities: Capabilities,
    pub reason: Reason,
    #[serde(with = "time::serde::rfc3339")]
    pub from: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub until: Moment,
    pub nonce: Nonce,
}

impl Signable for BreakGlassContent {
    const DOMAIN: &'static str = "anteroom.break-glass.v1";
}

/// What whoever looked at it afterwards found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Justified,
    NotJustified,
}

impl Finding {
    pub const ALL: [Self; 2] = [Self::Justified, Self::NotJustified];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::NotJustified => "not_justified",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == s)
    }
}

/// "*reviewer* looked at what *person* did with it, in these sessions, and finds: ..."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassReview {
    pub v: u8,
    pub request: RequestId,
    pub person: PersonId,
    pub person_handle: Handle,
    pub reviewer: PersonId,
    pub reviewer_handle: Handle,
    pub target_name: TargetName,
    pub account: AccountName,
    pub reason: Reason,
    /// All that ran under it, oldest first.
    pub sessions: Vec<SessionId>,
    pub finding: Finding,
    /// In the reviewer's words.
    pub findings: Reason,
    pub nonce: Nonce,
}

impl Signable for BreakGlassReview {
    const DOMAIN: &'static str = "anteroom.break-glass-review.v1";
}
