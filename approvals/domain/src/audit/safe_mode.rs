use crate::{GrantId, PersonId, SessionId};
use serde::{Deserialize, Serialize};

/// A gateway decides by what it knew, because the database is away. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum SafeModeEvent {
    /// `known_at`: when it last read what it decides by.
    Entered {
        log: String,
        known_at: String,
    },
    /// Somebody was let in meanwhile.
    Permitted {
        session: SessionId,
        grant: GrantId,
        person: PersonId,
        known_at: String,
    },
    Left {
        log: String,
    },
}

impl SafeModeEvent {
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Permitted { session, .. } => Some(*session),
            Self::Entered { .. } | Self::Left { .. } => None,
        }
    }
}
