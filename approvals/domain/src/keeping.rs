//! How long a recording can be opened: legal holds, which keep it, and the destruction of its keys (crypto-shredding), which ends it.
use crate::{Handle, HoldId, Moment, PersonId, Reason, SessionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As long as it is not lifted, the recording is not shredded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegalHold {
    pub id: HoldId,
    pub session: SessionId,
    pub reason: Reason,
    pub placed_by: PersonId,
    pub placed_by_handle: Handle,
    #[serde(with = "time::serde::rfc3339")]
    pub placed_at: Moment,
    pub lifted: Option<HoldLifted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLifted {
    pub by: PersonId,
    pub by_handle: Handle,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    pub reason: Reason,
}

/// The decision to destroy a recording's keys. It is never taken back; carrying it out may come later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shredding {
    pub session: SessionId,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    /// None: its time to be kept was over.
    pub by: Option<PersonId>,
    pub by_handle: Option<Handle>,
    pub reason: Reason,
    /// The envelope files that were there, by name, with their SHA-256 in hexadecimal.
    pub envelopes: BTreeMap<String, String>,
}

impl Shredding {
    /// Who decided, as people say it.
    pub fn decided_by(&self) -> &str {
        self.by_handle.as_ref().map_or("retention", Handle::as_str)
    }
    /// How the log names that: `person` or `retention`.
    pub fn why(&self) -> &'static str {
        if self.by.is_some() { "person" } else { "retention" }
    }
}
