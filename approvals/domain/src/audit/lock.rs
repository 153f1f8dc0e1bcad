use crate::{LockId, PersonId, lock::Lockable};
use serde::{Deserialize, Serialize};

/// Somebody, something or a company was locked, or let in again. By nobody: the operator at the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum LockEvent {
    Locked {
        lock: LockId,
        #[serde(flatten)]
        what: Lockable,
        by: Option<PersonId>,
        reason_sha256: String,
    },
    Unlocked {
        lock: LockId,
        #[serde(flatten)]
        what: Lockable,
        by: Option<PersonId>,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{AuditEvent, CompanyId, TargetId};
    use uuid::Uuid;

    #[test]
    fn a_line_names_what_was_locked_and_reads_back() {
        let id = Uuid::from_u128(7);
        let all = [Lockable::Person(id.into()), Lockable::Target(TargetId(id)), Lockable::Company(CompanyId(id))];
        for (what, name) in all.into_iter().zip(["person", "target", "company"]) {
            let event = AuditEvent::Lock(LockEvent::Unlocked { lock: LockId(id), what, by: None });
            let text = serde_json::to_value(&event).unwrap();
            assert_eq!(text, serde_json::json!({"kind": "lock", "of": "unlocked", "lock": id, name: id, "by": null}));
            assert_eq!(serde_json::from_value::<AuditEvent>(text).unwrap(), event);
        }
    }
}
