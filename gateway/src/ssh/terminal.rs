//! The door for terminals in browsers: the same policy, permit, recording and relay as for an SSH client; only the
//! person's side is a queue instead of a channel.
use super::{
    connection::{Connection, Permitted, Shared},
    lobby, notice, relay,
    server::finish,
    side::{self, LocalEnd},
};
use anteroom_domain::{EndReason, OpenTerminal, SessionId, TerminalDoor, TerminalInput, TerminalOutput, TerminalSession, terminal::Later};
use anteroom_policy::{Decision, SecondFactor};
use bytes::Bytes;
use russh::ChannelMsg;
use std::{net::SocketAddr, sync::Arc};
use tokio::time::Instant;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

#[derive(Debug)]
pub(super) struct Door {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Door {
    pub(super) fn new(shared: Arc<Shared>, tasks: TaskTracker, stop: CancellationToken) -> Self {
        Self { shared, tasks, stop }
    }

    async fn enter(&self, ask: OpenTerminal) -> Result<Box<dyn TerminalSession>, String> {
        if self.stop.is_cancelled() || self.tasks.is_closed() {
            return Err("the gateway is stopping".to_owned());
        }
        let shared = self.shared.clone();
        let (person, target, account) = (ask.person, ask.target.to_string(), ask.account.to_string());
        let conn = Connection::new(shared.clone(), SocketAddr::new(ask.source, 0), None, None);
        let person = shared.approvals.person(person).await.map_err(|e| e.to_string())?.ok_or("nobody is signed in")?;
        let asked_at = Instant::now();
        let factor = SecondFactor::Passed(ask.step_up);
        let judged = shared.approvals.authorize(&person, conn.session, &target, &account, ask.source, factor).await;
        let permit = match judged.map_err(|e| e.to_string())? {
            Decision::Permit(permit) => permit,
            Decision::NeedsSecondFactor(_) => return Err("this terminal was not confirmed with a passkey, or too long ago".to_owned()),
            Decision::Deny(why) => return Err(why.to_string()),
        };
        let deadline = asked_at + permit.remaining();
        conn.permit(Permitted { permit, deadline });
        if lobby::leads_through(&conn) {
            return self.through_the_lobby(conn, ask.cols, ask.rows).await;
        }
        let session = match conn.session().await {
            Ok(s) => s,
            Err(why) => {
                conn.end.end(EndReason::TargetUnreachable);
                conn.tasks.close();
                finish(&conn, &EndReason::TargetUnreachable).await;
                return Err(why);
            }
        };
        let (reads, writes, end) = side::local();
        let (stop, held) = (self.stop.clone(), conn.clone());
        let target = session.link.open_channel().await.map_err(|e| e.to_string());
        self.tasks.spawn(async move {
            let conn = held;
            if let Ok(target) = target
                && session.entry.open_channel(1)
            {
                tokio::select! {
                    () = relay::relay(&conn, &session, (reads, writes), target) => {}
                    () = stop.cancelled() => { conn.end.end(EndReason::GatewayStopped); }
                }
                session.entry.close_channel();
            }
            conn.end.end(EndReason::ClientClosed);
            let reason = conn.end.ended().await;
            conn.tasks.close();
            finish(&conn, &reason).await;
        });
        start(&end, ask.cols, ask.rows).await.ok_or("the terminal could not be started")?;
        Ok(Box::new(Open { id: conn.session, conn, end: Some(end), status: None }))
    }
}

impl Door {
    /// The page has its terminal at once, and reads there why it waits.
    async fn through_the_lobby(&self, conn: Arc<Connection>, cols: u16, rows: u16) -> Result<Box<dyn TerminalSession>, String> {
        let (reads, writes, end) = side::local();
        let (stop, held) = (self.stop.clone(), conn.clone());
        self.tasks.spawn(async move {
            let conn = held;
            let relayed = async {
                if let Some((session, client)) = lobby::wait(&conn, reads, writes).await {
                    Box::pin(relay::after_lobby(&conn, &session, client)).await;
                }
            };
            tokio::select! {
                () = relayed => {}
                () = stop.cancelled() => { conn.end.end(EndReason::GatewayStopped); }
            }
            conn.end.end(EndReason::ClientClosed);
            let reason = conn.end.ended().await;
            conn.tasks.close();
            finish(&conn, &reason).await;
        });
        start(&end, cols, rows).await.ok_or("the terminal could not be started")?;
        Ok(Box::new(Open { id: conn.session, conn, end: Some(end), status: None }))
    }
}

impl TerminalDoor for Door {
    fn open(&self, ask: OpenTerminal) -> Later<'_, Result<Box<dyn TerminalSession>, String>> {
        Box::pin(self.enter(ask))
    }
}

async fn start(end: &LocalEnd, cols: u16, rows: u16) -> Option<()> {
    let term = b"xterm-256color";
    let pty = [
        &(term.len() as u32).to_be_bytes()[..],
        term,
        &u32::from(cols).to_be_bytes(),
        &u32::from(rows).to_be_bytes(),
        &[0; 8],
        &[0, 0, 0, 1, 0],
    ];
    let request = |name: &str, payload: Bytes| ChannelMsg::Request { name: name.into(), want_reply: true, payload };
    end.to_relay.send(request("pty-req", pty.concat().into())).await.ok()?;
    end.to_relay.send(request("shell", Bytes::new())).await.ok()
}

/// A terminal in a browser.
struct Open {
    id: SessionId,
    conn: Arc<Connection>,
    end: Option<LocalEnd>,
    status: Option<u32>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.conn.end.end(EndReason::ClientClosed);
    }
}

impl Open {
    async fn put(&mut self, input: TerminalInput) -> bool {
        let Some(end) = &self.end else { return false };
        let m = match input {
            TerminalInput::Typed(bytes) => ChannelMsg::Data { data: bytes.into() },
            TerminalInput::Resize { cols, rows } => {
                let payload = [u32::from(cols), u32::from(rows), 0, 0].map(u32::to_be_bytes).concat();
                ChannelMsg::Request { name: "window-change".into(), want_reply: false, payload: payload.into() }
            }
        };
        end.to_relay.send(m).await.is_ok()
    }

    async fn take(&mut self) -> Option<TerminalOutput> {
        let end = self.end.as_mut()?;
        loop {
            match end.from_relay.recv().await {
                Some(ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. }) => return Some(TerminalOutput::Shown(data.into())),
                Some(ChannelMsg::Request { name, payload, .. }) if name == "exit-status" => {
                    self.status = payload.first_chunk().map(|b| u32::from_be_bytes(*b));
                }
                Some(ChannelMsg::Close) | None => {
                    self.end = None;
                    let text = match self.conn.end.reason() {
                        Some(reason) if self.status.is_none() => notice::ended(&reason).trim().to_owned(),
                        _ => "the session has ended".to_owned(),
                    };
                    return Some(TerminalOutput::Ended { text, status: self.status });
                }
                Some(_) => {}
            }
        }
    }
}

impl TerminalSession for Open {
    fn id(&self) -> SessionId {
        self.id
    }
    fn send(&mut self, input: TerminalInput) -> Later<'_, bool> {
        Box::pin(self.put(input))
    }
    fn next(&mut self) -> Later<'_, Option<TerminalOutput>> {
        Box::pin(self.take())
    }
}
