//! One channel of a session: bytes both ways, through the recorder, under the window of the slower side.
//!
//! russh alone gives receive window back when bytes arrive. Here it is given back after the other side has taken
//! them (`manual_window`), so the SSH window bounds what a channel holds and one stalled channel stops no other.
use super::{
    algorithms::WINDOW,
    connection::Connection,
    notice,
    requests::{env_allowed, refusal},
    session::Session,
};
use anteroom_domain::Capability;
use anteroom_recorder::{EventKind, Pty, RecordingFailed};
use bytes::Bytes;
use russh::{
    Channel, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Sig, client,
    server::{self, ChannelOpenHandle},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep_until, timeout};

/// RFC 4254 section 5.2.
const STDERR: u32 = 1;
/// Exit status when the gateway itself has something to say; what OpenSSH uses for its own errors.
pub(super) const OWN_EXIT: u32 = 255;
/// A target's EOF waits this long for the exit status: once a client has seen both EOFs it closes, and a status
/// that comes later is lost.
const EOF_HOLD: Duration = Duration::from_millis(500);
const NOTICE: Duration = Duration::from_millis(300);

/// Why a channel is over.
enum Over {
    Client,
    Target,
    Recording,
}
impl From<RecordingFailed> for Over {
    fn from(_: RecordingFailed) -> Self {
        Self::Recording
    }
}

struct Pair {
    session: Arc<Session>,
    number: u32,
    to_client: ChannelWriteHalf<server::Msg>,
    to_target: ChannelWriteHalf<client::Msg>,
    handle: server::Handle,
    /// Requests the target has not answered yet, oldest first.
    unanswered: Mutex<VecDeque<Asked>>,
}

#[derive(Clone, Copy)]
enum Asked {
    Pty,
    Start,
}

pub(super) async fn run(conn: Arc<Connection>, from_client: Channel<server::Msg>, reply: ChannelOpenHandle, handle: server::Handle) {
    let session = match conn.session().await {
        Ok(s) => s,
        Err(why) => return say(from_client, reply, Say { text: notice::refused(&why), status: OWN_EXIT }).await,
    };
    let max = conn.shared.config.max_channels;
    if !session.entry.open_channel(max) {
        conn.note_refusal("session", "too many channels");
        return reply.reject(ChannelOpenFailure::Other { code: 4, reason: format!("at most {max} channels a connection") }).await;
    }
    // The client's open is answered when the target has answered ours.
    match tokio::select! { t = session.link.handle.channel_open_session() => t.ok(), _ = conn.end.ended() => None } {
        None => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        Some(target) => {
            reply.accept().await;
            let (client_reads, to_client) = from_client.split();
            let (target_reads, to_target) = target.split();
            let number = session.number_channel();
            let pair = Pair { session: session.clone(), number, to_client, to_target, handle, unanswered: Mutex::default() };
            let over = tokio::select! {
                over = pair.up(client_reads) => over,
                over = pair.down(target_reads) => over,
                reason = conn.end.ended() => {
                    let text = Bytes::from(notice::ended(&reason));
                    let _ = timeout(NOTICE, pair.to_client.extended_data_bytes(STDERR, text)).await;
                    Over::Client
                }
            };
            if matches!(over, Over::Recording) {
                conn.end.end(anteroom_domain::EndReason::RecordingFailed);
            }
            let _ = timeout(NOTICE, async { tokio::join!(pair.to_target.close(), pair.to_client.close()) }).await;
            let _ = session.record(number, EventKind::Close).await;
        }
    }
    session.entry.close_channel();
}

impl Pair {
    /// Client to target. Everything typed goes to the recorder before it goes on.
    async fn up(&self, mut from: ChannelReadHalf) -> Over {
        let (mut pty, mut started, mut credit) = (None, false, Credit::default());
        while let Some(m) = from.wait().await {
            let sent = match m {
                ChannelMsg::Data { data } => {
                    credit.add(data.len());
                    if started {
                        if let Err(e) = self.session.record(self.number, EventKind::Input(data.clone())).await {
                            return e.into();
                        }
                        if self.to_target.data_bytes(data).await.is_err() {
                            return Over::Target;
                        }
                    }
                    credit.give(&self.to_client).await
                }
                // RFC 4254 section 5.2 knows no extended data toward a server.
                ChannelMsg::ExtendedData { data, .. } => {
                    credit.add(data.len());
                    credit.give(&self.to_client).await
                }
                ChannelMsg::Eof => {
                    if let Err(e) = self.session.record(self.number, EventKind::Eof).await {
                        return e.into();
                    }
                    self.to_target.eof().await
                }
                ChannelMsg::Close => return Over::Client,
                ChannelMsg::RequestPty { term, col_width, row_height, pix_width, pix_height, terminal_modes, .. } if !started => {
                    pty = Some(Pty { cols: cells(col_width, 80), rows: cells(row_height, 24), term: term.clone() });
                    self.asked(Asked::Pty);
                    self.to_target.request_pty(true, &term, col_width, row_height, pix_width, pix_height, &terminal_modes).await
                }
                ChannelMsg::SetEnv { variable_name, variable_value, .. } if !started && env_allowed(&variable_name, &variable_value) => {
                    self.to_target.set_env(false, variable_name, variable_value).await
                }
                ChannelMsg::RequestShell { .. } if !started => match self.start(Capability::Shell, pty.take(), None).await {
                    Ok(allowed) => {
                        started = allowed;
                        if !allowed {
                            return Over::Client;
                        }
                        self.to_target.request_shell(true).await
                    }
                    Err(e) => return e,
                },
                ChannelMsg::Exec { command, .. } if !started => {
                    let text = Bytes::from(command.clone());
                    match self.start(Capability::Exec, pty.take(), Some(text)).await {
                        Ok(allowed) => {
                            started = allowed;
                            if !allowed {
                                return Over::Client;
                            }
                            self.to_target.exec(true, command).await
                        }
                        Err(e) => return e,
                    }
                }
                ChannelMsg::WindowChange { col_width, row_height, pix_width, pix_height } => {
                    // Zero means "not told" (RFC 4254 section 6.2).
                    if col_width > 0 && row_height > 0 {
                        let (cols, rows) = (cells(col_width, 80), cells(row_height, 24));
                        match &mut pty {
                            Some(p) if !started => (p.cols, p.rows) = (cols, rows),
                            _ if !started => {}
                            _ => {
                                if let Err(e) = self.session.record(self.number, EventKind::Resize { cols, rows }).await {
                                    return e.into();
                                }
                            }
                        }
                    }
                    self.to_target.window_change(col_width, row_height, pix_width, pix_height).await
                }
                ChannelMsg::Signal { signal } if started => self.to_target.signal(signal).await,
                // Everything else was refused by the handler.
                _ => Ok(()),
            };
            if sent.is_err() {
                return Over::Target;
            }
        }
        Over::Client
    }

    /// Opens the channel in the recording, or tells the client why not.
    async fn start(&self, wanted: Capability, pty: Option<Pty>, command: Option<Bytes>) -> Result<bool, Over> {
        if let Some(why) = refusal(wanted, &self.session.capabilities) {
            self.tell(&why).await;
            return Ok(false);
        }
        self.session.record(self.number, EventKind::Open { pty, command }).await?;
        self.asked(Asked::Start);
        Ok(true)
    }

    async fn tell(&self, why: &str) {
        let _ = self.to_client.extended_data_bytes(STDERR, Bytes::from(format!("anteroom: {why}\r\n"))).await;
        let _ = self.to_client.exit_status(OWN_EXIT).await;
        let _ = self.to_client.eof().await;
    }

    fn asked(&self, what: Asked) {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).push_back(what);
    }

    fn answered(&self) -> Option<Asked> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Target to client. Nothing is shown that the recorder has not taken.
    async fn down(&self, mut from: ChannelReadHalf) -> Over {
        let (mut credit, mut held_eof) = (Credit::default(), None);
        loop {
            let m = match held_eof {
                None => from.wait().await,
                Some(until) => tokio::select! {
                    m = from.wait() => m,
                    () = sleep_until(until) => {
                        held_eof = None;
                        let _ = self.to_client.eof().await;
                        continue;
                    }
                },
            };
            let sent = match m {
                None | Some(ChannelMsg::Close) => {
                    if held_eof.is_some() {
                        let _ = self.to_client.eof().await;
                    }
                    return Over::Target;
                }
                Some(ChannelMsg::Data { data }) => {
                    let n = data.len();
                    if let Err(e) = self.session.record(self.number, EventKind::Output(data.clone())).await {
                        return e.into();
                    }
                    let sent = self.to_client.data_bytes(data).await;
                    self.took(&mut credit, n).await;
                    sent
                }
                Some(ChannelMsg::ExtendedData { data, ext }) => {
                    let n = data.len();
                    if let Err(e) = self.session.record(self.number, EventKind::Stderr(data.clone())).await {
                        return e.into();
                    }
                    let sent = self.to_client.extended_data_bytes(ext, data).await;
                    self.took(&mut credit, n).await;
                    sent
                }
                Some(ChannelMsg::Eof) => {
                    held_eof = Some(Instant::now() + EOF_HOLD);
                    Ok(())
                }
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    if let Err(e) = self.session.record(self.number, EventKind::Exit { status: exit_status }).await {
                        return e.into();
                    }
                    let sent = self.to_client.exit_status(exit_status).await;
                    self.release(&mut held_eof).await;
                    sent
                }
                Some(ChannelMsg::ExitSignal { signal_name, core_dumped, error_message, lang_tag }) => {
                    let signal = EventKind::Signalled { signal: name_of(&signal_name) };
                    if let Err(e) = self.session.record(self.number, signal).await {
                        return e.into();
                    }
                    let id = self.to_client.id();
                    let sent = self.handle.exit_signal_request(id, signal_name, core_dumped, error_message, lang_tag).await;
                    self.release(&mut held_eof).await;
                    sent.map_err(|()| russh::Error::SendError)
                }
                Some(ChannelMsg::Success) => {
                    self.answered();
                    Ok(())
                }
                Some(ChannelMsg::Failure) => match self.answered() {
                    Some(Asked::Start) => {
                        self.tell("the target refused to start this").await;
                        return Over::Target;
                    }
                    Some(Asked::Pty) => {
                        let text = Bytes::from_static(b"anteroom: the target gave no terminal\r\n");
                        self.to_client.extended_data_bytes(STDERR, text).await
                    }
                    None => Ok(()),
                },
                Some(_) => Ok(()),
            };
            if sent.is_err() {
                return Over::Client;
            }
        }
    }

    async fn took(&self, credit: &mut Credit, n: usize) {
        self.session.entry.sent(n);
        credit.add(n);
        // A target that is gone ends this loop by its own message.
        let _ = credit.give(&self.to_target).await;
    }

    async fn release(&self, held_eof: &mut Option<Instant>) {
        if held_eof.take().is_some() {
            let _ = self.to_client.eof().await;
        }
    }
}

/// Window that was consumed and is not given back yet; given in quarters, to spare packets.
#[derive(Default)]
struct Credit(u32);

impl Credit {
    fn add(&mut self, n: usize) {
        // A packet is at most 32 KiB.
        self.0 = self.0.saturating_add(n as u32);
    }

    async fn give<S>(&mut self, to: &ChannelWriteHalf<S>) -> Result<(), russh::Error>
    where
        S: From<(russh::ChannelId, ChannelMsg)> + Send + Sync + 'static,
    {
        if self.0 < WINDOW / 4 {
            return Ok(());
        }
        to.grant_window(std::mem::take(&mut self.0)).await
    }
}

/// Zero means "not told" (RFC 4254 section 6.2), as `ssh -tt` without a terminal says it; a screen has some size all the same.
fn cells(n: u32, untold: u16) -> u16 {
    if n == 0 { untold } else { n.min(u16::MAX.into()) as u16 }
}

/// RFC 4254 section 6.10: names without "SIG".
fn name_of(s: &Sig) -> String {
    match s {
        Sig::Custom(name) => name.chars().filter(|c| !c.is_control()).take(32).collect(),
        known => format!("{known:?}"),
    }
}

/// What the gateway itself says on a channel, and the exit status after it.
#[derive(Debug, Clone)]
pub(super) struct Say {
    pub(super) text: String,
    pub(super) status: u32,
}

/// Answers a channel without any target: waits for what the client wants to start, then speaks and closes.
pub(super) async fn say(channel: Channel<server::Msg>, reply: ChannelOpenHandle, say: Say) {
    reply.accept().await;
    let (mut from, to) = channel.split();
    let wanted = async {
        while let Some(m) = from.wait().await {
            if matches!(
                m,
                ChannelMsg::RequestShell { .. } | ChannelMsg::Exec { .. } | ChannelMsg::RequestSubsystem { .. } | ChannelMsg::Close
            ) {
                break;
            }
        }
    };
    let spoken = async {
        let _ = timeout(Duration::from_secs(10), wanted).await;
        let text = Bytes::from(say.text);
        let _ = if say.status == 0 { to.data_bytes(text).await } else { to.extended_data_bytes(STDERR, text).await };
        let _ = to.exit_status(say.status).await;
        let _ = to.eof().await;
        let _ = to.close().await;
    };
    // A client that never opens its window must not keep the task.
    let _ = timeout(Duration::from_secs(15), spoken).await;
}

impl Say {
    pub(super) fn refused(text: String) -> Self {
        Self { text, status: OWN_EXIT }
    }
}
