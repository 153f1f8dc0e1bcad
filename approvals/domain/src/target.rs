use crate::{AccountId, AccountName, Moment, TargetId, TargetName};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    Server,
    MedicalDevice,
}

impl TargetKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::MedicalDevice => "medical_device",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        [Self::Server, Self::MedicalDevice].into_iter().find(|k| k.as_str() == s)
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::MedicalDevice => "medical device",
        })
    }
}

#[derive(Debug, Clone, Serialize)]
pub struct Target {
    pub id: TargetId,
    pub name: TargetName,
    pub kind: TargetKind,
    /// Host name or IP address, as the operator wrote it.
    pub host: String,
    pub port: u16,
    pub description: String,
    pub accounts: Vec<Account>,
    /// OpenSSH public key lines; a connection is made only to one of these.
    pub pinned_host_keys: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
}

/// A login on a target. Its credential stays in the vault and is never part of this.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    pub id: AccountId,
    pub name: AccountName,
}
