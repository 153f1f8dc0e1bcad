//! The active phase of one client connection: owns what comes and goes, and obeys the relay.
//!
//! Every frame is recorded before it is passed on (invariant 2). One task reads both sides; two write, each behind a bounded queue. A side
//! is not read while the other cannot take what that leads to, so a peer that does not read slows only itself.
use super::{
    client::Client,
    session::Session,
    target::{Reached, Redirected},
    wire::Reader,
};
use crate::enforcement::Listener;
use anteroom_domain::{AuditEvent, EndReason, Holds, Target, capability::Direction};
use anteroom_rdp::{Action, Relay, Seen, Way};
use anteroom_recorder::EventKind;
use bytes::Bytes;
use std::{io, net::IpAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until, timeout},
};

/// Frames that wait for one side, and how many places a frame of the other side may need at most. A frame has at most 64 KiB.
const QUEUE: usize = 64;
const SLACK: usize = 16;
/// What both sides get to read the last words.
const FAREWELL: Duration = Duration::from_millis(800);
/// How long a notice stands on the screen.
pub(super) const NOTICE: Duration = Duration::from_secs(20);

/// Told when the session has let its client go.
pub(super) type Released = oneshot::Sender<()>;

#[derive(Debug)]
pub(super) enum Outcome {
    Ended(EndReason),
    /// The client's connection broke; it may come back.
    ClientGone,
    /// It has come back already by another connection.
    Released(Released),
    /// The target sent the client to another address of its own.
    Redirected(Redirected),
}

pub(super) struct Driver<'a> {
    session: &'a Session,
    channel: u32,
    relay: Relay,
    target: &'a Target,
    started: Instant,
    notices: Listener,
    holds: watch::Receiver<Holds>,
    /// The client has a desktop: it cannot be given another one's beginning.
    active: bool,
}

/// The two queues.
struct Out {
    client: mpsc::Sender<Bytes>,
    target: mpsc::Sender<Bytes>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(session: &'a Session, channel: u32, relay: Relay, target: &'a Target) -> Self {
        let (notices, holds) = (session.notices.listen(), session.entry.holds());
        Self { session, channel, relay, target, started: Instant::now(), notices, holds, active: false }
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Until something ends it. The client's socket lives on only if the target redirects it.
    pub(super) async fn run(mut self, client: &mut Client, target: &mut Reached, releases: &mut mpsc::Receiver<Released>) -> Outcome {
        let (to_client, from_client) = mpsc::channel(QUEUE);
        let (to_target, from_target) = mpsc::channel(QUEUE);
        let out = Out { client: to_client, target: to_target };
        let mut to_client = Box::pin(write(&mut client.wire.writer, from_client));
        let mut to_target = Box::pin(write(&mut target.wire.writer, from_target));
        let standing = *self.holds.borrow_and_update();
        if standing.any() {
            self.relay.pause(&on_screen(standing), self.started.elapsed());
        }
        let end = self.session.end.clone();
        let (mut client_left, mut target_left) = (false, false);
        let outcome = tokio::select! {
            o = self.relay_frames(&mut client.wire.reader, &mut target.wire.reader, &out) => o,
            _ = &mut to_client => {
                client_left = true;
                Outcome::ClientGone
            }
            _ = &mut to_target => {
                target_left = true;
                Outcome::Ended(EndReason::TargetClosed)
            }
            reason = end.ended() => Outcome::Ended(reason),
            Some(done) = releases.recv() => Outcome::Released(done),
        };
        let (reason, text) = match &outcome {
            Outcome::Redirected(_) => {
                // What the client had to hear before the new target speaks.
                drop(out);
                let _ = timeout(FAREWELL, to_client).await;
                return outcome;
            }
            Outcome::Ended(reason) => (told(reason), format!("this session has ended: {reason}")),
            Outcome::ClientGone => (anteroom_rdp::EndReason::TargetLost, String::new()),
            Outcome::Released(_) => (anteroom_rdp::EndReason::Replaced, "this session is open on another connection of yours".to_owned()),
        };
        let saying = async {
            self.relay.end(reason, &text, self.now());
            let _ = self.obey(&out).await;
            drop(out);
        };
        let farewell = async {
            let client = async {
                if !client_left {
                    let _ = to_client.await;
                }
            };
            let target = async {
                if !target_left {
                    let _ = to_target.await;
                }
            };
            tokio::join!(saying, client, target)
        };
        let _ = timeout(FAREWELL, Box::pin(farewell)).await;
        client.cutter.cut();
        target.cutter.cut();
        outcome
    }

    async fn relay_frames<C, T>(&mut self, client: &mut Reader<C>, target: &mut Reader<T>, out: &Out) -> Outcome
    where
        C: AsyncRead + Unpin,
        T: AsyncRead + Unpin,
    {
        loop {
            if let Some(outcome) = self.obey(out).await {
                return outcome;
            }
            let shows = self.holds.borrow().shows();
            let tick = self.relay.next_tick().map(|at| self.started + at);
            let judged = tokio::select! {
                frame = when_free(&out.target, client.frame()) => match frame {
                    Some(frame) => self.relay.from_client(frame, self.now()),
                    None => return Outcome::ClientGone,
                },
                // Unwatched, nothing new of the target is seen either.
                frame = when_free(&out.client, target.frame()), if shows => match frame {
                    Some(frame) => self.relay.from_target(frame, self.now()),
                    None => return Outcome::Ended(EndReason::TargetClosed),
                },
                text = self.notices.recv() => {
                    if self.record(EventKind::Message(text.clone())).await.is_none() {
                        return Outcome::Ended(EndReason::RecordingFailed);
                    }
                    let now = self.now();
                    self.relay.say(&text, Some(now + NOTICE), now);
                    Ok(())
                }
                Ok(()) = self.holds.changed() => match self.paused().await {
                    Some(()) => Ok(()),
                    None => return Outcome::Ended(EndReason::RecordingFailed),
                },
                () = at(tick) => {
                    self.relay.tick(self.now());
                    Ok(())
                }
            };
            if let Err(violation) = judged {
                // What came before it was good.
                if let Some(outcome) = self.obey(out).await {
                    return outcome;
                }
                tracing::warn!(session = %self.session.opened.id(), %violation, "rdp: session ended");
                self.refused(&violation.to_string()).await;
                return Outcome::Ended(match violation.side {
                    anteroom_rdp::Side::Client => EndReason::ClientClosed,
                    anteroom_rdp::Side::Target => EndReason::TargetClosed,
                });
            }
        }
    }

    /// Carries out what the relay wants. Recorded first, sent second.
    async fn obey(&mut self, out: &Out) -> Option<Outcome> {
        while let Some(action) = self.relay.next_action() {
            let failed = Some(Outcome::Ended(EndReason::RecordingFailed));
            match action {
                Action::ToClient(frame) => {
                    if self.record(EventKind::Output(frame.clone())).await.is_none() {
                        return failed;
                    }
                    self.session.entry.sent(frame.len());
                    // A closed queue is noticed by whoever waits for its writer.
                    let _ = out.client.send(frame).await;
                }
                Action::ToTarget(frame) => {
                    if self.record(EventKind::Input(frame.clone())).await.is_none() {
                        return failed;
                    }
                    let _ = out.target.send(frame).await;
                }
                // Comes only where the relay leads the connecting phase; here it was over before.
                Action::ClientInfo(_) => return Some(Outcome::Ended(EndReason::ClientClosed)),
                Action::Saw(seen) => match self.saw(seen).await {
                    Ok(None) => {}
                    Ok(outcome) => return outcome,
                    Err(()) => return failed,
                },
            }
        }
        None
    }

    async fn saw(&mut self, seen: Seen) -> Result<Option<Outcome>, ()> {
        let event = match seen {
            Seen::Pointer { x, y } => EventKind::Pointer { x, y },
            Seen::Clipboard { way, text } => {
                let way = match way {
                    Way::FromTarget => Direction::Download,
                    Way::ToTarget => Direction::Upload,
                };
                EventKind::Clipboard { way, text }
            }
            Seen::Denied { what } => {
                self.refused(&what).await;
                return Ok(None);
            }
            Seen::Activated { width, height } => {
                self.active = true;
                EventKind::Note(format!("desktop of {width} x {height}"))
            }
            Seen::LogonDone => EventKind::Note("signed in on the target".to_owned()),
            Seen::ErrorInfo(code) => EventKind::Note(format!("the target reports error {code:#x}")),
            Seen::TargetLeft => return Ok(Some(Outcome::Ended(EndReason::TargetClosed))),
            Seen::ClientLeft => return Ok(Some(Outcome::Ended(EndReason::ClientClosed))),
            Seen::Redirect(to) => return Ok(self.redirected(&to).await),
        };
        self.record(event).await.map(|()| None).ok_or(())
    }

    /// Followed to addresses of the same target only, and only before the client has a desktop.
    async fn redirected(&mut self, to: &ironrdp_pdu::rdp::server_redirection::ServerRedirectionPdu) -> Option<Outcome> {
        if to.is_informational() {
            return None;
        }
        let host = to.target_net_address.clone().or_else(|| to.target_fqdn.clone());
        let ours = host.as_deref().is_none_or(|h| belongs(h, self.target));
        let why = match (ours, self.active) {
            (true, false) => {
                let (token, session) = (to.load_balance_info.clone(), Some(to.session_id));
                return Some(Outcome::Redirected(Redirected { host, token, session }));
            }
            (false, _) => "the target sends its client to an address that is not its own; add it to the target if it is right",
            (true, true) => "the target sends its client to another computer in the middle of a session",
        };
        self.refused(why).await;
        Some(Outcome::Ended(EndReason::TargetClosed))
    }

    async fn paused(&mut self) -> Option<()> {
        let holds = *self.holds.borrow_and_update();
        self.record(EventKind::Note(holds.to_string())).await?;
        let now = self.now();
        if holds.any() {
            self.relay.pause(&on_screen(holds), now)
        } else {
            self.relay.resume(now)
        }
        Some(())
    }

    async fn record(&self, kind: EventKind) -> Option<()> {
        self.session.opened.record(self.channel, kind).await.ok()
    }

    /// Something was kept from passing: in the recording for whoever watches, and in the audit log.
    async fn refused(&self, what: &str) {
        let _ = self.record(EventKind::Note(format!("refused: {what}"))).await;
        let event = AuditEvent::ChannelRefused { session: self.session.opened.id(), channel: "rdp".to_owned(), why: what.to_owned() };
        self.session.note(event).await;
    }
}

/// On the person's screen while their session stands still.
pub(super) fn on_screen(holds: Holds) -> String {
    let text = holds.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str() + ".").unwrap_or_default()
}

/// Which of the texts that RDP clients have comes nearest (MS-RDPBCGR 2.2.5.1.1).
pub(super) fn told(reason: &EndReason) -> anteroom_rdp::EndReason {
    type R = anteroom_rdp::EndReason;
    match reason {
        EndReason::GrantEnded => R::GrantEnded,
        EndReason::GrantRevoked
        | EndReason::PersonSuspended
        | EndReason::PolicyDenied
        | EndReason::PolicyAsksMore
        | EndReason::Locked
        | EndReason::Unwatched
        | EndReason::Terminated { .. } => R::Terminated,
        EndReason::RecordingFailed => R::Refused,
        EndReason::GatewayStopped | EndReason::GatewayLost => R::Shutdown,
        EndReason::Idle => R::Idle,
        EndReason::ClientClosed | EndReason::TargetClosed | EndReason::TargetUnreachable => R::TargetLost,
    }
}

/// Whether this is a host of the target, as its operator wrote it.
fn belongs(host: &str, target: &Target) -> bool {
    let ip = |h: &str| h.parse::<IpAddr>().ok().map(|a| a.to_canonical());
    target.addresses().iter().any(|(own, _)| own.eq_ignore_ascii_case(host) || ip(own).is_some_and(|own| ip(host) == Some(own)))
}

/// The next frame, once this queue has room for what it may lead to; none when its side is gone. Dropping the future loses nothing.
async fn when_free(queue: &mpsc::Sender<Bytes>, frame: impl Future<Output = io::Result<Option<Bytes>>>) -> Option<Bytes> {
    // Given back at once: this task alone fills the queue.
    drop(queue.reserve_many(SLACK).await.ok()?);
    match frame.await {
        Ok(frame) => frame,
        Err(e) => {
            tracing::debug!(error = %e, "rdp: a side is gone");
            None
        }
    }
}

pub(super) async fn at(tick: Option<Instant>) {
    match tick {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Writes what comes until the queue is closed. Several frames at once are flushed once.
async fn write<W: AsyncWrite + Unpin>(writer: &mut W, mut frames: mpsc::Receiver<Bytes>) -> io::Result<()> {
    let mut batch = Vec::with_capacity(QUEUE);
    while frames.recv_many(&mut batch, QUEUE).await > 0 {
        for frame in batch.drain(..) {
            writer.write_all(&frame).await?;
        }
        writer.flush().await?;
    }
    Ok(())
}
