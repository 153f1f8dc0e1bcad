//! "Can this target be reached, and is it who it should be?" Connects to every address and shows its key; never signs in,
//! for that takes a permit (invariant 1).
use super::{algorithms, notice::printable, target_key::TargetKey};
use crate::{dial, rdp};
use anteroom_domain::{Probe, ProbeOutcome, Protocol, Target, TargetProbe, terminal::Later};
use russh::{client, keys::PublicKeyOrCertificate};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Looks at one address after the other: a device that takes a single connection must not be told from its own test.
#[derive(Debug, Clone, Copy)]
pub struct Prober {
    /// Holds for each connection.
    pub each: Duration,
    /// Holds for all addresses together; what it leaves no time for is not tried, and the answer says so.
    pub whole: Duration,
}

/// For whoever waits in front of a page.
impl Default for Prober {
    fn default() -> Self {
        Self { each: Duration::from_secs(4), whole: Duration::from_secs(12) }
    }
}

impl TargetProbe for Prober {
    fn probe<'a>(&'a self, target: &'a Target) -> Later<'a, Vec<Probe>> {
        Box::pin(async move {
            let (mut found, begun) = (Vec::new(), Instant::now());
            for (host, port) in target.addresses() {
                let (started, left) = (Instant::now(), self.whole.saturating_sub(begun.elapsed()));
                let outcome = match target.via {
                    Some(_) => ProbeOutcome::BehindRelay,
                    None if left.is_zero() => ProbeOutcome::NotReached("not tried, the addresses before it took all the time".to_owned()),
                    None => timeout(left, one(target, &host, port, self.each))
                        .await
                        .unwrap_or_else(|_| ProbeOutcome::NotReached("no answer in time".to_owned())),
                };
                let host = if host.contains(':') { format!("[{host}]") } else { host };
                found.push(Probe { address: format!("{host}:{port}"), outcome, took: started.elapsed() });
            }
            found
        })
    }
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
    if target.protocol == Protocol::Rdp {
        return rdp::probe::one(target, host, port, limit).await;
    }
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
        (None, Ok(Err(e))) => ProbeOutcome::NotReached(printable(&e.to_string())),
        (None, Ok(Ok(_))) => ProbeOutcome::NotReached("it showed no key".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::probe::summary;
    use anteroom_test_samples as samples;
    use russh::{
        keys::{Algorithm, PrivateKey, key::safe_rng},
        server,
    };
    use std::{
        net::SocketAddr,
        sync::atomic::{AtomicUsize, Ordering},
    };
    use tokio::net::TcpListener;

    /// An SSH server that counts who tries to sign in.
    #[derive(Clone, Default)]
    struct Sshd(Arc<AtomicUsize>);
    impl server::Handler for Sshd {
        type Error = russh::Error;
        async fn auth_none(&mut self, _: &str) -> Result<server::Auth, russh::Error> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(server::Auth::reject())
        }
    }

    async fn sshd(key: &PrivateKey) -> (SocketAddr, Sshd) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, sshd) = (listener.local_addr().unwrap(), Sshd::default());
        let (config, counts) = (Arc::new(server::Config { keys: vec![key.clone()], ..Default::default() }), sshd.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(running) = server::run_stream(config.clone(), stream, counts.clone()).await {
                    let _ = running.await;
                }
            }
        });
        (address, sshd)
    }

    fn key() -> PrivateKey {
        PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
    }

    fn target(addresses: &[SocketAddr], pinned: &[&PrivateKey]) -> Target {
        Target {
            host: addresses[0].ip().to_string(),
            port: addresses[0].port(),
            more_hosts: addresses[1..].iter().map(SocketAddr::to_string).collect(),
            pinned_host_keys: pinned.iter().map(|k| k.public_key().to_openssh().unwrap()).collect(),
            ..samples::target()
        }
    }

    async fn outcomes(target: &Target, whole: Duration) -> Vec<ProbeOutcome> {
        let prober = Prober { each: Duration::from_millis(400), whole };
        prober.probe(target).await.into_iter().map(|p| p.outcome).collect()
    }
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_test_tells_the_pinned_key_from_another_and_signs_in_nowhere() {
        let (own, other) = (key(), key());
        let (address, sshd) = sshd(&own).await;
        let shown = own.public_key().fingerprint(russh::keys::HashAlg::Sha256).to_string();
        let look = async |pinned: &[&PrivateKey]| outcomes(&target(&[address], pinned), LONG).await.remove(0);
        assert_eq!(look(&[&own]).await, ProbeOutcome::Trusted { key: shown.clone() });
        assert_eq!(look(&[&other]).await, ProbeOutcome::Changed { key: shown.clone() });
        assert_eq!(look(&[]).await, ProbeOutcome::NotPinned { key: shown });
        assert_eq!(sshd.0.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn every_address_is_looked_at_and_why_one_fails_is_said() {
        let own = key();
        let (good, _) = sshd(&own).await;
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let target = target(&[closed, silent.local_addr().unwrap(), good], &[&own]);
        let found = Prober { each: Duration::from_millis(400), whole: LONG }.probe(&target).await;
        let [refused, mute, fine] = &found[..] else { panic!("{found:?}") };
        assert!(refused.outcome.to_string().contains("refused"), "{refused:?}");
        assert!(mute.outcome.to_string().contains("no SSH answer"), "{mute:?}");
        assert!(fine.outcome.is_good() && fine.address == good.to_string(), "{fine:?}");
        let line = summary(&found);
        assert!(found.iter().all(|p| line.contains(&p.address)) && !line.contains('\n'), "{line}");
    }

    #[tokio::test]
    async fn a_test_ends_in_time_and_says_what_it_did_not_try() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = target(&[held.local_addr().unwrap(), silent], &[]);
        let begun = Instant::now();
        let found = outcomes(&target, Duration::from_millis(200)).await;
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert!(found[0].to_string().contains("no answer in time") && found[1].to_string().contains("not tried"), "{found:?}");
    }

    #[tokio::test]
    async fn an_ipv6_address_is_written_so_that_its_port_is_seen() {
        let found = Prober { each: LONG, whole: Duration::ZERO }.probe(&target(&["[2001:db8::7]:2222".parse().unwrap()], &[])).await;
        assert_eq!(found[0].address, "[2001:db8::7]:2222");
    }
}
