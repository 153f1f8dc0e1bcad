//! Where `web` and `gateway` meet: the registry of live sessions implements this, the portal calls it.
use crate::{AccountName, GrantId, Moment, PersonId, SessionId, TargetId, TargetName};
use serde::Serialize;

/// One session that is running now on this gateway.
#[derive(Debug, Clone, Serialize)]
pub struct LiveSession {
    pub id: SessionId,
    pub grant: GrantId,
    pub person: PersonId,
    pub person_handle: String,
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
    pub source: String,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub grant_ends_at: Moment,
    /// Channels open at the moment.
    pub channels: usize,
    /// Bytes the target has sent so far.
    pub bytes_out: u64,
}

/// Seeing and ending live sessions.
pub trait SessionControl: Send + Sync + 'static {
    fn list(&self) -> Vec<LiveSession>;
    /// Orders the end of a session; false if it is not running here. The session ends within a second.
    fn terminate(&self, id: SessionId, by: PersonId) -> bool;
    /// Shows a line of text in the terminals of a session; false if it is not running here or nobody takes it.
    fn message(&self, id: SessionId, from: &str, text: &str) -> bool;
}
