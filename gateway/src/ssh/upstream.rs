//! The SSH connection to a target, through its relays if it has some. Needs a permit (invariant 1).
use super::{
    algorithms,
    back::{Back, Opened},
    connection::Connection,
    forward,
    gathered::Gathered,
    server::{KEEPALIVE, KEEPALIVE_MAX},
    socket::socket,
    target_key::TargetKey,
    target_login::{LoginError, log_in},
};
use crate::{
    dial::dial,
    enforcement::{Cutter, EndSignal},
};
use anteroom_approvals::{Credential, Relay};
use anteroom_domain::{AccountName, AuditEvent, EndReason, Target};
use anteroom_policy::Permit;
use russh::{
    Channel, client,
    client::{ChannelOpenHandle, Msg, Session},
    keys::PublicKeyOrCertificate,
};
use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::timeout,
};
use tokio_util::sync::DropGuard;

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
    #[error("target {target:?}: {why}")]
    Stored { target: String, why: String },
    #[error("target {0:?} speaks telnet, which needs its quarantine profile; tell its operator")]
    Telnet(String),
    #[error("target {0:?} is a desktop: connect to it from its grant's page at the portal")]
    Desktop(String),
    #[error(transparent)]
    Protocol(#[from] russh::Error),
}

/// The target's side of our client: trusts what is pinned, opens toward the client only what was asked for.
pub(super) struct Upstream {
    key: TargetKey,
    offered: Arc<Mutex<Option<String>>>,
    back: Arc<Back>,
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

type Done = Result<(), russh::Error>;

impl client::Handler for Upstream {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        *self.offered.lock().unwrap_or_else(PoisonError::into_inner) = Some(TargetKey::name_of(key));
        Ok(self.key.trusts(key, std::time::SystemTime::now()))
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: Channel<Msg>,
        address: &str,
        port: u32,
        originator: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        let opened = Opened::Port { address: address.to_owned(), port, originator: originator.to_owned(), originator_port };
        Box::pin(self.back.open(opened, channel, reply)).await;
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        path: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        Box::pin(self.back.open(Opened::Socket(path.to_owned()), channel, reply)).await;
        Ok(())
    }

    async fn server_channel_open_agent_forward(&mut self, channel: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Done {
        Box::pin(self.back.open(Opened::Agent, channel, reply)).await;
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        channel: Channel<Msg>,
        originator: &str,
        originator_port: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        Box::pin(self.back.open(Opened::X11 { originator: originator.to_owned(), originator_port }, channel, reply)).await;
        Ok(())
    }

    async fn server_channel_open_session(&mut self, _: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Done {
        reply.reject(russh::ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        reply.reject(russh::ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        reply.reject(russh::ChannelOpenFailure::AdministrativelyProhibited).await;
        Ok(())
    }
}

/// A signed-in connection.
pub(super) struct SshLink {
    pub(super) handle: client::Handle<Upstream>,
    pub(super) back: Arc<Back>,
    /// Of the first socket, which carries all.
    cutter: Cutter,
    /// Relays in front of the target, outermost first: they live as long as what goes through them.
    relays: Vec<(client::Handle<Upstream>, DropGuard)>,
}

impl std::fmt::Debug for SshLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshLink").field("relays", &self.relays.len()).finish_non_exhaustive()
    }
}

impl SshLink {
    pub(super) async fn close(&self) {
        let polite = async {
            for handle in std::iter::once(&self.handle).chain(self.relays.iter().rev().map(|(h, _)| h)) {
                let _ = handle.disconnect(russh::Disconnect::ByApplication, "session ended", "").await;
            }
        };
        let _ = timeout(Duration::from_millis(200), polite).await;
        self.cutter.cut();
    }
}

pub(super) async fn connect(conn: &Connection, permit: &Permit, credential: Credential) -> Result<SshLink, UpstreamError> {
    let target = permit.target();
    let stored = |e: &dyn std::fmt::Display| UpstreamError::Stored { target: target.name.to_string(), why: e.to_string() };
    let relays = conn.shared.approvals.open_relay(permit).await.map_err(|e| stored(&e))?;
    let back = Arc::new(Back::new(conn.weak()));
    let first = relays.first().map_or(target, |r| &r.target);
    let limit = conn.shared.config.connect_timeout;
    let stream = dial(first, limit).await.map_err(|why| UpstreamError::Unreachable { target: first.name.to_string(), why })?;
    let unreachable = |e: std::io::Error| UpstreamError::Unreachable { target: first.name.to_string(), why: e.to_string() };
    let (stream, cutter) = Cutter::of(stream).map_err(unreachable)?;
    let mut stream: Box<dyn Stream> = Box::new(stream);
    let mut handles = Vec::new();
    for (i, relay) in relays.iter().enumerate() {
        let hop = Hop { conn, permit, target: &relay.target, relay: Some(relay), back: &back };
        let handle = hop.sign_in(stream, &relay.account, &relay.credential, None).await?;
        let next = relays.get(i + 1).map_or(target, |r| &r.target);
        let opening = handle.channel_open_direct_tcpip(next.host.clone(), next.port.into(), "127.0.0.1", 0);
        let not_reached = |why: String| UpstreamError::Unreachable { target: next.name.to_string(), why };
        let channel =
            timeout(limit, opening).await.map_err(|_| not_reached(format!("relay {} did not answer in time", relay.target.name)))?;
        let channel = channel.map_err(|e| not_reached(format!("relay {} could not reach it: {e}", relay.target.name)))?;
        let (reads, writes) = forward::sides(channel);
        let (inside, guard) = socket(reads, writes, &conn.tasks);
        stream = Box::new(inside);
        handles.push((handle, guard));
    }
    let hop = Hop { conn, permit, target, relay: None, back: &back };
    let handle = hop.sign_in(stream, permit.account(), &credential, Some(conn.end.clone())).await?;
    Ok(SshLink { handle, back, cutter, relays: handles })
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// One connection of the way.
struct Hop<'a> {
    conn: &'a Connection,
    permit: &'a Permit,
    target: &'a Target,
    /// Set if this is a hop on the way.
    relay: Option<&'a Relay>,
    back: &'a Arc<Back>,
}

impl Hop<'_> {
    /// Handshake and login on a stream. With `end`, losing the connection from then on ends the session.
    async fn sign_in(
        &self,
        stream: Box<dyn Stream>,
        account: &AccountName,
        credential: &Credential,
        end: Option<EndSignal>,
    ) -> Result<client::Handle<Upstream>, UpstreamError> {
        let shared = &self.conn.shared;
        let name = || self.target.name.to_string();
        let unreachable = |why: String| UpstreamError::Unreachable { target: name(), why };
        let key = TargetKey::of(self.target).ok_or_else(|| UpstreamError::NotPinned(name()))?;
        let (offered, up) = (Arc::default(), Arc::new(OnceLock::new()));
        let config = client_config(&key, self.target);
        let handler = Upstream { key, offered: Arc::clone(&offered), back: self.back.clone(), up: Arc::clone(&up) };
        let connecting = client::connect_stream(Arc::new(config), Gathered::new(stream), handler);
        let mut handle = match timeout(shared.config.connect_timeout, connecting).await {
            Err(_) => return Err(unreachable(format!("no SSH answer within {} s", shared.config.connect_timeout.as_secs()))),
            Ok(Ok(h)) => h,
            Ok(Err(russh::Error::UnknownKey)) => {
                let offered =
                    offered.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| "an unknown kind of key".into());
                let event = AuditEvent::TargetKeyChanged { target: self.target.id, offered: offered.clone() };
                tracing::error!(target = %self.target.name, offered, "host key changed");
                shared.approvals.note(event, Some(self.permit.person())).await;
                return Err(UpstreamError::HostKey { target: name(), offered });
            }
            Ok(Err(e)) => return Err(unreachable(e.to_string())),
        };
        let signing = log_in(&mut handle, &shared.approvals, (self.permit, self.relay), account, credential);
        match timeout(shared.config.connect_timeout, signing).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Err(UpstreamError::Credential(name())),
            Ok(Err(LoginError::BadKey)) => return Err(UpstreamError::BadKey(name())),
            Ok(Err(LoginError::Protocol(e))) => return Err(e.into()),
            Ok(Err(LoginError::Certificate(why))) => return Err(UpstreamError::Stored { target: name(), why }),
            Err(_) => return Err(unreachable("it did not finish signing us in".to_owned())),
        }
        if let Some(end) = end {
            let _ = up.set(end);
        }
        Ok(handle)
    }
}

fn client_config(key: &TargetKey, target: &Target) -> client::Config {
    client::Config {
        client_id: russh::SshId::Standard("SSH-2.0-Anteroom".into()),
        window_size: algorithms::WINDOW,
        manual_window: true,
        raw_requests: true,
        manual_close: true,
        maximum_packet_size: algorithms::PACKET,
        channel_buffer_size: algorithms::CHANNEL_MESSAGES,
        preferred: key.prefer(algorithms::toward(target.profile)),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVE_MAX,
        nodelay: true,
        ..Default::default()
    }
}
