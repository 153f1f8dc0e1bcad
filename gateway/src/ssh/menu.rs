//! `ssh bastion`: what a person may reach, asking for more, waiting for it, and going there, in one terminal.
use super::{
    auth::Visitor,
    connection::{Connection, Permitted},
    lobby, notice,
    relay::{self, Credit},
    requests::{Request, cells},
    side::{Reader, Writer},
};
use anteroom_approvals::{AskStepUp, RequestForm, StepUpState};
use anteroom_domain::{AccountName, Capabilities, Reason, RequestId, TargetName};
use anteroom_menu::{Action, Menu, Notice, Options, Output, View, plain_list};
use anteroom_policy::{Decision, SecondFactor};
use bytes::Bytes;
use russh::{Channel, ChannelMsg, server, server::ChannelOpenHandle};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

mod view;

const TICK: Duration = Duration::from_millis(250);
/// How often the facts are read again while the menu stands; changes are shown at once.
const REFRESH: Duration = Duration::from_secs(15);
/// Nobody at the keyboard for so long: the menu closes.
const IDLE: Duration = Duration::from_secs(30 * 60);

/// The terminal as the client described it.
#[derive(Clone)]
struct Screen {
    /// The `pty-req` as it came, for the session that begins in this terminal.
    pty: Option<Bytes>,
    cols: u16,
    rows: u16,
    env: Vec<Bytes>,
    dumb: bool,
    no_colour: bool,
}

struct Counter {
    conn: Arc<Connection>,
    visitor: Visitor,
    reads: Reader,
    client: Writer<server::Msg>,
    credit: Credit,
    screen: Screen,
    began: Instant,
}

pub(super) async fn run(conn: Arc<Connection>, visitor: Visitor, channel: Channel<server::Msg>, reply: ChannelOpenHandle) {
    reply.accept().await;
    let (reads, writes) = channel.split();
    let screen = Screen { pty: None, cols: 80, rows: 24, env: Vec::new(), dumb: false, no_colour: false };
    let mut counter = Counter {
        conn: conn.clone(),
        visitor,
        reads: Reader::Ssh(reads),
        client: Writer::Ssh(writes),
        credit: Credit::default(),
        screen,
        began: Instant::now(),
    };
    let status = tokio::select! {
        status = counter.serve() => status,
        _ = conn.end.ended() => None,
    };
    if let Some(status) = status {
        let last = async {
            let _ = counter.client.exit_status(status).await;
            let _ = counter.client.eof().await;
            let _ = counter.client.close().await;
        };
        let _ = timeout(Duration::from_secs(5), last).await;
    }
}

/// What came of a menu that was left.
enum Left {
    Gone,
    Connect { account: String, target: String },
}

impl Counter {
    /// The exit status, or none if the channel is closed already.
    async fn serve(&mut self) -> Option<u32> {
        let wants_menu = timeout(Duration::from_secs(30), self.started()).await.ok()??;
        let first = match self.view().await {
            Ok(v) => v,
            Err(e) => {
                let _ = self.client.stderr(notice::refused(&e)).await;
                return Some(relay::OWN_EXIT);
            }
        };
        if !wants_menu || self.screen.pty.is_none() || self.screen.dumb {
            let text = plain_list(&first, if self.screen.pty.is_some() { self.screen.cols } else { 100 }).replace('\n', "\r\n");
            let _ = self.client.data(text.into()).await;
            return Some(0);
        }
        let options = Options { cols: self.screen.cols, rows: self.screen.rows, colour: !self.screen.no_colour };
        let mut menu = Menu::new(options, first);
        let out = menu.start(self.now());
        self.client.data(out.bytes.into()).await.ok()?;
        loop {
            match self.until_left(&mut menu).await? {
                Left::Gone => return Some(0),
                Left::Connect { account, target } => match Box::pin(self.connect(&account, &target)).await {
                    Ok(()) => return None,
                    Err(why) => {
                        let mut bytes = menu.notice(Notice::Error(why)).bytes;
                        bytes.extend(menu.resume(self.now()).bytes);
                        self.client.data(bytes.into()).await.ok()?;
                    }
                },
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn view(&self) -> Result<View, anteroom_approvals::StoreError> {
        view::of(&self.conn.shared.approvals, &self.visitor.person, &self.conn.shared.config).await
    }

    /// Waits for a shell; true if it is one. Anything else gets the plain list.
    async fn started(&mut self) -> Option<bool> {
        loop {
            match self.reads.next().await? {
                ChannelMsg::Request { name, want_reply, payload } => {
                    let request = Request::parse(&name, &payload).ok();
                    let (ok, begins) = match &request {
                        Some(Request::Pty { term, cols, rows }) => {
                            (self.screen.cols, self.screen.rows) = (cells(*cols, 80), cells(*rows, 24));
                            self.screen.dumb = term == "dumb";
                            self.screen.pty = Some(payload.clone());
                            (true, None)
                        }
                        Some(Request::Env { name, .. }) => {
                            self.screen.no_colour |= &name[..] == b"NO_COLOR";
                            if self.screen.env.len() < 16 {
                                self.screen.env.push(payload.clone());
                            }
                            (true, None)
                        }
                        Some(Request::Shell) => (true, Some(true)),
                        Some(Request::Exec { .. } | Request::Subsystem { .. }) => (true, Some(false)),
                        _ => (false, None),
                    };
                    if want_reply {
                        self.client.reply(ok).await.ok()?;
                    }
                    if begins.is_some() {
                        return begins;
                    }
                }
                ChannelMsg::Close => return None,
                _ => {}
            }
        }
    }

    /// Runs the menu until somebody leaves it. None if the channel is gone.
    async fn until_left(&mut self, menu: &mut Menu) -> Option<Left> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = self.conn.shared.approvals.changes();
        let (mut read_at, mut typed_at) = (Instant::now(), Instant::now());
        loop {
            let out = tokio::select! {
                m = self.reads.next() => match m? {
                    ChannelMsg::Data { data } => {
                        typed_at = Instant::now();
                        self.credit.took(data.len(), &self.client).await.ok()?;
                        menu.typed(&data)
                    }
                    ChannelMsg::Request { name, want_reply, payload } => {
                        let size = match Request::parse(&name, &payload) {
                            Ok(Request::WindowChange { cols, rows }) => Some((cells(cols, 80), cells(rows, 24))),
                            _ => None,
                        };
                        if want_reply {
                            self.client.reply(size.is_some()).await.ok()?;
                        }
                        match size {
                            Some((cols, rows)) => {
                                (self.screen.cols, self.screen.rows) = (cols, rows);
                                menu.resize(cols, rows)
                            }
                            None => continue,
                        }
                    }
                    ChannelMsg::Close | ChannelMsg::Eof => return None,
                    _ => continue,
                },
                _ = ticks.tick() => {
                    if typed_at.elapsed() > IDLE {
                        let _ = self.client.data(menu.leave().into()).await;
                        return Some(Left::Gone);
                    }
                    let mut out = menu.tick(self.now());
                    if read_at.elapsed() > REFRESH {
                        read_at = Instant::now();
                        self.look_again(menu, &mut out).await;
                    }
                    out
                }
                _ = changes.recv() => {
                    // Several changes come together; the next round reads them all.
                    if read_at.elapsed() < Duration::from_millis(200) {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    read_at = Instant::now();
                    let mut out = Output::default();
                    self.look_again(menu, &mut out).await;
                    out
                }
            };
            if let Some(left) = self.act(menu, out).await? {
                return Some(left);
            }
        }
    }

    async fn look_again(&self, menu: &mut Menu, out: &mut Output) {
        let more = match self.view().await {
            Ok(view) => menu.update(view),
            Err(e) => menu.notice(Notice::Error(e.to_string())),
        };
        out.bytes.extend(more.bytes);
        out.actions.extend(more.actions);
    }

    /// Draws, then does what the menu asks for.
    async fn act(&self, menu: &mut Menu, out: Output) -> Option<Option<Left>> {
        let mut todo = VecDeque::from([out]);
        while let Some(out) = todo.pop_front() {
            if !out.bytes.is_empty() {
                self.client.data(out.bytes.into()).await.ok()?;
            }
            for action in out.actions {
                let done = match action {
                    Action::Leave => return Some(Some(Left::Gone)),
                    Action::Connect { account, target } => return Some(Some(Left::Connect { account, target })),
                    Action::AskAccess { target, account, reason, minutes, capabilities } => {
                        self.ask(&target, &account, &reason, minutes, &capabilities).await
                    }
                    Action::Withdraw { request } => self.withdraw(&request).await,
                };
                let mut more = Output::default();
                match done {
                    Ok(()) => self.look_again(menu, &mut more).await,
                    Err(why) => more = menu.notice(Notice::Error(why)),
                }
                todo.push_back(more);
            }
        }
        Some(None)
    }

    async fn ask(&self, target: &str, account: &str, reason: &str, minutes: u32, capabilities: &[String]) -> Result<(), String> {
        let form = RequestForm {
            target: TargetName::new(target).map_err(|e| e.to_string())?,
            account: AccountName::new(account).map_err(|e| e.to_string())?,
            reason: Reason::new(reason).map_err(|e| e.to_string())?,
            from: None,
            until: anteroom_domain::Moment::now_utc() + time::Duration::minutes(i64::from(minutes)),
            capabilities: Capabilities::parse(capabilities).map_err(|e| e.to_string())?,
            also: Default::default(),
        };
        let asked = self.conn.shared.approvals.submit_request(&self.visitor.person, form, self.conn.peer.ip()).await;
        asked.map(drop).map_err(|e| e.to_string())
    }

    async fn withdraw(&self, request: &str) -> Result<(), String> {
        let id = RequestId(request.parse().map_err(|_| "there is no such request".to_owned())?);
        self.conn.shared.approvals.withdraw_request(&self.visitor.person, id).await.map_err(|e| e.to_string())
    }

    /// Confirms if need be, and makes this channel a session's.
    async fn connect(&mut self, account: &str, target: &str) -> Result<(), String> {
        if self.conn.permitted().is_some() {
            return Err("this connection has its session already; open another for a second one".to_owned());
        }
        let mut factor = self.visitor.factor;
        if factor == SecondFactor::Missing {
            factor = self.confirmed(account, target).await?;
        }
        let (approvals, asked_at) = (&self.conn.shared.approvals, Instant::now());
        let whence = (self.conn.peer.ip(), self.visitor.fingerprint.as_str());
        let judged = approvals.authorize(&self.visitor.person, self.conn.session, target, account, whence, factor).await;
        match judged.map_err(|e| e.to_string())? {
            Decision::Permit(permit) => {
                let deadline = asked_at + permit.remaining();
                self.conn.permit(Permitted { permit, deadline });
            }
            Decision::NeedsSecondFactor(_) => return Err("it was not confirmed with a passkey".to_owned()),
            Decision::Deny(why) => return Err(why.to_string()),
        }
        if lobby::leads_through(&self.conn) {
            let (reads, client) = self.hand_over();
            if let Some((session, client)) = lobby::wait(&self.conn, reads, client).await {
                Box::pin(relay::after_lobby(&self.conn, &session, client)).await;
            }
            return Ok(());
        }
        let session = self.conn.session().await?;
        let link = session.link.open_channel().await.map_err(|e| e.to_string())?;
        if !session.entry.open_channel(self.conn.shared.config.max_channels) {
            return Err("too many channels".to_owned());
        }
        let (reads, client) = self.hand_over();
        relay::relay(&self.conn, &session, (reads, client), link).await;
        session.entry.close_channel();
        Ok(())
    }

    /// The channel for the relay: first what was asked for before, then what comes.
    fn hand_over(&mut self) -> (Reader, Writer<server::Msg>) {
        let request = |name: &str, payload: Bytes| ChannelMsg::Request { name: name.into(), want_reply: false, payload };
        let mut before = VecDeque::new();
        if let Some(pty) = &self.screen.pty {
            before.push_back(request("pty-req", pty.clone()));
        }
        before.extend(self.screen.env.iter().map(|e| request("env", e.clone())));
        let size = [u32::from(self.screen.cols), u32::from(self.screen.rows), 0, 0].map(u32::to_be_bytes).concat();
        before.push_back(request("window-change", size.into()));
        before.push_back(request("shell", Bytes::new()));
        let (_, nothing) = tokio::sync::mpsc::channel(1);
        let reads = std::mem::replace(&mut self.reads, Reader::Local(nothing));
        let (gone, _) = tokio::sync::mpsc::channel(1);
        let client = std::mem::replace(&mut self.client, Writer::Local(gone));
        (Reader::Again(before, Box::new(reads)), client)
    }

    /// Has the person's passkey confirm this connection, in the terminal.
    async fn confirmed(&mut self, account: &str, target: &str) -> Result<SecondFactor, String> {
        let approvals = self.conn.shared.approvals.clone();
        let (target, account) = (TargetName::new(target), AccountName::new(account));
        let (Ok(target), Ok(account)) = (target, account) else { return Err("there is no such target".to_owned()) };
        let (person, source) = (&self.visitor.person, self.conn.peer.ip());
        let remembered = approvals.step_up_remembered(person.id, &self.visitor.fingerprint, source, &target).await;
        if remembered.map_err(|e| e.to_string())? {
            return Ok(SecondFactor::Remembered);
        }
        let ask = AskStepUp {
            person: person.id,
            ssh_session_id: self.visitor.ssh_session_id.clone(),
            fingerprint: self.visitor.fingerprint.clone(),
            target: target.clone(),
            account: account.clone(),
            source,
        };
        let asked = approvals.ask_step_up(ask).await.map_err(|e| e.to_string())?;
        let text = notice::confirm(&self.conn.shared.config.portal, &asked, &format!("{account}@{target}"), source);
        let text = text.replace('\n', "\r\n") + "Ctrl-C goes back.\r\n";
        self.client.data(text.into()).await.map_err(|_| "the terminal is gone".to_owned())?;
        loop {
            tokio::select! {
                state = approvals.wait_step_up(asked.id, Duration::from_secs(10)) => match state.map_err(|e| e.to_string())? {
                    StepUpState::Pending => {}
                    StepUpState::Passed => return Ok(SecondFactor::Passed(asked.id)),
                    StepUpState::Refused => return Err("the connection was refused at the passkey page".to_owned()),
                    StepUpState::Expired => return Err("nobody confirmed the connection in time".to_owned()),
                },
                m = self.reads.next() => match m {
                    Some(ChannelMsg::Data { data }) => {
                        let _ = self.credit.took(data.len(), &self.client).await;
                        if data.contains(&3) || data.contains(&4) {
                            return Err("cancelled".to_owned());
                        }
                    }
                    Some(ChannelMsg::Request { name, payload, .. }) => {
                        if let Ok(Request::WindowChange { cols, rows }) = Request::parse(&name, &payload) {
                            (self.screen.cols, self.screen.rows) = (cells(cols, 80), cells(rows, 24));
                        }
                    }
                    Some(ChannelMsg::Close) | None => return Err("the terminal is gone".to_owned()),
                    Some(_) => {}
                },
            }
        }
    }
}
