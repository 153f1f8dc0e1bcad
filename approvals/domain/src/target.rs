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

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    Ssh,
    /// RFC 854, for devices that have nothing else; only with [`Profile::Quarantine`].
    Telnet,
}

impl Protocol {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Telnet => "telnet",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        [Self::Ssh, Self::Telnet].into_iter().find(|p| p.as_str() == s)
    }
    pub fn default_port(self) -> u16 {
        match self {
            Self::Ssh => 22,
            Self::Telnet => 23,
        }
    }
}

/// What we accept from a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Nothing that `ssh-audit` marks.
    Modern,
    /// Legacy algorithms and telnet too, toward this one target; never toward clients.
    Quarantine,
}

impl Profile {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Quarantine => "quarantine",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        [Self::Modern, Self::Quarantine].into_iter().find(|p| p.as_str() == s)
    }
}

/// A relay in front of a target: the gateway signs in there with the vaulted credential of `account` and goes on by `direct-tcpip`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Via {
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
}

#[derive(Debug, Clone, Serialize)]
pub struct Target {
    pub id: TargetId,
    pub name: TargetName,
    pub kind: TargetKind,
    pub protocol: Protocol,
    /// Host name or IP address, as the operator wrote it.
    pub host: String,
    pub port: u16,
    /// More hosts of the same target, tried in turn; with their own port or the target's.
    pub more_hosts: Vec<String>,
    pub profile: Profile,
    /// The target through whose sshd this one is reached.
    pub via: Option<Via>,
    pub description: String,
    pub accounts: Vec<Account>,
    /// OpenSSH public key lines; a connection is made only to one of these.
    pub pinned_host_keys: Vec<String>,
    /// OpenSSH public key lines of CAs whose host certificates for this host are as good as a pinned key.
    pub pinned_host_cas: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
}

/// A login on a target. Its credential stays in the vault and is never part of this.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    pub id: AccountId,
    pub name: AccountName,
}
