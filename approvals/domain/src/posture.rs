//! What a device manager reports of the machine somebody works from.
use crate::Moment;
use serde::{Deserialize, Serialize};

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
