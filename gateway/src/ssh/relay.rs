//! One session channel: bytes and requests both ways, through policy and recorder, under the window of the slower side.
//!
//! russh alone gives receive window back when bytes arrive. Here it is given back after the other side has taken
//! them (`manual_window`), so the SSH window bounds what a channel holds and one stalled channel stops no other.
use super::{
    algorithms::WINDOW,
    answers::{Answers, Asked},
    connection::Connection,
    lobby,
    lookup::Asker,
    notice,
    session::Session,
    side::{Reader, Writer},
    transfer::Transfer,
};
use anteroom_domain::{Capability, EndReason};
use anteroom_recorder::{EventKind, RecordingFailed};
use bytes::Bytes;
use russh::{Channel, ChannelId, ChannelMsg, ChannelOpenFailure, client, server, server::ChannelOpenHandle};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod commands;
mod down;
mod files;
pub(super) mod hold;
mod live;
mod say;
mod up;

pub(super) use say::{Say, say};

/// Exit status when the gateway itself has something to say; what OpenSSH uses for its own errors.
pub(super) const OWN_EXIT: u32 = 255;
const NOTICE: Duration = Duration::from_millis(600);

/// Why a channel is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    Client,
    Target,
    Recording,
    /// Told on the channel; both sides are closed now.
    Refused,
}
impl From<RecordingFailed> for Over {
    fn from(_: RecordingFailed) -> Self {
        Self::Recording
    }
}

struct Pair {
    conn: Arc<Connection>,
    session: Arc<Session>,
    number: u32,
    client: Writer<server::Msg>,
    target: Writer<client::Msg>,
    /// Answers to the client's requests, and to the target's.
    to_client: Answers,
    to_target: Answers,
    /// The client sent CLOSE: it takes nothing more but how it ended (RFC 4254 section 5.3).
    client_closed: CancellationToken,
    /// Cancelled once something runs in a terminal: from then on notices are shown.
    terminal: CancellationToken,
    /// The target has no terminal for this channel, whatever the client asked for.
    terminal_refused: AtomicBool,
    transfer: Transfer,
    live: live::Live,
    commands: commands::Commands,
    /// What paths of old scp lead to.
    asker: Asker,
}

/// A channel that a client opened. Its open is answered when the target has answered ours.
pub(super) async fn run(conn: Arc<Connection>, from_client: Channel<server::Msg>, reply: ChannelOpenHandle) {
    if lobby::leads_through(&conn) {
        reply.accept().await;
        let (reads, writes) = from_client.split();
        if let Some((session, client)) = lobby::wait(&conn, Reader::Ssh(reads), Writer::Ssh(writes)).await {
            Box::pin(after_lobby(&conn, &session, client)).await;
        }
        return;
    }
    let session = match conn.session().await {
        Ok(s) => s,
        Err(why) => return say(from_client, reply, Say { text: notice::refused(&why), status: OWN_EXIT }).await,
    };
    if let Some(why) = hold::refusal(session.entry.standing()) {
        conn.note_refusal("session", &why);
        return reply.reject(ChannelOpenFailure::Other { code: 1, reason: format!("anteroom: {why}") }).await;
    }
    let max = conn.shared.config.max_channels;
    if !session.entry.open_channel(max) {
        conn.note_refusal("session", "too many channels");
        return reply.reject(ChannelOpenFailure::Other { code: 4, reason: format!("at most {max} channels a connection") }).await;
    }
    match tokio::select! { t = session.link.open_channel() => t, _ = conn.end.ended() => Err(russh::Error::Disconnect) } {
        Err(russh::Error::ChannelOpenFailure(why)) => reply.reject(plain(why)).await,
        Err(_) => reply.reject(ChannelOpenFailure::ConnectFailed).await,
        Ok(target) => {
            reply.accept().await;
            let (reads, writes) = from_client.split();
            relay(&conn, &session, (Reader::Ssh(reads), Writer::Ssh(writes)), target).await;
        }
    }
    session.entry.close_channel();
}

/// Its channel was accepted before there was a target: what is wrong now is told on it.
pub(super) async fn after_lobby(conn: &Arc<Connection>, session: &Arc<Session>, client: (Reader, Writer<server::Msg>)) {
    let counted = session.entry.open_channel(conn.shared.config.max_channels);
    let opened = if counted {
        tokio::select! { t = session.link.open_channel() => t.map_err(|e| e.to_string()), _ = conn.end.ended() => Err("the session is over".into()) }
    } else {
        Err("too many channels".to_owned())
    };
    match opened {
        Ok(target) => relay(conn, session, client, target).await,
        Err(why) => {
            let words = async {
                let _ = client.1.stderr(notice::refused(&why)).await;
                let _ = client.1.exit_status(OWN_EXIT).await;
                let _ = client.1.close().await;
            };
            let _ = timeout(NOTICE, words).await;
        }
    }
    if counted {
        session.entry.close_channel();
    }
}

/// A target's reason without what could act on a terminal.
pub(super) fn plain(why: ChannelOpenFailure) -> ChannelOpenFailure {
    let reason = why.description().chars().filter(|c| !c.is_control()).take(200).collect();
    ChannelOpenFailure::Other { code: why.code(), reason }
}

/// Relays until both sides are closed. What becomes of the channel's place in the registry is the caller's matter.
pub(super) async fn relay(
    conn: &Arc<Connection>,
    session: &Arc<Session>,
    client: (Reader, Writer<server::Msg>),
    target: (Reader, Writer<client::Msg>),
) {
    let ((client_reads, client), (target_reads, target)) = (client, target);
    let number = session.number_channel();
    let pair = Pair {
        conn: conn.clone(),
        session: session.clone(),
        number,
        client,
        target,
        to_client: Answers::default(),
        to_target: Answers::default(),
        client_closed: CancellationToken::new(),
        terminal: CancellationToken::new(),
        terminal_refused: AtomicBool::new(false),
        transfer: Transfer::default(),
        commands: commands::Commands::new(conn.commands()),
        live: live::Live::new(conn.masks_live().then(|| conn.shared.recorder.rules())),
        asker: Asker::default(),
    };
    let over = tokio::select! {
        over = pair.up(client_reads) => over,
        over = pair.down(target_reads) => over,
        over = pair.notices() => over,
        over = pair.pump() => over,
        over = Box::pin(pair.standing()) => over,
        over = pair.answering() => over,
        reason = conn.end.ended() => {
            pair.live.finish();
            let _ = timeout(NOTICE, pair.show_masked()).await;
            let _ = timeout(NOTICE, pair.client.stderr(notice::ended(&reason))).await;
            Over::Client
        }
    };
    if over == Over::Recording {
        conn.end.end(EndReason::RecordingFailed);
    }
    let both = async {
        let _ = pair.client.close().await;
        // Once we have closed our side there is only to forget it.
        let _ = if pair.client_closed.is_cancelled() { pair.target.forget().await } else { pair.target.close().await };
        pair.asker.close().await;
    };
    let _ = timeout(NOTICE, both).await;
    for event in pair.transfer.finish() {
        let _ = pair.moved(event).await;
    }
    let _ = session.record(number, EventKind::Close).await;
}

impl Pair {
    /// The target answered what the client had asked for.
    async fn answered(&self, ok: bool) -> Result<(), Over> {
        match self.to_client.theirs(ok, &self.client).await.map_err(|_| Over::Client)? {
            Some(Asked::Terminal) => self.terminal_refused.store(!ok, Ordering::Relaxed),
            Some(Asked::Start { terminal: true }) if ok => return self.begin_terminal().await,
            _ => {}
        }
        Ok(())
    }

    /// Before the target's first byte in it.
    async fn begin_terminal(&self) -> Result<(), Over> {
        if !self.terminal_refused.load(Ordering::Relaxed) {
            self.introduce().await?;
            self.terminal.cancel();
        }
        Ok(())
    }

    /// The line a terminal begins with. On stderr, which a target's terminal never uses: whoever reads what a program in a terminal
    /// prints gets its bytes and no others (docs/decisions/0013).
    async fn introduce(&self) -> Result<(), Over> {
        let Some(permitted) = self.conn.permitted().filter(|_| self.conn.shared.config.recording_notice) else { return Ok(()) };
        let line = notice::recorded(permitted.permit.not_after());
        self.record(EventKind::Message(line.clone())).await?;
        if self.live.is_on() {
            self.live.say(&line);
            self.live.say(notice::MASKED);
            return Ok(());
        }
        let sent = timeout(Duration::from_secs(5), self.client.stderr(format!("{line}\r\n"))).await;
        if sent.is_ok_and(|sent| sent.is_err()) { Err(Over::Client) } else { Ok(()) }
    }

    /// What the gateway and supervisors have to say while it runs, shown where a person looks at a terminal.
    async fn notices(&self) -> Over {
        self.terminal.cancelled().await;
        // Only who shows it listens: whoever says something learns whether it was read.
        let mut said = self.session.notices();
        loop {
            let text = said.recv().await;
            if let Err(e) = self.session.record(self.number, EventKind::Message(text.clone())).await {
                return e.into();
            }
            if self.live.is_on() {
                self.live.say(&format!(" anteroom: {text} "));
                continue;
            }
            let shown = Bytes::from(notice::message(&text));
            if timeout(Duration::from_secs(5), self.client.data(shown)).await.is_ok_and(|sent| sent.is_err()) {
                return Over::Client;
            }
        }
    }

    /// Tells the person why something does not start, and ends the channel. OpenSSH gives up on a failure without
    /// showing what it has received: only after a success the reason is read.
    async fn refuse(&self, want_reply: bool, channel: &str, why: &str) -> Over {
        let why = &*self.conn.explained(why);
        self.conn.note_refusal(channel, why);
        let _ = self.to_client.ours(want_reply, true, &self.client).await;
        let _ = self.client.stderr(format!("anteroom: {why}\r\n")).await;
        let _ = self.client.exit_status(OWN_EXIT).await;
        let _ = self.client.eof().await;
        Over::Refused
    }

    async fn record(&self, kind: EventKind) -> Result<(), Over> {
        self.session.record(self.number, kind).await.map_err(Over::from)
    }

    fn granted(&self, c: &Capability) -> bool {
        self.session.capabilities.has(c)
    }
}

/// Window that was consumed and is not given back yet; given in quarters, to spare packets.
#[derive(Default)]
pub(super) struct Credit(u32);

impl Credit {
    pub(super) async fn took<S>(&mut self, n: usize, from: &Writer<S>) -> Result<(), russh::Error>
    where
        S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
    {
        // A packet is at most 32 KiB.
        self.0 = self.0.saturating_add(n as u32);
        if self.0 < WINDOW / 4 {
            return Ok(());
        }
        from.grant(std::mem::take(&mut self.0)).await
    }
}
