//! Where `web` and `gateway` meet for "is this target there, and is it who it should be?": the gateway looks, the portal shows
//! what it saw. Looking never signs in, for that takes a permit.
use crate::{Target, terminal::Later};
use std::time::Duration;

/// What was found at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `host:port` as configured.
    pub address: String,
    pub outcome: ProbeOutcome,
    pub took: Duration,
}

/// Keys are fingerprints: `SHA256:...`, or `SHA256:... certified by SHA256:...`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeOutcome {
    /// Its key, or the authority that certified it, is pinned.
    #[error("reached; its key is the pinned one ({key})")]
    Trusted { key: String },
    #[error("reached, but its key is not pinned: {key}; compare it at the machine itself, then: anteroom target pin")]
    NotPinned { key: String },
    #[error("reached, but its key is another one than pinned: {key}; if the change is right: anteroom target pin")]
    Changed { key: String },
    /// Telnet has no identity to check.
    #[error("reached; telnet proves no identity")]
    Open,
    #[error("not reached: {0}")]
    NotReached(String),
    /// Tried only through its relay, by a session.
    #[error("reached through a relay, which a test does not sign in to; open a session to test it")]
    BehindRelay,
}

impl ProbeOutcome {
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Trusted { .. } | Self::Open)
    }
}

/// All addresses in one line, as the audit log has it.
pub fn summary(found: &[Probe]) -> String {
    found.iter().map(|p| format!("{}: {}", p.address, p.outcome)).collect::<Vec<_>>().join("; ")
}

pub trait TargetProbe: Send + Sync + 'static {
    /// One [`Probe`] an address, in the order a session would try them, within a bounded time.
    fn probe<'a>(&'a self, target: &'a Target) -> Later<'a, Vec<Probe>>;
}
