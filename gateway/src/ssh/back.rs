//! What a target may open toward the client: only what the client asked for and its grant allows. Everything else a
//! target tries is refused.
use super::{
    connection::Connection,
    forward::{self, Forward, TargetSide},
    relay::hold,
    session::Session,
};
use anteroom_domain::Capability;
use russh::{Channel, ChannelOpenFailure, client, client::ChannelOpenHandle, server};
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// Listening places on the target, at most.
const MAX_LISTENERS: usize = 64;

#[derive(Debug)]
pub(super) struct Back {
    conn: Weak<Connection>,
    agent: AtomicBool,
    x11: AtomicBool,
    listeners: Mutex<HashSet<Listener>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Listener {
    Port(String, u32),
    Socket(String),
}

/// What a target wants to open.
#[derive(Debug, Clone)]
pub(super) enum Opened {
    Port { address: String, port: u32, originator: String, originator_port: u32 },
    Socket(String),
    Agent,
    X11 { originator: String, originator_port: u32 },
}

impl Back {
    pub(super) fn new(conn: Weak<Connection>) -> Self {
        Self { conn, agent: false.into(), x11: false.into(), listeners: Mutex::default() }
    }

    /// The client asked for X11 or agent forwarding on a channel, and may.
    pub(super) fn allow(&self, x11: bool) {
        if x11 { &self.x11 } else { &self.agent }.store(true, Ordering::Relaxed);
    }

    /// False if there are too many.
    pub(super) fn listen(&self, l: Listener) -> bool {
        let mut all = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        all.len() < MAX_LISTENERS && {
            all.insert(l);
            true
        }
    }

    pub(super) fn unlisten(&self, l: &Listener) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).remove(l);
    }

    fn listens(&self, l: &Listener) -> bool {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).contains(l)
    }

    fn allowed(&self, session: &Session, opened: &Opened) -> bool {
        match opened {
            Opened::Port { address, port, .. } => self.listens(&Listener::Port(address.clone(), *port)),
            Opened::Socket(path) => self.listens(&Listener::Socket(path.clone())),
            Opened::Agent => self.agent.load(Ordering::Relaxed) && session.capabilities.has(&Capability::AgentForwarding),
            Opened::X11 { .. } => self.x11.load(Ordering::Relaxed) && session.capabilities.has(&Capability::X11Forwarding),
        }
    }

    /// Answers the target's wish. What has to wait for the client does so in a task of the connection.
    pub(super) async fn open(&self, opened: Opened, channel: Channel<client::Msg>, reply: ChannelOpenHandle) {
        let live = self.conn.upgrade().and_then(|c| c.started().cloned().zip(c.client_handle().cloned()).map(|(s, h)| (c, s, h)));
        let Some((conn, session, client)) = live else { return reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await };
        if !self.allowed(&session, &opened) {
            conn.note_refusal("target", "the target tried to open a channel that nobody asked for");
            return reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        }
        if hold::refusal(session.entry.standing()).is_some() {
            conn.note_refusal("target", "the target opened a channel while the session stands still");
            return reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
        }
        if !session.entry.open_channel(conn.shared.config.max_channels) {
            return reply.reject(ChannelOpenFailure::ResourceShortage).await;
        }
        let tasks = conn.tasks.clone();
        tasks.spawn(async move {
            toward_client(&conn, &session, &client, opened, forward::sides(channel), reply).await;
            session.entry.close_channel();
        });
    }
}

async fn toward_client(
    conn: &Arc<Connection>,
    session: &Arc<Session>,
    client: &server::Handle,
    opened: Opened,
    target: TargetSide,
    reply: ChannelOpenHandle,
) {
    let opening = async {
        match &opened {
            Opened::Port { address, port, originator, originator_port } => {
                client.channel_open_forwarded_tcpip(address, *port, originator, *originator_port).await
            }
            Opened::Socket(path) => client.channel_open_forwarded_streamlocal(path).await,
            Opened::Agent => client.channel_open_agent().await,
            Opened::X11 { originator, originator_port } => client.channel_open_x11(originator, *originator_port).await,
        }
    };
    let channel = tokio::select! { c = opening => c, _ = conn.end.ended() => Err(russh::Error::Disconnect) };
    match channel {
        Err(russh::Error::ChannelOpenFailure(why)) => reply.reject(why).await,
        Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        Ok(channel) => {
            reply.accept().await;
            let (forward, place) = match opened {
                Opened::Port { address, port, .. } => (Forward::Remote, forward::place(&address, port)),
                Opened::Socket(path) => (Forward::RemoteSocket, path),
                Opened::Agent => (Forward::Agent, String::new()),
                Opened::X11 { .. } => (Forward::X11, String::new()),
            };
            forward::pipe(conn, session, forward, place, forward::sides(channel), target).await;
        }
    }
}
