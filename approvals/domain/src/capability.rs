//! What a grant lets its holder do, per channel type. Nothing is implied by anything else.
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// An interactive shell (RFC 4254 section 6.5).
    Shell,
    /// Running one command (RFC 4254 section 6.5).
    Exec,
}

impl Capability {
    pub const ALL: [Self; 2] = [Self::Shell, Self::Exec];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Exec => "exec",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of capabilities; empty means nothing is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(pub BTreeSet<Capability>);

impl Capabilities {
    /// Shell and exec: what a request asks for unless it says otherwise.
    pub fn interactive() -> Self {
        Self(Capability::ALL.into())
    }

    pub fn allows(&self, c: Capability) -> bool {
        self.0.contains(&c)
    }

    /// As stored and signed: the names in a fixed order.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|c| c.as_str().to_owned()).collect()
    }

    /// Reads what [`names`](Self::names) wrote; `None` if a name is unknown, because unknown means no.
    pub fn from_names<S: AsRef<str>>(names: &[S]) -> Option<Self> {
        names.iter().map(|n| Capability::ALL.into_iter().find(|c| c.as_str() == n.as_ref())).collect::<Option<BTreeSet<_>>>().map(Self)
    }
}
