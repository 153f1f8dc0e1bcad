//! What other processes and tasks are told as soon as it is committed.
use anteroom_domain::{CardId, CompanyId, GrantId, MessageId, PersonId, RequestId, SessionId, StepUpId, TargetId, UnmaskId};
use serde::{Deserialize, Serialize};

/// The Postgres channel of [`Change`]s.
pub(crate) const CHANNEL: &str = "anteroom";

/// Carried by NOTIFY in the transaction that made it, so nobody hears of what was rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    GrantRevoked(GrantId),
    PersonSuspended(PersonId),
    Terminate {
        session: SessionId,
        by: PersonId,
    },
    Pause {
        session: SessionId,
        by: PersonId,
    },
    Resume {
        session: SessionId,
        by: PersonId,
    },
    /// Somebody wrote to the person of a session; the text waits in the database.
    Message {
        session: SessionId,
        message: MessageId,
    },
    /// Attributes, roles or posture of a person, or a lock on them.
    Person(PersonId),
    /// Attributes, clinical use or a lock of a target.
    Target(TargetId),
    /// A company's contract or a lock on it.
    Company(CompanyId),
    /// Another policy counts.
    Policy,
    /// Somebody came to watch a session, or left.
    Supervision(SessionId),
    StepUp(StepUpId),
    Request(RequestId),
    Session(SessionId),
    Unmask(UnmaskId),
    /// A break-glass card counts now, does not count any more, or was used.
    Card(CardId),
    /// Listening was interrupted and is back: whatever was missed has to be looked up.
    Resync,
}

impl Change {
    pub(crate) fn may_end_sessions(self) -> bool {
        match self {
            Self::GrantRevoked(_)
            | Self::PersonSuspended(_)
            | Self::Terminate { .. }
            | Self::Person(_)
            | Self::Target(_)
            | Self::Company(_)
            | Self::Policy
            // And let one go on: who decides by deadlines has to hear it.
            | Self::Supervision(_)
            | Self::Resync => true,
            Self::StepUp(_)
            | Self::Request(_)
            | Self::Session(_)
            | Self::Unmask(_)
            | Self::Card(_)
            | Self::Message { .. }
            | Self::Pause { .. }
            | Self::Resume { .. } => false,
        }
    }

    /// Whether what safe mode decides by may be otherwise now. (A vendor's company is no part of that.)
    pub(crate) fn is_known_of(self) -> bool {
        matches!(
            self,
            Self::GrantRevoked(_)
                | Self::PersonSuspended(_)
                | Self::Person(_)
                | Self::Target(_)
                | Self::Policy
                | Self::Request(_)
                | Self::Card(_)
                | Self::Resync
        )
    }

    pub(crate) fn payload(self) -> String {
        // The enum holds only ids; it always has a JSON form, far below NOTIFY's 8000 bytes.
        serde_json::to_string(&self).unwrap_or_default()
    }
    pub(crate) fn read(payload: &str) -> Option<Self> {
        serde_json::from_str(payload).ok()
    }
}
