//! The thin adapter between russh's callbacks and ours. Nothing here waits for a target.
use super::{
    auth::{Access, Authentication, Stage},
    connection::Connection,
    notice,
    relay::{self, OWN_EXIT, Say},
    requests::{env_allowed, refusal},
};
use anteroom_domain::{Capability, Moment};
use russh::{
    Channel, ChannelId, ChannelOpenFailure, Pty,
    server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey},
};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct ClientHandler {
    connection: Arc<Connection>,
    auth: Authentication,
}

type Done = Result<(), russh::Error>;

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

    /// What a grant doesn't hold is refused where the client asks for it; the relay says why on stderr.
    fn allowed(&self, wanted: Capability) -> bool {
        match self.connection.permitted() {
            Some(p) => {
                let why = refusal(wanted, p.permit.capabilities());
                if let Some(why) = &why {
                    self.connection.note_refusal(wanted.as_str(), why);
                }
                why.is_none()
            }
            // Menu and refusals: any start is answered with text.
            None => true,
        }
    }

    async fn refuse_open(&self, kind: &str, reply: ChannelOpenHandle) -> Done {
        let why = format!("{kind} is not allowed by your grant");
        self.connection.note_refusal(kind, &why);
        reply.reject(ChannelOpenFailure::Other { code: 1, reason: format!("anteroom: {why}") }).await;
        Ok(())
    }
}

fn answer(session: &mut Session, channel: ChannelId, ok: bool) -> Done {
    if ok { session.channel_success(channel) } else { session.channel_failure(channel) }
}

impl Handler for ClientHandler {
    type Error = russh::Error;

    async fn authentication_banner(&mut self) -> Result<Option<String>, russh::Error> {
        if self.connection.shared.approvals.healthy().await {
            return Ok(None);
        }
        Ok(Some("anteroom: the database does not answer: new sessions are refused, running ones go on. Try again in a moment.\r\n".into()))
    }

    async fn auth_publickey_offered(&mut self, _user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        Ok(self.auth.offered(offer.public_key, offer.algorithm).await)
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(self.auth.signed(user, key).await)
    }

    async fn auth_keyboard_interactive<'a>(&'a mut self, user: &str, _: &str, _: Option<Response<'a>>) -> Result<Auth, russh::Error> {
        Ok(self.auth.interactive(user).await)
    }

    async fn auth_succeeded(&mut self, _: &mut Session) -> Done {
        self.connection.signed_in();
        Ok(())
    }

    async fn channel_open_session(&mut self, channel: Channel<Msg>, reply: ChannelOpenHandle, session: &mut Session) -> Done {
        let conn = self.connection.clone();
        // The relay counts too; this bounds channels that wait for the session to open.
        if conn.tasks.len() > conn.shared.config.max_channels + 8 {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        let handle = session.handle();
        match self.access() {
            Some(Access::Permitted) => {
                let tasks = conn.tasks.clone();
                tasks.spawn(relay::run(conn, channel, reply, handle));
            }
            Some(Access::Refused(text)) => {
                let say = Say::refused(text.clone());
                conn.tasks.spawn(relay::say(channel, reply, say));
            }
            Some(Access::Menu(person)) => {
                let (person, shared) = (person.clone(), conn.shared.clone());
                conn.tasks.spawn(async move {
                    let now = Moment::now_utc();
                    let say = match shared.approvals.reachable(person.id, now).await {
                        Ok(grants) => Say { text: notice::menu(&person, &grants, &shared.config, now), status: 0 },
                        Err(e) => Say::refused(notice::refused(&e)),
                    };
                    relay::say(channel, reply, say).await;
                });
            }
            None => reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await,
        }
        Ok(())
    }

    async fn pty_request(&mut self, c: ChannelId, _: &str, _: u32, _: u32, _: u32, _: u32, _: &[(Pty, u32)], s: &mut Session) -> Done {
        answer(s, c, true)
    }

    async fn shell_request(&mut self, c: ChannelId, s: &mut Session) -> Done {
        let ok = self.allowed(Capability::Shell);
        answer(s, c, ok)
    }

    async fn exec_request(&mut self, c: ChannelId, _: &[u8], s: &mut Session) -> Done {
        let ok = self.allowed(Capability::Exec);
        answer(s, c, ok)
    }

    async fn env_request(&mut self, c: ChannelId, name: &str, value: &str, s: &mut Session) -> Done {
        answer(s, c, env_allowed(name, value))
    }

    async fn subsystem_request(&mut self, c: ChannelId, name: &str, s: &mut Session) -> Done {
        if self.connection.permitted().is_some() {
            // The name is the client's: only known ones are repeated.
            let name = if name == "sftp" { "sftp" } else { "this subsystem" };
            let why = format!("{name} is not allowed by your grant");
            self.connection.note_refusal("subsystem", &why);
            // OpenSSH gives up on a failure without showing what it has received: only after a success the reason is read.
            s.channel_success(c)?;
            s.extended_data(c, 1, format!("anteroom: {why}\r\n").into_bytes())?;
            s.exit_status_request(c, OWN_EXIT)?;
            s.eof(c)?;
            return s.close(c);
        }
        answer(s, c, true)
    }

    async fn x11_request(&mut self, c: ChannelId, _: bool, _: &str, _: &str, _: u32, s: &mut Session) -> Done {
        self.connection.note_refusal("x11", "X11 forwarding is not allowed by your grant");
        answer(s, c, false)
    }

    async fn agent_request(&mut self, _: ChannelId, _: &mut Session) -> Result<bool, russh::Error> {
        self.connection.note_refusal("agent", "agent forwarding is not allowed by your grant");
        Ok(false)
    }

    async fn channel_open_x11(&mut self, _: Channel<Msg>, _: &str, _: u32, reply: ChannelOpenHandle, _: &mut Session) -> Done {
        self.refuse_open("X11 forwarding", reply).await
    }

    async fn channel_open_direct_tcpip(
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

    async fn channel_open_direct_streamlocal(&mut self, _: Channel<Msg>, _: &str, reply: ChannelOpenHandle, _: &mut Session) -> Done {
        self.refuse_open("socket forwarding", reply).await
    }

    async fn tcpip_forward(&mut self, _: &str, _: &mut u32, _: &mut Session) -> Result<bool, russh::Error> {
        self.connection.note_refusal("tcpip-forward", "remote forwarding is not allowed by your grant");
        Ok(false)
    }

    async fn streamlocal_forward(&mut self, _: &str, _: &mut Session) -> Result<bool, russh::Error> {
        self.connection.note_refusal("streamlocal-forward", "socket forwarding is not allowed by your grant");
        Ok(false)
    }
}
