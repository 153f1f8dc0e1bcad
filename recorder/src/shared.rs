//! What a recording's handle, its lanes and the disk threads share.
use crate::{Event, EventKind, RecordingFailed, Sealed, desk::Desk, recording::LiveEvent};
use anteroom_domain::SessionId;
use anteroom_format::{ChannelCount, RecordingHeader, Track, TrackSummary};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, Semaphore, broadcast, watch};

/// Bytes that may wait for the sealed lane of one session.
pub(crate) const SEALED_QUEUE: usize = 1 << 20;
/// Bytes that may wait for the masked lane: masking is slower than sealing, and a burst should not be felt.
pub(crate) const MASKED_QUEUE: usize = 64 << 20;
/// The same for all sessions together.
pub(crate) const MASKED_TOTAL: usize = 256 << 20;
/// What an event costs in its queue besides its payload.
pub(crate) const EVENT_COST: usize = 128;

/// Events that a slow watcher may be behind before it misses some.
const LIVE_EVENTS: usize = 512;

/// What a lane has to say when it is done.
#[derive(Debug, Default)]
pub(crate) struct LaneDone {
    pub(crate) track: Option<TrackSummary>,
    pub(crate) last_us: u64,
    pub(crate) channels: Vec<ChannelCount>,
    pub(crate) mask_counts: BTreeMap<String, u64>,
    pub(crate) mask_incomplete: bool,
}

pub(crate) struct Shared {
    pub(crate) id: u64,
    pub(crate) session: SessionId,
    pub(crate) folder: PathBuf,
    pub(crate) header: RecordingHeader,
    pub(crate) header_sha256: [u8; 32],
    pub(crate) sealed_room: Arc<Semaphore>,
    pub(crate) masked_room: Arc<Semaphore>,
    pub(crate) lags: [Lag; 2],
    /// Something became durable, or the recording failed.
    pub(crate) moved: Notify,
    pub(crate) failure: watch::Sender<Option<RecordingFailed>>,
    pub(crate) outcome: watch::Sender<Option<Result<Sealed, RecordingFailed>>>,
    pub(crate) lanes: Mutex<Vec<LaneDone>>,
    /// Made for the first watcher: most sessions have none, and its slots take 45 KiB.
    live: OnceLock<broadcast::Sender<LiveEvent>>,
    /// What the open channels that carry bytes and no text have moved.
    carried: Mutex<BTreeMap<u32, Carried>>,
    /// Distinct identifiers masked so far, by type.
    pub(crate) seen: Mutex<BTreeMap<String, u64>>,
    /// Of a session of desktops.
    pub(crate) desk: OnceLock<Weak<Desk>>,
}

/// Bytes that one channel carried, from the client and to the client.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Carried {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(id: u64, folder: PathBuf, header: RecordingHeader, header_sha256: [u8; 32]) -> Self {
        Self {
            id,
            session: header.session.session,
            folder,
            header,
            header_sha256,
            sealed_room: Arc::new(Semaphore::new(SEALED_QUEUE)),
            masked_room: Arc::new(Semaphore::new(MASKED_QUEUE)),
            lags: Default::default(),
            moved: Notify::new(),
            failure: watch::Sender::new(None),
            outcome: watch::Sender::new(None),
            lanes: Mutex::default(),
            live: OnceLock::new(),
            carried: Mutex::default(),
            seen: Mutex::default(),
            desk: OnceLock::new(),
        }
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<LiveEvent> {
        self.live.get_or_init(|| broadcast::Sender::new(LIVE_EVENTS)).subscribe()
    }

    /// Where to tell what is shown, while somebody watches.
    pub(crate) fn watchers(&self) -> Option<&broadcast::Sender<LiveEvent>> {
        self.live.get().filter(|live| live.receiver_count() > 0)
    }

    /// Whether the event is for the sealed track alone: typed input, and the bytes of forwards and files.
    pub(crate) fn stays_sealed(&self, event: &Event) -> bool {
        match event.kind {
            EventKind::Input(_) => true,
            EventKind::Output(_) => self.carried().contains_key(&event.channel),
            _ => false,
        }
    }

    /// Counts an event that is accepted.
    pub(crate) fn count_carried(&self, event: &Event) {
        let mut carried = self.carried();
        match &event.kind {
            EventKind::OpenForward { .. } | EventKind::OpenFiles { .. } | EventKind::OpenDesktop(_) => {
                carried.insert(event.channel, Carried::default());
            }
            EventKind::Input(b) => drop(carried.get_mut(&event.channel).map(|c| c.input += b.len() as u64)),
            EventKind::Output(b) => drop(carried.get_mut(&event.channel).map(|c| c.output += b.len() as u64)),
            _ => {}
        }
    }

    /// What a channel carried that ends now; none when it is a shell or a command.
    pub(crate) fn take_carried(&self, channel: u32) -> Option<Carried> {
        self.carried().remove(&channel)
    }

    fn carried(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Carried>> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first failure is the one that is told. Everybody who waits for room is woken.
    pub(crate) fn fail(&self, why: RecordingFailed) {
        let first = self.failure.send_if_modified(|f| f.is_none() && f.replace(why.clone()).is_none());
        if first {
            tracing::error!(session = %self.session, error = %why, "recording failed");
            self.sealed_room.close();
            self.masked_room.close();
            self.moved.notify_waiters();
        }
    }

    pub(crate) fn failed(&self) -> Option<RecordingFailed> {
        self.failure.borrow().clone()
    }

    /// How long the oldest accepted event that is not durable has been waiting.
    pub(crate) fn lag(&self) -> Duration {
        self.lags.iter().map(Lag::lag).max().unwrap_or_default()
    }

    pub(crate) fn lag_of(&self, track: Track) -> &Lag {
        &self.lags[usize::from(track == Track::Masked)]
    }

    /// Adds a lane's result; true when it was the last of the two.
    pub(crate) fn lane_done(&self, done: LaneDone) -> bool {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.push(done);
        lanes.len() == anteroom_format::Track::ALL.len()
    }
}

/// Since when the oldest accepted event of one track waits to be durable. Times are microseconds since an arbitrary start; 0 means none.
#[derive(Debug)]
pub(crate) struct Lag {
    zero: Instant,
    accepted: AtomicU64,
    processed: AtomicU64,
    /// Accepted, not yet handed to the disk.
    unwritten: AtomicU64,
    /// Handed to the disk, not yet asked to be durable.
    unsynced: AtomicU64,
    /// Asked to be durable.
    syncing: AtomicU64,
}

impl Default for Lag {
    fn default() -> Self {
        let n = AtomicU64::default;
        Self { zero: Instant::now(), accepted: n(), processed: n(), unwritten: n(), unsynced: n(), syncing: n() }
    }
}

impl Lag {
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX) + 1
    }

    pub(crate) fn accepted(&self, now: u64) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        let _ = self.unwritten.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// As `accepted`, for the masked track: what masking holds back is allowed to wait.
    pub(crate) fn queued(&self) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn processed(&self) {
        self.processed.fetch_add(1, Ordering::SeqCst);
    }

    /// Accepted events are on their way to the lane.
    pub(crate) fn has_unprocessed(&self) -> bool {
        self.accepted.load(Ordering::SeqCst) != self.processed.load(Ordering::SeqCst)
    }

    /// A chunk reached the disk. With `pending` the newest processed event, accepted at `newest`, is not in it.
    pub(crate) fn written(&self, newest: u64, pending: bool) {
        self.dirty(self.unwritten.swap(0, Ordering::SeqCst));
        // What was accepted and not processed is younger than `newest`.
        if pending || self.has_unprocessed() {
            let _ = self.unwritten.compare_exchange(0, newest, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// Everything was handed to the disk, and nothing follows.
    pub(crate) fn closed(&self) {
        self.dirty(self.unwritten.swap(0, Ordering::SeqCst));
    }

    /// Something accepted at `since` reached the disk.
    pub(crate) fn dirty(&self, since: u64) {
        if since != 0 {
            let _ = self.unsynced.compare_exchange(0, since, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    pub(crate) fn sync_started(&self) {
        let since = self.unsynced.swap(0, Ordering::SeqCst);
        if since != 0 {
            let _ = self.syncing.compare_exchange(0, since, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    pub(crate) fn sync_done(&self) {
        self.syncing.store(0, Ordering::SeqCst);
    }

    /// How long the oldest event that is not durable has been waiting.
    pub(crate) fn lag(&self) -> Duration {
        let now = self.now();
        let waiting = [&self.unwritten, &self.unsynced, &self.syncing].map(|a| a.load(Ordering::SeqCst));
        let oldest = waiting.into_iter().filter(|t| *t != 0).min().unwrap_or(now);
        Duration::from_micros(now.saturating_sub(oldest))
    }
}
