use crate::PersonId;
use serde::{Deserialize, Serialize};

/// What device managers say of people's machines. A report that only says the same again, later, is no line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum PostureEvent {
    /// This key may sign reports.
    FeedAdded {
        feed: String,
        public_key: String,
    },
    /// Something is otherwise than in the report before. How many SSH keys and addresses are named is told, not which.
    Reported {
        feed: String,
        person: PersonId,
        device: String,
        disk_encrypted: bool,
        secure_boot: bool,
        endpoint_protection: bool,
        os: String,
        reported_at: String,
        keys: u64,
        addresses: u64,
    },
    Forgotten {
        person: PersonId,
        device: String,
    },
}
