//! One session's recording, as its session sees it.
use crate::{
    Event, EventKind, Manifest, RecordingFailed,
    desk::{Desk, Desks},
    pool::{Message, Queued},
    recorder::Inner,
    shared::{EVENT_COST, MASKED_QUEUE, MASKED_TOTAL, SEALED_QUEUE, Shared},
};
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::Track;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A closed recording: what goes into the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct Sealed {
    pub session: SessionId,
    pub state: RecordingState,
    pub manifest: Manifest,
    pub manifest_sha256: [u8; 32],
    pub mask_incomplete: bool,
    pub mask_counts: BTreeMap<String, u64>,
    /// Size of both tracks.
    pub bytes: u64,
}

/// What a watcher of a running session gets; masked.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    pub at: Duration,
    pub channel: u32,
    pub kind: LiveKind,
}

#[derive(Debug, Clone)]
pub enum LiveKind {
    Open {
        cols: u16,
        rows: u16,
    },
    Output(Arc<str>),
    Resize {
        cols: u16,
        rows: u16,
    },
    /// Something to know beside the terminal: a forward was opened, a file was moved, a supervisor said something. One line.
    Line(Arc<str>),
    Close,
}

/// A handle; clones record into the same recording. When the last one is dropped without `finish`, the recording is left as a dead
/// process would leave it and `Recorder::recover` closes it.
#[derive(Clone)]
pub struct Recording {
    handle: Arc<Handle>,
}

struct Handle {
    recorder: Arc<Inner>,
    shared: Arc<Shared>,
    finishing: AtomicBool,
    kind: OnceLock<SessionKind>,
}

/// What a session's first channel was: the others are of the same kind.
enum SessionKind {
    Terminals,
    /// The second is for whoever asks how far clearing came.
    Desktops(Arc<Desks>, #[expect(dead_code, reason = "lives as long as the session")] Arc<Desk>),
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("session", &self.handle.shared.session).finish_non_exhaustive()
    }
}

impl Recording {
    pub(crate) fn new(recorder: Arc<Inner>, shared: Arc<Shared>) -> Self {
        Self { handle: Arc::new(Handle { recorder, shared, finishing: AtomicBool::new(false), kind: OnceLock::new() }) }
    }

    /// Hash of `header.json`, for the audit log.
    pub fn header_sha256(&self) -> [u8; 32] {
        self.handle.shared.header_sha256
    }

    /// Distinct identifiers that masking found so far, by type; those of a desktop are known when it is closed. A value that two channels
    /// show counts in each.
    pub fn seen(&self) -> BTreeMap<String, u64> {
        self.handle.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It will have desktops and nothing else. To be said before the first event where something may be noted before a desktop is opened:
    /// else the first event makes it one of terminals.
    pub fn expect_desktops(&self) -> Result<(), RecordingFailed> {
        match self.handle.of_desktops()? {
            SessionKind::Desktops(..) => Ok(()),
            SessionKind::Terminals => Err(mixed()),
        }
    }

    /// Accepts an event for both tracks. Waits while the queues are full or the disk lags; an error means: end the session now.
    /// What was accepted is durable within `max_lag`, or `failed` says so. Dropping the future before it is done records nothing.
    pub async fn record(&self, event: Event) -> Result<(), RecordingFailed> {
        let h = &*self.handle;
        let shared = &h.shared;
        self.disk_keeps_up().await?;
        let desks = h.desks(&event)?;
        let cost = event.kind.weight() + EVENT_COST;
        // What was typed goes to the sealed track only (invariant 4). Masked room first: who waits for masking holds no room that a
        // keystroke needs.
        let only_sealed = match desks {
            Some(_) => matches!(event.kind, EventKind::Input(_)),
            None => shared.stays_sealed(&event),
        };
        let masked_room = if only_sealed {
            None
        } else {
            Some((
                room(shared, &shared.masked_room, cost, MASKED_QUEUE).await?,
                room(shared, &h.recorder.masked_total, cost, MASKED_TOTAL).await?,
            ))
        };
        let sealed_room = room(shared, &shared.sealed_room, cost, SEALED_QUEUE).await?;
        if h.finishing.load(Ordering::SeqCst) {
            return Err(RecordingFailed::Closed);
        }
        // From here on there is no await: both lanes get it, or none.
        shared.count_carried(&event);
        let lag = shared.lag_of(Track::Sealed);
        let now = lag.now();
        lag.accepted(now);
        let mut sent = true;
        if let Some((own, total)) = masked_room {
            let lag = shared.lag_of(Track::Masked);
            let queued = Queued { event: event.clone(), accepted: lag.now(), _room: (own, Some(total)) };
            sent = match desks {
                // What comes of it is in the masked track when it was cleared.
                Some(desks) => desks.event(shared.id, queued),
                None => {
                    lag.queued();
                    h.recorder.pool().send(Track::Masked, shared.id, Message::Event(shared.id, queued))
                }
            };
        }
        let queued = Queued { event, accepted: now, _room: (sealed_room, None) };
        sent &= h.recorder.pool().send(Track::Sealed, shared.id, Message::Event(shared.id, queued));
        if !sent {
            shared.fail(RecordingFailed::Lost);
        }
        // A failure that was there before is told now and not at the next event.
        shared.failed().map_or(Ok(()), Err)
    }

    /// Resolves when the recording broke (disk full, read-only, too slow) and never otherwise.
    pub async fn failed(&self) -> RecordingFailed {
        let mut failure = self.handle.shared.failure.subscribe();
        match failure.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or(RecordingFailed::Lost),
            Err(_) => RecordingFailed::Lost,
        }
    }

    /// Closes both tracks and signs the manifest. A recording that broke before is closed as torn, if the disk lets us within
    /// ten times the allowed lag. Waits for masking to catch up. Every call gets the same answer.
    pub async fn finish(&self) -> Result<Sealed, RecordingFailed> {
        let h = &*self.handle;
        let mut outcome = h.shared.outcome.subscribe();
        if !h.finishing.swap(true, Ordering::SeqCst) {
            let sent = match h.kind.get() {
                Some(SessionKind::Desktops(desks, _)) => desks.finish(h.shared.id),
                _ => Track::ALL.iter().all(|track| h.recorder.pool().send(*track, h.shared.id, Message::Finish(h.shared.id))),
            };
            if !sent {
                return Err(RecordingFailed::Lost);
            }
        }
        // A disk that hangs does not hold up whoever waits; `recover` closes the recording later.
        let broken = async {
            let why = self.failed().await;
            tokio::time::sleep(h.recorder.max_lag() * 10).await;
            why
        };
        let sealed = tokio::select! {
            closed = outcome.wait_for(Option::is_some) => match closed {
                Ok(sealed) => sealed.clone().unwrap_or(Err(RecordingFailed::Lost)),
                Err(_) => Err(RecordingFailed::Lost),
            },
            why = broken => Err(why),
        };
        h.recorder.close(h.shared.session);
        sealed
    }

    /// Push back before it is too late: at twice the allowed lag nothing more is taken until the disk moved; at fifteen times the
    /// watching thread ends the recording.
    async fn disk_keeps_up(&self) -> Result<(), RecordingFailed> {
        let shared = &self.handle.shared;
        let limit = self.handle.recorder.max_lag() * 2;
        loop {
            let moved = shared.moved.notified();
            if let Some(why) = shared.failed() {
                return Err(why);
            }
            if shared.lag() <= limit {
                return Ok(());
            }
            moved.await;
        }
    }
}

/// Room for `cost` bytes in a queue of `size`; an event that is larger than the queue takes all of it.
async fn room(
    shared: &Shared,
    queue: &Arc<tokio::sync::Semaphore>,
    cost: usize,
    size: usize,
) -> Result<tokio::sync::OwnedSemaphorePermit, RecordingFailed> {
    let cost = u32::try_from(cost.min(size)).unwrap_or(u32::MAX);
    let closed = |_| shared.failed().unwrap_or(RecordingFailed::Closed);
    queue.clone().acquire_many_owned(cost).await.map_err(closed)
}

fn mixed() -> RecordingFailed {
    RecordingFailed::Picture("a session has desktops or terminals, not both".into())
}

impl Handle {
    /// What it is, and of desktops if nothing was said yet.
    fn of_desktops(&self) -> Result<&SessionKind, RecordingFailed> {
        if let Some(kind) = self.kind.get() {
            return Ok(kind);
        }
        let (desks, desk) = self.recorder.open_desk(&self.shared)?;
        Ok(self.kind.get_or_init(|| SessionKind::Desktops(desks, desk)))
    }

    /// Where the session's events go besides the sealed lane, if it has desktops.
    fn desks(&self, event: &Event) -> Result<Option<&Desks>, RecordingFailed> {
        let opens = matches!(event.kind, EventKind::Open { .. } | EventKind::OpenForward { .. } | EventKind::OpenFiles { .. });
        let kind = match (self.kind.get(), &event.kind) {
            (Some(kind), _) => kind,
            (None, EventKind::OpenDesktop(_)) => self.of_desktops()?,
            (None, _) => self.kind.get_or_init(|| SessionKind::Terminals),
        };
        match kind {
            SessionKind::Desktops(..) if opens => Err(mixed()),
            SessionKind::Desktops(desks, _) => Ok(Some(desks)),
            SessionKind::Terminals if matches!(event.kind, EventKind::OpenDesktop(_)) => Err(mixed()),
            SessionKind::Terminals => Ok(None),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !*self.finishing.get_mut() {
            match self.kind.get() {
                Some(SessionKind::Desktops(desks, _)) => desks.abandon(self.shared.id),
                _ => Track::ALL.iter().for_each(|track| {
                    self.recorder.pool().send(*track, self.shared.id, Message::Abandon(self.shared.id));
                }),
            }
            self.recorder.close(self.shared.session);
        }
    }
}
