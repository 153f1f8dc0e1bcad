//! What people and other systems are told outside of the portal: e-mail and signed webhooks.
//!
//! A notice is written in the transaction that made it true ([`enqueue`]) and carried out later, with retries. It holds ids, handles, names
//! of targets and a link, and nothing else: what somebody wrote (reasons, comments) and what a session showed cannot be put into one.
mod words;

use crate::{StoreError, clock, store};
use anteroom_domain::{GrantId, GroupName, Handle, Moment, PersonId, Quorum, RequestId, RequestState, Role, SessionId, TargetName};
use serde::{Deserialize, Serialize};

/// Whom an e-mail goes to. Webhooks get every notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    Person(PersonId),
    /// Everybody who has this role and is not suspended.
    Role(Role),
    /// Approvers of this group.
    Approvers(GroupName),
}

/// Something that somebody has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    BreakGlass,
    /// A use of break-glass that nobody has reviewed in time.
    BreakGlassUnreviewed,
    SafeMode,
    /// A device manager's reports are missing, or a device's are bad.
    Posture,
    /// More patients were seen than is usual.
    PatientsSeen,
    /// A command that policy watches for.
    Command,
    Locked,
}

/// What happened. The names are the webhooks' event types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum What {
    #[serde(rename = "request.waiting")]
    RequestWaiting { request: RequestId, requester: Handle, targets: Vec<TargetName> },
    /// `state`: approved, denied or expired.
    #[serde(rename = "request.answered")]
    RequestAnswered { request: RequestId, requester: Handle, targets: Vec<TargetName>, state: RequestState },
    #[serde(rename = "request.commented")]
    RequestCommented { request: RequestId, by: Handle, targets: Vec<TargetName> },
    #[serde(rename = "alarm")]
    Alarm {
        alarm: Alarm,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<Handle>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<TargetName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
    },
    /// `anteroom notify test`
    #[serde(rename = "test")]
    Test,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub to: Vec<To>,
    #[serde(flatten)]
    pub what: What,
}

impl Notice {
    /// An alarm to everybody with one of these roles.
    pub fn alarm(alarm: Alarm, roles: &[Role], person: Option<Handle>, target: Option<TargetName>, session: Option<SessionId>) -> Self {
        Self { to: roles.iter().map(|r| To::Role(*r)).collect(), what: What::Alarm { alarm, person, target, session, grant: None } }
    }
}

/// Part of the transaction: nobody is told of what did not happen, and what happened is told.
pub(crate) async fn enqueue(tx: &mut sqlx::PgConnection, notice: &Notice, at: Moment) -> Result<(), StoreError> {
    store::notices::insert(tx, clock::new_id(), notice, at).await
}

/// Whom quorums ask now.
pub(crate) fn asked(quorums: &[Quorum], ordered: bool) -> Vec<To> {
    let now = if ordered { 1 } else { quorums.len() };
    quorums.iter().take(now).map(|q| q.group.clone().map_or(To::Role(Role::Approver), To::Approvers)).collect()
}
