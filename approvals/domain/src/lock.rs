//! A lock: somebody, something or a whole company reaches nothing until it is lifted. Quicker than taking grants back, and undone at once.
use crate::{CompanyId, LockId, Moment, Person, PersonId, Reason, Target, TargetId};
use serde::{Deserialize, Serialize};

/// What a lock is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lockable {
    Person(PersonId),
    Target(TargetId),
    /// Its people reach nothing; its devices stay reachable for everybody else.
    Company(CompanyId),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub id: LockId,
    #[serde(flatten)]
    pub on: Lockable,
    /// For whoever has to lift it. Not shown to the person who is locked out.
    pub reason: Reason,
    /// None: the operator at the command line.
    pub by: Option<PersonId>,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub lifted_at: Option<Moment>,
}

impl Lock {
    /// Whether it keeps this person out.
    pub fn keeps_out(&self, person: &Person) -> bool {
        self.lifted_at.is_none()
            && match self.on {
                Lockable::Person(p) => p == person.id,
                Lockable::Company(c) => Some(c) == person.attributes.company,
                Lockable::Target(_) => false,
            }
    }

    /// Whether it keeps everybody away from this target.
    pub fn closes(&self, target: &Target) -> bool {
        self.lifted_at.is_none() && matches!(self.on, Lockable::Target(t) if t == target.id)
    }
}
