use crate::{PersonId, SessionId};
use serde::{Deserialize, Serialize};

/// Who watched what, and when. The words of a note stand in the recording; here is their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum SupervisionEvent {
    /// Policy asks from now on that somebody watches a session that ran without: it stands still until somebody does.
    Required {
        session: SessionId,
    },
    Joined {
        session: SessionId,
        by: PersonId,
    },
    Left {
        session: SessionId,
        by: PersonId,
    },
    /// Their browser was not heard of any more.
    Lapsed {
        session: SessionId,
        by: PersonId,
    },
    /// The session stands still; nobody watches it.
    StandsStill {
        session: SessionId,
    },
    GoesOn {
        session: SessionId,
    },
    /// It may go on for so many minutes after its grant's end.
    Prolonged {
        session: SessionId,
        by: PersonId,
        minutes: u16,
    },
    Noted {
        session: SessionId,
        by: PersonId,
        note_sha256: String,
    },
}

impl SupervisionEvent {
    pub fn session(&self) -> SessionId {
        match self {
            Self::Required { session }
            | Self::Joined { session, .. }
            | Self::Left { session, .. }
            | Self::Lapsed { session, .. }
            | Self::StandsStill { session }
            | Self::GoesOn { session }
            | Self::Prolonged { session, .. }
            | Self::Noted { session, .. } => *session,
        }
    }
}
