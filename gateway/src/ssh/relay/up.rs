//! Client to target. Everything typed goes to the recorder before it goes on.
use super::{Credit, Over, Pair};
use crate::ssh::{
    answers, notice,
    requests::{Request, cells, env_allowed, refusal},
    side::Reader,
    transfer::Start,
};
use anteroom_domain::{Capability, capability::Direction};
use anteroom_recorder::{EventKind, Pty};
use bytes::Bytes;
use russh::ChannelMsg;

/// What the client has asked for so far.
#[derive(Default)]
struct Asked {
    pty: Option<Pty>,
    started: bool,
}

impl Pair {
    pub(super) async fn up(&self, mut from: Reader) -> Over {
        let (mut asked, mut credit) = (Asked::default(), Credit::default());
        while let Some(m) = from.next().await {
            let sent = match m {
                ChannelMsg::Data { data } => {
                    let n = data.len();
                    if asked.started
                        && self.may_pass_up().await
                        && let Err(over) = self.typed(data).await
                    {
                        return over;
                    }
                    credit.took(n, &self.client).await
                }
                // RFC 4254 section 5.2 knows no extended data toward a server.
                ChannelMsg::ExtendedData { data, .. } => credit.took(data.len(), &self.client).await,
                ChannelMsg::Eof => {
                    self.may_move().await;
                    if let Err(over) = self.record(EventKind::Eof).await {
                        return over;
                    }
                    self.transfer.to_target.drained().await;
                    self.target.eof().await
                }
                ChannelMsg::Close => {
                    self.client_closed.cancel();
                    self.transfer.to_target.drained().await;
                    // The target still says how it ended, as it would without us.
                    if self.target.close_ours().await.is_err() {
                        return Over::Target;
                    }
                    return std::future::pending().await;
                }
                ChannelMsg::Request { name, want_reply, payload } => match self.request(&mut asked, name, want_reply, payload).await {
                    Ok(()) => Ok(()),
                    Err(over) => return over,
                },
                // Its answer to a request of the target.
                ChannelMsg::Success => self.to_target.theirs(true, &self.target).await.map(drop),
                ChannelMsg::Failure => self.to_target.theirs(false, &self.target).await.map(drop),
                _ => Ok(()),
            };
            if sent.is_err() {
                return Over::Target;
            }
        }
        Over::Client
    }

    async fn typed(&self, data: Bytes) -> Result<(), Over> {
        while self.transfer.full() {
            // Its answers come the other way, which goes on meanwhile.
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        if let Some(passed) = self.transfer.client(&data) {
            return self.passed(passed, Direction::Upload).await;
        }
        self.record(EventKind::Input(data.clone())).await?;
        self.type_on(data).await
    }

    async fn request(&self, asked: &mut Asked, name: String, want_reply: bool, payload: Bytes) -> Result<(), Over> {
        let parsed = Request::parse(&name, &payload);
        let mut what = answers::Asked::Other;
        let pass = match &parsed {
            Err(_) => false,
            Ok(Request::Pty { term, cols, rows }) if !asked.started => {
                asked.pty = Some(Pty { cols: cells(*cols, 80), rows: cells(*rows, 24), term: term.clone() });
                what = answers::Asked::Terminal;
                true
            }
            Ok(Request::Env { name, value }) => !asked.started && env_allowed(name, value),
            Ok(start @ (Request::Shell | Request::Exec { .. } | Request::Subsystem { .. })) if !asked.started => {
                self.may_move().await;
                what = answers::Asked::Start { terminal: self.start(start, asked, want_reply).await? };
                true
            }
            Ok(Request::WindowChange { cols, rows }) => {
                // Zero means "not told".
                if *cols > 0 && *rows > 0 {
                    let (cols, rows) = (cells(*cols, 80), cells(*rows, 24));
                    if asked.started {
                        self.record(EventKind::Resize { cols, rows }).await?;
                        self.live.resize(cols, rows);
                        self.commands.resize(cols, rows);
                    } else if let Some(p) = &mut asked.pty {
                        (p.cols, p.rows) = (cols, rows);
                    }
                }
                true
            }
            Ok(Request::Signal { .. } | Request::Break) => asked.started && self.may_pass_up().await,
            Ok(r @ (Request::Agent | Request::X11)) => match refusal(r, &self.session.capabilities) {
                None => {
                    self.session.link.allow_opens(matches!(r, Request::X11));
                    true
                }
                Some(why) => {
                    self.conn.note_and_tell(if matches!(r, Request::X11) { "x11" } else { "agent" }, &why);
                    false
                }
            },
            Ok(Request::Signs) => true,
            Ok(_) => false,
        };
        if !pass {
            return self.to_client.ours(want_reply, false, &self.client).await.map_err(|_| Over::Client);
        }
        self.to_client.passed_on(want_reply, what).await.map_err(|_| Over::Client)?;
        if what == (answers::Asked::Start { terminal: true }) && !want_reply {
            // Nobody will say that it began.
            self.begin_terminal().await?;
        }
        self.target.request(name, want_reply, payload).await.map_err(|_| Over::Target)
    }

    /// Opens the channel in the recording, or tells the client why not. True if it is to run in a terminal.
    async fn start(&self, start: &Request, asked: &mut Asked, want_reply: bool) -> Result<bool, Over> {
        let granted = &self.session.capabilities;
        let (kind, what) = match self.transfer.start(start, granted) {
            Start::Refused(why) => return Err(self.refuse(want_reply, "files", &why).await),
            Start::Files(how) => match self.may_start().await {
                Ok(()) => (EventKind::OpenFiles { how }, "files"),
                Err(why) => return Err(self.refuse(want_reply, "files", &why).await),
            },
            Start::Other => {
                let what = match start {
                    Request::Shell => "shell",
                    Request::Exec { .. } => "exec",
                    _ => "subsystem",
                };
                if let Some(why) = refusal(start, granted) {
                    return Err(self.refuse(want_reply, what, &why).await);
                }
                if let Request::Exec { command } = start
                    && let Some(why) = Box::pin(self.exec_met(command)).await
                {
                    return Err(self.refuse(want_reply, what, &why).await);
                }
                let command = match start {
                    Request::Exec { command } => Some(command.clone()),
                    _ => None,
                };
                match start {
                    Request::Subsystem { name } => (EventKind::OpenFiles { how: format!("subsystem:{name}") }, what),
                    _ => (EventKind::Open { pty: asked.pty.clone(), command }, what),
                }
            }
        };
        self.record(kind).await?;
        if let Some(p) = &asked.pty {
            self.commands.start(p.cols, p.rows);
        }
        self.live.start(asked.pty.as_ref().map(|p| (p.cols, p.rows)));
        if asked.pty.is_none() && self.live.is_on() && self.conn.shared.config.recording_notice {
            self.live.say(notice::MASKED);
        }
        for why in self.conn.untold() {
            self.client.stderr(format!("anteroom: {why}\r\n")).await.map_err(|_| Over::Client)?;
        }
        asked.started = true;
        tracing::debug!(session = %self.conn.session, channel = self.number, what, "channel started");
        Ok(asked.pty.is_some() && self.granted_terminal(start))
    }

    fn granted_terminal(&self, start: &Request) -> bool {
        !matches!(start, Request::Subsystem { .. }) && (self.granted(&Capability::Shell) || matches!(start, Request::Exec { .. }))
    }
}
