use crate::{AccountId, AccountName, CertificateFingerprint, Moment, TargetAttributes, TargetId, TargetName};
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
    /// MS-RDPBCGR: a desktop. Its certificate is pinned.
    Rdp,
}

impl Protocol {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Telnet => "telnet",
            Self::Rdp => "rdp",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        [Self::Ssh, Self::Telnet, Self::Rdp].into_iter().find(|p| p.as_str() == s)
    }
    pub fn default_port(self) -> u16 {
        match self {
            Self::Ssh => 22,
            Self::Telnet => 23,
            Self::Rdp => 3389,
        }
    }
    /// As people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ssh => "SSH",
            Self::Telnet => "telnet",
            Self::Rdp => "RDP",
        }
    }
}

/// What we accept from a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Nothing that `ssh-audit` marks; TLS from 1.2.
    Modern,
    /// Legacy algorithms, old TLS and telnet too, toward this one target; never toward clients.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    pub target: TargetId,
    pub target_name: TargetName,
    pub account: AccountName,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
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
    pub attributes: TargetAttributes,
    pub accounts: Vec<Account>,
    /// OpenSSH public key lines; a connection is made only to one of these.
    pub pinned_host_keys: Vec<String>,
    /// OpenSSH public key lines of CAs whose host certificates for this host are as good as a pinned key.
    pub pinned_host_cas: Vec<String>,
    /// An RDP target is reached only if it shows one of these.
    pub pinned_certificates: Vec<CertificateFingerprint>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: Moment,
}

impl Target {
    /// Host and port of each address, in the order they are tried. IPv6 addresses are without brackets.
    pub fn addresses(&self) -> Vec<(String, u16)> {
        let more = self.more_hosts.iter().map(|h| split_host(h, self.port));
        std::iter::once(split_host(&self.host, self.port)).chain(more).collect()
    }
}

/// `host`, `host:port`, an IPv6 address, or one in brackets with or without a port.
pub fn split_host(text: &str, port: u16) -> (String, u16) {
    let bare = |h: &str| h.trim_start_matches('[').trim_end_matches(']').to_owned();
    match text.rsplit_once(':') {
        Some((host, own)) if !host.contains(':') || host.ends_with(']') => match own.parse() {
            Ok(own) => (bare(host), own),
            Err(_) => (bare(text), port),
        },
        _ => (bare(text), port),
    }
}

/// A login on a target. Its credential stays in the vault and is never part of this.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    pub id: AccountId,
    pub name: AccountName,
}

#[cfg(test)]
mod tests {
    use super::split_host;

    #[test]
    fn a_host_is_told_from_its_port() {
        for (text, host, port) in [
            ("db1", "db1", 22),
            ("db1:2222", "db1", 2222),
            ("10.0.0.9:2222", "10.0.0.9", 2222),
            ("2001:db8::7", "2001:db8::7", 22),
            ("[2001:db8::7]:2222", "2001:db8::7", 2222),
            ("[2001:db8::7]", "2001:db8::7", 22),
        ] {
            assert_eq!(split_host(text, 22), (host.to_owned(), port), "{text}");
        }
    }
}
