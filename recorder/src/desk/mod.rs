//! Desktops: their picture is decoded while the session runs, and cleared behind it (docs/decisions/0020-rdp.md).
//!
//! A session of desktops has two more stations than one of terminals. Events go to the sealed lane at once, and to a *decode* thread, which
//! turns output into tiles for the sealed lane and for the session's *spool*. A *clearing* thread takes the spool's items in their order and
//! gives the masked lane what may be seen. Neither is a thread of the lanes: a desktop never holds up a terminal.
mod block;
mod clear_threads;
mod clearer;
mod decode_threads;
mod decoding;
mod item;
mod mosaic;
#[cfg(test)]
mod segments_tests;
mod spool;
#[cfg(test)]
mod spool_tests;
mod vault;

use crate::{
    RecordingFailed,
    masked_channel::Piece,
    ocr::{Halt, Tesseract},
    pool::{Message, Pool, Queued},
    shared::Shared,
};
use anteroom_format::Track;
use anteroom_masking::RuleSet;
use anteroom_picture::Ocr;
use bytes::Bytes;
use clear_threads::ClearThreads;
use clearer::Clearer;
use decode_threads::{DecodeThreads, Job};
use item::Item;
pub(crate) use mosaic::{Mosaic, pieces, shot};
use spool::{Spool, SpoolLimits};
use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Makes what reads text in pictures; called once for each clearing thread.
pub type MakeOcr = Arc<dyn Fn(Halt) -> Box<dyn Ocr> + Send + Sync>;

/// How desktops are recorded.
#[derive(Clone)]
pub struct DesktopOptions {
    pub ocr: MakeOcr,
    /// How long `finish` waits for clearing; then the rest stays blurred.
    pub patience: Duration,
    /// What waits for clearing is in memory up to so many bytes of a session, and then in an encrypted file of at most so many.
    pub memory: usize,
    pub file: u64,
}

impl Default for DesktopOptions {
    fn default() -> Self {
        let SpoolLimits { memory, file } = SpoolLimits::default();
        Self { ocr: Arc::new(|halt| Box::new(Tesseract::new(halt))), patience: Duration::from_secs(600), memory, file }
    }
}

impl std::fmt::Debug for DesktopOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { patience, memory, file, .. } = self;
        f.debug_struct("DesktopOptions").field("patience", patience).field("memory", memory).field("file", file).finish_non_exhaustive()
    }
}

/// How far clearing came in a session that runs. Times since the session's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearingStatus {
    /// What was shown until then is in the masked track.
    pub until: Duration,
    /// The newest that was decoded.
    pub newest: Duration,
    /// Bytes that wait.
    pub waiting: u64,
}

/// For the sealed lane: what decoding made of frames that it has already.
pub(crate) struct Decoded {
    pub(crate) at: Duration,
    pub(crate) channel: u32,
    pub(crate) what: Picturing,
    pub(crate) _room: OwnedSemaphorePermit,
}

pub(crate) enum Picturing {
    Size {
        width: u16,
        height: u16,
    },
    Tiles(Bytes),
    /// A keyframe.
    Whole {
        width: u16,
        height: u16,
        tiles: Vec<Vec<u8>>,
    },
}

/// For the masked lane: what may be seen, in order, each with its channel.
pub(crate) struct Cleared {
    pub(crate) pieces: Vec<(u32, Piece)>,
    /// How many different identifiers were masked in channels that ended, by type.
    pub(crate) counts: BTreeMap<String, u64>,
    pub(crate) incomplete: bool,
    pub(crate) _room: OwnedSemaphorePermit,
}

/// Bytes on their way from clearing to the masked lane.
const CLEARED_QUEUE: usize = 4 << 20;

/// One session's way from decoding to clearing.
pub(crate) struct Desk {
    pub(crate) shared: Arc<Shared>,
    spool: Mutex<Spool>,
    clearer: Mutex<Clearer>,
    /// Waits for a clearing thread, or is with one.
    scheduled: AtomicBool,
    /// When something came last; microseconds since `zero`.
    pushed: AtomicU64,
    zero: Instant,
    /// Of the newest item, and of the newest that was cleared.
    newest_us: AtomicU64,
    cleared_us: AtomicU64,
    /// No item follows. Clearing ends then at the latest.
    finish_by: Mutex<Option<Instant>>,
    abandoned: AtomicBool,
    cleared_room: Arc<Semaphore>,
}

impl Desk {
    fn new(shared: Arc<Shared>, rules: Arc<RuleSet>, root: PathBuf, limits: SpoolLimits) -> Arc<Self> {
        let clearer = Clearer::new(shared.clone(), rules);
        let desk = Arc::new(Self {
            shared,
            spool: Mutex::new(Spool::new(root, limits)),
            clearer: Mutex::new(clearer),
            scheduled: AtomicBool::new(false),
            pushed: AtomicU64::new(0),
            zero: Instant::now(),
            newest_us: AtomicU64::new(0),
            cleared_us: AtomicU64::new(0),
            finish_by: Mutex::default(),
            abandoned: AtomicBool::new(false),
            cleared_room: Arc::new(Semaphore::new(CLEARED_QUEUE)),
        });
        let _ = desk.shared.desk.set(Arc::downgrade(&desk));
        desk
    }

    pub(crate) fn status(&self) -> ClearingStatus {
        let micros = |us: &AtomicU64| Duration::from_micros(us.load(Ordering::SeqCst));
        ClearingStatus { until: micros(&self.cleared_us), newest: micros(&self.newest_us), waiting: self.spool().waiting() }
    }

    fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, item: Item) {
        self.newest_us.fetch_max(crate::sealed_lane::micros(item.at), Ordering::SeqCst);
        self.pushed.store(u64::try_from(self.zero.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::SeqCst);
        self.spool().push(item);
    }

    /// When something came last.
    fn pushed(&self) -> Instant {
        self.zero + Duration::from_micros(self.pushed.load(Ordering::SeqCst))
    }

    /// Whether there is anything to do for it.
    fn wants_clearing(&self) -> bool {
        self.finish_by().is_some() || self.abandoned.load(Ordering::SeqCst) || !self.spool().is_empty()
    }

    fn finish_by(&self) -> Option<Instant> {
        *self.finish_by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Threads that serve the desktops of all sessions. Started with the first desktop.
pub(crate) struct Desks {
    decode: DecodeThreads,
    clear: Arc<ClearThreads>,
    /// Those that decode, and those that clear.
    threads: Mutex<[Vec<JoinHandle<()>>; 2]>,
    options: DesktopOptions,
    root: PathBuf,
    rules: Arc<RuleSet>,
}

impl Desks {
    pub(crate) fn start(options: DesktopOptions, root: PathBuf, rules: Arc<RuleSet>, pool: &Arc<Pool>) -> io::Result<Self> {
        let (clear, clearing) = ClearThreads::start(&options.ocr, pool)?;
        let (decode, decoding) = DecodeThreads::start(pool, &clear, options.patience)?;
        Ok(Self { decode, clear, threads: Mutex::new([decoding, clearing]), options, root, rules })
    }

    /// The session's first desktop is about to be opened.
    pub(crate) fn open(&self, shared: &Arc<Shared>) -> Result<Arc<Desk>, RecordingFailed> {
        let limits = SpoolLimits { memory: self.options.memory, file: self.options.file };
        let desk = Desk::new(shared.clone(), self.rules.clone(), self.root.clone(), limits);
        if self.decode.send(shared.id, Job::Open(desk.clone())) { Ok(desk) } else { Err(RecordingFailed::Lost) }
    }

    /// False: the thread is gone.
    pub(crate) fn event(&self, id: u64, queued: Queued) -> bool {
        self.decode.send(id, Job::Event(id, queued))
    }

    /// Decodes and clears what is there, closes both lanes then.
    pub(crate) fn finish(&self, id: u64) -> bool {
        self.decode.send(id, Job::Finish(id))
    }

    pub(crate) fn abandon(&self, id: u64) {
        self.decode.send(id, Job::Abandon(id));
    }

    /// From now on clearing has so much time left, in all sessions.
    pub(crate) fn hurry(&self, left: Duration) {
        self.clear.hurry(Instant::now() + left);
    }

    /// Ends the threads. Recordings that are being closed are closed, with what was not read blurred; of others, what is not cleared is lost
    /// with the key of its spool.
    pub(crate) fn stop(&self) {
        let [decoding, clearing] = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        self.decode.stop();
        decoding.into_iter().for_each(|t| drop(t.join()));
        self.clear.stop();
        clearing.into_iter().for_each(|t| drop(t.join()));
    }
}

impl Drop for Desks {
    fn drop(&mut self) {
        // Threads that are still there end by themselves.
        self.decode.stop();
        self.clear.stop();
    }
}

/// Forgets the session in both lanes.
fn abandon(pool: &Pool, id: u64) {
    for track in Track::ALL {
        pool.send(track, id, Message::Abandon(id));
    }
}
