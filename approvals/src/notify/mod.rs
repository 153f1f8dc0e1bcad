//! What people and other systems are told outside of the portal: e-mail and signed webhooks.
//!
//! A notice is written in the transaction that made it true ([`enqueue`]) and carried out later, with retries. It holds ids, handles, names
//! of targets and a link, and nothing else: what somebody wrote (reasons, comments) and what a session showed cannot be put into one.
mod address;
mod alarms;
mod deliver;
mod mail;
mod manage;
mod webhook;
mod words;

pub use address::{Forbidden, check as check_address};
pub(crate) use alarms::{KEEPERS, Told, WATCHERS};
pub use mail::{MailAddress, MailAuthority, MailSecurity, MailServer};
pub use webhook::{SecretError, Webhook, WebhookSecret};

use crate::{StoreError, clock, store};
use anteroom_domain::{GrantId, GroupName, Handle, Moment, PersonId, Quorum, RequestId, RequestState, Role, Roles, SessionId, TargetName};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

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
    /// Two officers signed a break-glass card.
    CardIssued,
    CardRevoked,
    /// A card was used although it did not count, or twice.
    CardMisused,
    /// A gateway went on without its database; told when that is over.
    SafeMode,
    /// A machine that somebody works from is reported as unprotected.
    Posture,
    /// More patients were seen than is usual.
    PatientsSeen,
    /// A command that policy watches for.
    Command,
    Locked,
    /// A gateway cannot read the policy that counts, and goes by the one before.
    PolicyUnread,
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
    /// It has begun, and its target is not touched before somebody watches.
    #[serde(rename = "session.waiting")]
    SessionWaiting { session: SessionId, person: Handle, target: TargetName },
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

/// The ways out of here.
#[derive(Debug, Default)]
pub struct Channels {
    pub mail: Option<MailServer>,
    pub webhooks: Vec<Webhook>,
}

/// Why something was not delivered, in words without a secret and without what the other side sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undelivered(pub(crate) String);

/// What was given up, or failed and is tried again.
#[derive(Debug, Clone, Serialize)]
pub struct TroubledNotice {
    pub id: Uuid,
    pub title: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    /// `mail` or `webhook`
    pub channel: String,
    /// A handle, or a webhook's name.
    pub recipient: String,
    pub attempts: i32,
    #[serde(with = "time::serde::rfc3339")]
    pub next_at: Moment,
    /// Given up.
    #[serde(with = "time::serde::rfc3339::option")]
    pub dead_at: Option<Moment>,
    pub last_error: String,
}

/// The page that shows it to somebody with these roles; none: to whoever has to look at it.
fn link(what: &What, reader: Option<&Roles>, portal: &Url) -> Result<Url, Undelivered> {
    portal.join(&what.path(reader)).map_err(|_| Undelivered("the portal's address is none".into()))
}

/// What a webhook gets: type, time, and the notice's own fields with a link.
fn payload(what: &What, at: Moment, portal: &Url) -> Result<String, Undelivered> {
    let damaged = || Undelivered("the notice cannot be written".into());
    let mut data = serde_json::to_value(what).map_err(|_| damaged())?;
    let fields = data.as_object_mut().ok_or_else(damaged)?;
    fields.remove("type");
    fields.insert("title".into(), what.title().into());
    fields.insert("link".into(), link(what, None, portal)?.as_str().into());
    Ok(serde_json::json!({ "type": what.kind(), "timestamp": clock::text(at), "data": data }).to_string())
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
