//! "Can this target be reached, and is it who it should be?" Connects to every address and shows its key; never signs in,
//! for that takes a permit (invariant 1).
use super::{algorithms, dial, target_key::TargetKey};
use anteroom_domain::{Protocol, Target};
use russh::{client, keys::PublicKeyOrCertificate};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// What was found at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// `host:port` as configured.
    pub address: String,
    pub outcome: ProbeOutcome,
    pub took: Duration,
}

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

/// One [`Probe`] an address, in the order a session would try them. `limit` holds for each connection.
pub async fn probe(target: &Target, limit: Duration) -> Vec<Probe> {
    let mut found = Vec::new();
    for (host, port) in target.addresses() {
        let started = Instant::now();
        let outcome = if target.via.is_some() { ProbeOutcome::BehindRelay } else { one(target, &host, port, limit).await };
        found.push(Probe { address: format!("{host}:{port}"), outcome, took: started.elapsed() });
    }
    found
}

struct Look {
    pins: Option<TargetKey>,
    seen: Arc<Mutex<Option<(String, bool)>>>,
}

impl client::Handler for Look {
    type Error = russh::Error;
    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let trusted = self.pins.as_ref().is_some_and(|p| p.trusts(key, std::time::SystemTime::now()));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some((TargetKey::name_of(key), trusted));
        // Never goes further.
        Ok(false)
    }
}

async fn one(target: &Target, host: &str, port: u16, limit: Duration) -> ProbeOutcome {
    let stream = match dial::one(host, port, limit).await {
        Ok(s) => s,
        Err(why) => return ProbeOutcome::NotReached(why),
    };
    if target.protocol == Protocol::Telnet {
        return ProbeOutcome::Open;
    }
    let seen = Arc::default();
    let pins = TargetKey::of(target);
    let pinned = pins.is_some();
    let offered = algorithms::toward(target.profile);
    let preferred = match &pins {
        Some(pins) => pins.prefer(offered),
        None => offered,
    };
    let config = client::Config { preferred, ..Default::default() };
    let looking = client::connect_stream(Arc::new(config), stream, Look { pins, seen: Arc::clone(&seen) });
    let ended = timeout(limit, looking).await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (seen, ended) {
        (Some((key, true)), _) => ProbeOutcome::Trusted { key },
        (Some((key, false)), _) if pinned => ProbeOutcome::Changed { key },
        (Some((key, false)), _) => ProbeOutcome::NotPinned { key },
        (None, Err(_)) => ProbeOutcome::NotReached(format!("no SSH answer within {} s", limit.as_secs())),
        (None, Ok(Err(e))) => ProbeOutcome::NotReached(e.to_string()),
        (None, Ok(Ok(_))) => ProbeOutcome::NotReached("it showed no key".to_owned()),
    }
}
