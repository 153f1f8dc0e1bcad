//! The thin adapter between russh's callbacks and ours. Nothing here waits for a target, but for the answer to a remote
//! forward, which SSH wants in order.
//!
//! What a callback awaits is boxed: a connection's task is as large as the largest of them for as long as it lives, and most are over
//! when the session begins.
use super::{
    auth::{Access, Authentication, Stage, Visitor},
    back::Listener,
    card,
    connection::Connection,
    forward::{self, Forward},
    jump, lobby, menu,
    relay::{self, Say},
};
use anteroom_domain::Capabilities;
use russh::{
    Channel, ChannelOpenFailure,
    keys::Certificate,
    server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long a target may think about a remote forward.
const LISTEN_LIMIT: Duration = Duration::from_secs(10);

/// How long a key may be judged. A database that froze in the middle of a question never answers it.
const JUDGE_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct ClientHandler {
    connection: Arc<Connection>,
    auth: Authentication,
}

type Done = Result<(), russh::Error>;

/// No answer is a no: a judgement that is given up leaves nobody signed in.
async fn judged(judgement: impl Future<Output = Auth>) -> Auth {
    timeout(JUDGE_LIMIT, Box::pin(judgement)).await.unwrap_or(Auth::Reject { proceed_with_methods: None, partial_success: false })
}

impl ClientHandler {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { auth: Authentication::new(connection.clone()), connection }
    }

    fn access(&self) -> Option<&Access> {
        match &self.auth.stage {
            Stage::In(a) => Some(a),
            _ => None,
        }
    }

    async fn refuse_open(&self, kind: &str, reply: ChannelOpenHandle) -> Done {
        let why = format!("{kind} is not allowed by your grant");
        self.connection.note_refusal(kind, &why);
        reply.reject(ChannelOpenFailure::Other { code: 1, reason: format!("anteroom: {why}") }).await;
        Ok(())
    }

    /// Channels that wait for their session count too; the relay bounds those that are open.
    fn crowded(&self) -> bool {
        self.connection.tasks.len() > self.connection.shared.config.max_channels * 2 + 8
    }

    /// Has the target listen for the client, if the grant allows it there.
    async fn listen<F>(&self, kind: Forward, place: &str, allowed: impl Fn(&Capabilities) -> bool, ask: F) -> Option<u32>
    where
        F: AsyncFnOnce(&super::upstream::SshLink) -> Result<(Listener, u32), russh::Error>,
    {
        let refuse = |why: &str| {
            self.connection.note_and_tell(kind.as_str(), why);
            None
        };
        let Some(permitted) = self.connection.permitted() else { return refuse("there is no permit for this connection") };
        if !allowed(permitted.permit.capabilities()) {
            return refuse(&format!("listening at {place} is not allowed by your grant"));
        }
        // Asked before anything else on a connection, and answered in order: it must not wait here for a supervisor.
        if lobby::leads_through(&self.connection) {
            return refuse("no listening place is opened before a supervisor has joined; ask again when your session runs");
        }
        let session = self.connection.session().await.ok()?;
        if let Some(why) = relay::hold::refusal(session.entry.standing()) {
            return refuse(&why);
        }
        let ssh = session.link.ssh()?;
        let (listener, port) = timeout(LISTEN_LIMIT, ask(ssh)).await.ok()?.ok()?;
        if ssh.back.listen(listener) { Some(port) } else { refuse("too many listening places") }
    }
}

impl Handler for ClientHandler {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        let approvals = &self.connection.shared.approvals;
        if Box::pin(approvals.healthy()).await {
            return Ok(self.connection.shared.config.banner.clone());
        }
        if approvals.can_go_on_alone() {
            return Ok(Some(card::BANNER.into()));
        }
        Ok(Some("anteroom: the database does not answer: new sessions are refused, running ones go on. Try again in a moment.\r\n".into()))
    }

    async fn auth_publickey_offered(&mut self, _user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        Ok(judged(self.auth.offered(&offer)).await)
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(judged(self.auth.signed(user, key)).await)
    }

    async fn openssh_certificate_signed(&mut self, _: &str, _: &Certificate, key: VerifiedPublicKey<'_>) -> Done {
        self.auth.certificate_signed(&key);
        Ok(())
    }

    async fn auth_openssh_certificate(&mut self, user: &str, certificate: &Certificate) -> Result<Auth, russh::Error> {
        Ok(judged(self.auth.certified(user, certificate)).await)
    }

    async fn auth_keyboard_interactive<'a>(&'a mut self, user: &str, _: &str, given: Option<Response<'a>>) -> Result<Auth, russh::Error> {
        let given = given.map(card::answers).unwrap_or_default();
        Ok(Box::pin(self.auth.interactive(user, &given)).await)
    }

    async fn auth_succeeded(&mut self, _: &mut Session) -> Done {
        self.connection.signed_in();
        Ok(())
    }

    async fn channel_open_session(&mut self, channel: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Done {
        let conn = self.connection.clone();
        if self.crowded() {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        match self.access() {
            Some(Access::Permitted) => {
                let tasks = conn.tasks.clone();
                tasks.spawn(relay::run(conn, channel, reply));
            }
            Some(Access::Refused(text)) => {
                conn.tasks.spawn(relay::say(channel, reply, Say::refused(text.clone())));
            }
            Some(Access::Menu(visitor)) => {
                let visitor = Visitor::clone(visitor);
                let tasks = conn.tasks.clone();
                tasks.spawn(menu::run(conn, visitor, channel, reply));
            }
            None => reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await,
        }
        Ok(())
    }

    async fn channel_open_x11(&mut self, _: Channel<Msg>, _: &str, _: u32, reply: ChannelOpenHandle, _: &mut Session) -> Done {
        self.refuse_open("X11 forwarding", reply).await
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        let (conn, host) = (self.connection.clone(), host.to_owned());
        if self.crowded() {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        let tasks = conn.tasks.clone();
        match self.access() {
            Some(Access::Permitted) => {
                tasks.spawn(forward::local(conn, channel, host, port, reply));
            }
            Some(Access::Menu(_)) if conn.inside.is_none() => {
                tasks.spawn(jump::run(conn, channel, host, reply));
            }
            _ => return self.refuse_open("port forwarding", reply).await,
        }
        Ok(())
    }

    async fn channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        self.refuse_open("port forwarding", reply).await
    }

    async fn channel_open_direct_streamlocal(
        &mut self,
        channel: Channel<Msg>,
        path: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Done {
        if !matches!(self.access(), Some(Access::Permitted)) || self.crowded() {
            return self.refuse_open("socket forwarding", reply).await;
        }
        let conn = self.connection.clone();
        let tasks = conn.tasks.clone();
        tasks.spawn(forward::local_socket(conn, channel, path.to_owned(), reply));
        Ok(())
    }

    async fn tcpip_forward(&mut self, address: &str, port: &mut u32, _: &mut Session) -> Result<bool, russh::Error> {
        let wanted = *port;
        let granted = |c: &Capabilities| c.remote_forward(address, wanted);
        let place = forward::place(address, wanted);
        let listening = self.listen(Forward::Remote, &place, granted, async |ssh| {
            let given = ssh.handle.tcpip_forward(address, wanted).await?;
            let port = if given == 0 { wanted } else { given };
            Ok((Listener::Port(address.to_owned(), port), port))
        });
        match Box::pin(listening).await {
            Some(given) => {
                *port = given;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn cancel_tcpip_forward(&mut self, address: &str, port: u32, _: &mut Session) -> Result<bool, russh::Error> {
        let Some(session) = self.connection.started().cloned() else { return Ok(false) };
        let Some(ssh) = session.link.ssh() else { return Ok(false) };
        ssh.back.unlisten(&Listener::Port(address.to_owned(), port));
        Ok(timeout(LISTEN_LIMIT, ssh.handle.cancel_tcpip_forward(address, port)).await.is_ok_and(|r| r.is_ok()))
    }

    async fn streamlocal_forward(&mut self, path: &str, _: &mut Session) -> Result<bool, russh::Error> {
        let granted = |c: &Capabilities| c.remote_socket(path);
        let listening = self.listen(Forward::RemoteSocket, "this socket", granted, async |ssh| {
            ssh.handle.streamlocal_forward(path).await?;
            Ok((Listener::Socket(path.to_owned()), 0))
        });
        Ok(Box::pin(listening).await.is_some())
    }

    async fn cancel_streamlocal_forward(&mut self, path: &str, _: &mut Session) -> Result<bool, russh::Error> {
        let Some(session) = self.connection.started().cloned() else { return Ok(false) };
        let Some(ssh) = session.link.ssh() else { return Ok(false) };
        ssh.back.unlisten(&Listener::Socket(path.to_owned()));
        Ok(timeout(LISTEN_LIMIT, ssh.handle.cancel_streamlocal_forward(path)).await.is_ok_and(|r| r.is_ok()))
    }
}
