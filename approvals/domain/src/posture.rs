//! What a device manager reports of the machine somebody works from.
use crate::{DeviceName, Moment};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, net::IpAddr};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    pub disk_encrypted: bool,
    pub secure_boot: bool,
    pub endpoint_protection: bool,
    /// As the device manager writes it, for example `Windows 11 24H2`.
    pub os: String,
    /// When the machine was looked at: policies ask how old this is.
    #[serde(with = "time::serde::rfc3339")]
    pub reported_at: Moment,
}

/// A machine somebody works from, as it was reported last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub device: DeviceName,
    pub posture: Posture,
    /// SHA-256 fingerprints of the SSH keys that are on it; empty: not said.
    pub keys: BTreeSet<String>,
    /// Addresses it connects from; empty: not said.
    pub addresses: BTreeSet<IpAddr>,
}
