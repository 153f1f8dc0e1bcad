use crate::{DisplayName, Handle, Moment, PersonAttributes, PersonId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Asks for access and connects.
    Admin,
    /// Answers requests of others.
    Approver,
    /// Replays, searches and verifies.
    Auditor,
    /// Keeps people and targets.
    Operator,
    /// One of two who let an auditor see an interval of a recording unmasked.
    KeyHolder,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Admin, Self::Approver, Self::Auditor, Self::Operator, Self::KeyHolder];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::KeyHolder => "key_holder",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown role; there are admin, approver, auditor, operator and key_holder")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(s: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|r| r.as_str() == s).ok_or(UnknownRole)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(pub BTreeSet<Role>);

impl Roles {
    pub fn has(&self, r: Role) -> bool {
        self.0.contains(&r)
    }
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|r| r.as_str().to_owned()).collect()
    }
    pub fn from_names<S: AsRef<str>>(names: &[S]) -> Result<Self, UnknownRole> {
        names.iter().map(|n| n.as_ref().parse()).collect::<Result<BTreeSet<_>, _>>().map(Self)
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<T: IntoIterator<Item = Role>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub handle: Handle,
    pub display_name: DisplayName,
    pub roles: Roles,
    pub attributes: PersonAttributes,
    #[serde(with = "time::serde::rfc3339::option")]
    pub suspended_at: Option<Moment>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
}

impl Person {
    pub fn is_suspended(&self) -> bool {
        self.suspended_at.is_some()
    }
}
