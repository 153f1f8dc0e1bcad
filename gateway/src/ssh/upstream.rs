//! The connection to a target. Needs a permit (invariant 1).
use super::server::{KEEPALIVE, KEEPALIVE_MAX};
use super::{algorithms, connection::Shared};
use crate::enforcement::{Cutter, EndSignal};
use anteroom_approvals::Credential;
use anteroom_domain::{AuditEvent, EndReason};
use anteroom_policy::Permit;
use russh::{
    client::{self, AuthResult, KeyboardInteractiveAuthResponse},
    keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate, ssh_key::public::KeyData},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{io::BufReader, net::TcpStream, time::timeout};

#[derive(Debug, thiserror::Error)]
pub(super) enum UpstreamError {
    #[error("target {target:?}: {why}")]
    Unreachable { target: String, why: String },
    #[error("target {0:?} has no pinned host key; an operator has to pin it: anteroom target pin {0}")]
    NotPinned(String),
    #[error(
        "target {target:?}: host key changed: offered {offered}; the connection was stopped. If the change is right: anteroom target pin {target}"
    )]
    HostKey { target: String, offered: String },
    #[error("target {0:?} did not accept the stored credential; tell its operator")]
    Credential(String),
    #[error("target {0:?}: the stored credential is not a usable key; tell its operator")]
    BadKey(String),
    #[error(transparent)]
    Protocol(#[from] russh::Error),
}

/// The target's side of our client: trusts pinned keys and opens nothing toward us.
pub(super) struct Upstream {
    pinned: Vec<KeyData>,
    offered: Arc<Mutex<Option<PublicKey>>>,
    /// Set once we are signed in: from then on losing the target ends the session.
    up: Arc<OnceLock<EndSignal>>,
}

/// russh drops its handler when the connection is over, however it came to that.
impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(end) = self.up.get() {
            end.end(EndReason::TargetClosed);
        }
    }
}

impl client::Handler for Upstream {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        *self.offered.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        Ok(self.pinned.contains(key.key_data()))
    }
}

pub(super) struct Link {
    pub(super) handle: client::Handle<Upstream>,
    pub(super) cutter: Cutter,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

pub(super) async fn connect(shared: &Shared, permit: &Permit, credential: Credential, end: &EndSignal) -> Result<Link, UpstreamError> {
    let target = permit.target();
    let name = || target.name.to_string();
    let pinned: Vec<KeyData> =
        target.pinned_host_keys.iter().filter_map(|l| PublicKey::from_openssh(l).ok()).map(|k| k.key_data().clone()).collect();
    if pinned.is_empty() {
        return Err(UpstreamError::NotPinned(name()));
    }
    let unreachable = |why: String| UpstreamError::Unreachable { target: name(), why };
    let stream = dial(&target.host, target.port, shared.config.connect_timeout).await.map_err(unreachable)?;
    let (stream, cutter) = Cutter::of(stream).map_err(|e| unreachable(e.to_string()))?;

    let offered = Arc::new(Mutex::new(None));
    let up = Arc::new(OnceLock::new());
    let config = client_config(&pinned);
    let handler = Upstream { pinned, offered: Arc::clone(&offered), up: Arc::clone(&up) };
    let buffered = BufReader::with_capacity(algorithms::READ_BUFFER, stream);
    let connecting = client::connect_stream(Arc::new(config), buffered, handler);
    let mut handle = match timeout(shared.config.connect_timeout, connecting).await {
        Err(_) => return Err(unreachable(format!("no SSH answer within {} s", shared.config.connect_timeout.as_secs()))),
        Ok(Ok(h)) => h,
        Ok(Err(russh::Error::UnknownKey)) => {
            let key = offered.lock().unwrap_or_else(PoisonError::into_inner).take();
            let offered = key.map_or_else(|| "an unknown kind of key".to_owned(), |k| k.fingerprint(Default::default()).to_string());
            let event = AuditEvent::TargetKeyChanged { target: target.id, offered: offered.clone() };
            tracing::error!(target = %target.name, offered, "host key changed");
            shared.approvals.note(event, Some(permit.person())).await;
            return Err(UpstreamError::HostKey { target: name(), offered });
        }
        Ok(Err(e)) => return Err(unreachable(e.to_string())),
    };
    match timeout(shared.config.connect_timeout, authenticate(&mut handle, permit, credential)).await {
        Ok(Ok(true)) => {
            let _ = up.set(end.clone());
            Ok(Link { handle, cutter })
        }
        Ok(Ok(false)) => Err(UpstreamError::Credential(name())),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(unreachable("it did not finish signing us in".to_owned())),
    }
}

fn client_config(pinned: &[KeyData]) -> client::Config {
    let mut preferred = algorithms::modern();
    // The key exchange prefers the kinds of key that are pinned, so that a target with several shows one of them.
    let mut kinds = preferred.key.to_vec();
    kinds.sort_by_key(|a| !pinned.iter().any(|k| same_kind(&k.algorithm(), a)));
    preferred.key = kinds.into();
    client::Config {
        client_id: russh::SshId::Standard("SSH-2.0-Anteroom".into()),
        window_size: algorithms::WINDOW,
        manual_window: true,
        maximum_packet_size: algorithms::PACKET,
        channel_buffer_size: algorithms::CHANNEL_MESSAGES,
        preferred,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVE_MAX,
        nodelay: true,
        ..Default::default()
    }
}

fn same_kind(a: &russh::keys::Algorithm, b: &russh::keys::Algorithm) -> bool {
    a == b || (a.clone().is_rsa() && b.clone().is_rsa())
}

async fn authenticate(handle: &mut client::Handle<Upstream>, permit: &Permit, credential: Credential) -> Result<bool, UpstreamError> {
    let account = permit.account().as_str();
    match credential {
        Credential::PrivateKey(pem) => {
            let key = PrivateKey::from_openssh(pem.expose()).map_err(|_| UpstreamError::BadKey(permit.target().name.to_string()))?;
            let hash = if key.algorithm().is_rsa() { handle.best_supported_rsa_hash().await?.flatten() } else { None };
            Ok(handle.authenticate_publickey(account, PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await?.success())
        }
        Credential::Password(password) => {
            match handle.authenticate_password(account, password.expose().as_str()).await? {
                AuthResult::Success => return Ok(true),
                AuthResult::Failure { remaining_methods, .. } if remaining_methods.contains(&russh::MethodKind::KeyboardInteractive) => {}
                AuthResult::Failure { .. } => return Ok(false),
            }
            // Many devices ask for the same password by keyboard-interactive: one hidden prompt, answered once.
            let mut answer = handle.authenticate_keyboard_interactive_start(account, None).await?;
            for _ in 0..4 {
                let answers = match answer {
                    KeyboardInteractiveAuthResponse::Success => return Ok(true),
                    KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
                    KeyboardInteractiveAuthResponse::InfoRequest { ref prompts, .. } => match prompts.as_slice() {
                        [] => vec![],
                        [p] if !p.echo => vec![password.expose().clone()],
                        _ => return Ok(false),
                    },
                };
                answer = handle.authenticate_keyboard_interactive_respond(answers).await?;
            }
            Ok(false)
        }
    }
}

/// Resolves once and connects to the addresses in turn. A *name* that leads to this machine, to a link-local or
/// to a multicast address is refused (THREATS 10): only an operator who wrote such an address itself meant it.
async fn dial(host: &str, port: u16, limit: Duration) -> Result<TcpStream, String> {
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let addresses: Vec<SocketAddr> = match literal {
        Some(ip) => vec![(ip, port).into()],
        None => {
            let found = timeout(limit, tokio::net::lookup_host((host, port))).await;
            let found =
                found.map_err(|_| "its name was not resolved in time".to_owned())?.map_err(|_| "its name can't be resolved".to_owned())?;
            found.filter(|a| host == "localhost" || routable(a.ip())).take(8).collect()
        }
    };
    if addresses.is_empty() {
        return Err("its name leads to no address that may be reached".to_owned());
    }
    let mut last = String::new();
    for a in addresses {
        match timeout(limit, TcpStream::connect(a)).await {
            Ok(Ok(s)) => {
                // Keystrokes must not wait for more bytes.
                let _ = s.set_nodelay(true);
                return Ok(s);
            }
            Ok(Err(e)) => last = e.to_string(),
            Err(_) => last = format!("no answer within {} s", limit.as_secs()),
        }
    }
    Err(last)
}

fn routable(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let link_local = match ip {
        IpAddr::V4(a) => a.is_link_local() || a.is_broadcast(),
        IpAddr::V6(a) => a.is_unicast_link_local(),
    };
    !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || link_local)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_may_not_lead_to_this_machine_or_to_metadata() {
        for bad in ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "fe80::1", "224.0.0.1", "::ffff:127.0.0.1", "255.255.255.255"] {
            assert!(!routable(bad.parse().unwrap()), "{bad}");
        }
        assert!(routable("10.1.2.3".parse().unwrap()) && routable("2001:db8::1".parse().unwrap()));
    }
}
