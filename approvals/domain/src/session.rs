use crate::{AccountName, GrantId, Moment, PersonId, SessionId, TargetId, TargetName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a session is over. Shown to its user, to the auditor and in the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndReason {
    /// The user's client left.
    ClientClosed,
    /// The target closed the connection.
    TargetClosed,
    /// The target could not be reached, or was not the one that is pinned.
    TargetUnreachable,
    /// The grant reached its end.
    GrantEnded,
    GrantRevoked,
    PersonSuspended,
    /// Policy no longer allows it.
    PolicyDenied,
    /// Policy came to ask for something that a running session cannot be given: masking in the person's own terminal, or less than it may.
    PolicyAsksMore,
    /// Its person, target or company was locked.
    Locked,
    /// Nobody watched it for too long, and it may not run unwatched.
    Unwatched,
    /// Somebody ended it on purpose.
    Terminated {
        by: PersonId,
    },
    /// It could not be recorded any longer (invariant 2).
    RecordingFailed,
    /// The gateway was stopped in good order.
    GatewayStopped,
    /// The gateway died; found out after its restart.
    GatewayLost,
    Idle,
}

impl EndReason {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ClientClosed => "client_closed",
            Self::TargetClosed => "target_closed",
            Self::TargetUnreachable => "target_unreachable",
            Self::GrantEnded => "grant_ended",
            Self::GrantRevoked => "grant_revoked",
            Self::PersonSuspended => "person_suspended",
            Self::PolicyDenied => "policy_denied",
            Self::PolicyAsksMore => "policy_asks_more",
            Self::Locked => "locked",
            Self::Unwatched => "unwatched",
            Self::Terminated { .. } => "terminated",
            Self::RecordingFailed => "recording_failed",
            Self::GatewayStopped => "gateway_stopped",
            Self::GatewayLost => "gateway_lost",
            Self::Idle => "idle",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientClosed => "the client left",
            Self::TargetClosed => "the target closed the connection",
            Self::TargetUnreachable => "the target could not be reached",
            Self::GrantEnded => "the grant has ended",
            Self::GrantRevoked => "the grant was revoked",
            Self::PersonSuspended => "the person was suspended",
            Self::PolicyDenied => "policy no longer allows it",
            Self::PolicyAsksMore => "policy has come to ask for more than this session has; connect again",
            Self::Locked => "access was locked",
            Self::Unwatched => "no supervisor watched it",
            Self::Terminated { .. } => "it was terminated by a supervisor",
            Self::RecordingFailed => "it could not be recorded any longer",
            Self::GatewayStopped => "the gateway was stopped",
            Self::GatewayLost => "the gateway died",
            Self::Idle => "nothing happened for too long",
        })
    }
}

/// What is known of a session's recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingState {
    /// Being written.
    Recording,
    /// Closed in good order, manifest in the audit log.
    Complete,
    /// Cut short (crash, full disk); what was acknowledged is there.
    Torn,
}

impl RecordingState {
    pub const ALL: [Self; 3] = [Self::Recording, Self::Complete, Self::Torn];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Complete => "complete",
            Self::Torn => "torn",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == s)
    }
}

/// A session as the database remembers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionRecord {
    pub id: SessionId,
    pub grant: GrantId,
    pub person: PersonId,
    pub person_handle: String,
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
    /// Client's IP address.
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<Moment>,
    pub end_reason: Option<String>,
    pub recording: RecordingState,
    /// A sealed original was seen in the masked track: only unmask-cleared people may open it.
    pub mask_incomplete: bool,
    /// Number of masked identifiers by type; never values.
    pub mask_counts: std::collections::BTreeMap<String, u64>,
    /// A legal hold is on the recording: it is not shredded.
    #[serde(default)]
    pub held: bool,
    /// Since when nobody can open the recording: its keys were destroyed.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub shredded_at: Option<Moment>,
}
