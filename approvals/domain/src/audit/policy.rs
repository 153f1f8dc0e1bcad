use crate::SessionId;
use serde::{Deserialize, Serialize};

/// Another policy counts, or one made a session wait. A policy's text is in the database or in the gateway's files; here is what ties it to this line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum PolicyEvent {
    /// An operator set it; `sha256` is over names and texts of its files.
    Set {
        version: i64,
        sha256: String,
        note_sha256: String,
        files: Vec<String>,
    },
    /// A gateway read it from its own files.
    Read {
        sha256: String,
        files: Vec<String>,
    },
    /// The version that counts cannot be read by a process that serves; it goes by the one before. 0: the one that came with it, or that it kept.
    Unread {
        version: i64,
        instead: i64,
    },
    /// What a running session stands on is denied for a while: it stands still. `why` is the policy's own words.
    StandsStill {
        session: SessionId,
        why: String,
    },
    GoesOn {
        session: SessionId,
    },
}

impl PolicyEvent {
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::StandsStill { session, .. } | Self::GoesOn { session } => Some(*session),
            Self::Set { .. } | Self::Read { .. } | Self::Unread { .. } => None,
        }
    }
}
