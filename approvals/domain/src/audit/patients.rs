use crate::{PersonId, SessionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A session showed more patients than policy takes as usual. Counts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum PatientsEvent {
    Threshold {
        session: SessionId,
        person: PersonId,
        /// `alert`, `pause` or `lock`.
        reaction: String,
        patients: u64,
        identifiers: BTreeMap<String, u64>,
        /// What this person's sessions usually show, if enough is known of it.
        usual: Option<u64>,
    },
}

/// What a rule about commands did. By the rule's name: a command may hold what nobody may read here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum CommandsEvent {
    Matched {
        session: SessionId,
        rule: String,
        /// `alert`, `confirm`, `pause` or `block`.
        does: String,
        /// `exec` or `typed`.
        way: String,
        command_sha256: String,
        /// `passed`, `confirmed`, `refused`, `blocked`, `paused` or `let_through`.
        outcome: String,
    },
}
