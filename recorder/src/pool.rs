//! The fixed pool of recorder threads. A session's two lanes are pinned to one thread each; the masked lanes have threads of their own,
//! so that masking never holds up sealing.
use crate::{
    Event, RecordingFailed,
    desk::{Cleared, Decoded},
    disk::DiskThreads,
    masked_lane::MaskedLane,
    sealed_lane::SealedLane,
    shared::{LaneDone, Shared},
    track::Scratch,
};
use anteroom_format::Track;
use std::{
    collections::HashMap,
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::OwnedSemaphorePermit;

/// A thread that was woken waits this long before it looks, so that bulk data does not wake it for every piece. Nobody waits for it
/// meanwhile: queues have room for more than a link brings in this time.
const GATHER: Duration = Duration::from_micros(500);

/// An event on its way to a lane. Its room in the queue is given back when it was processed.
pub(crate) struct Queued {
    pub(crate) event: Event,
    /// When it was accepted, by the track's `Lag`.
    pub(crate) accepted: u64,
    /// In its own queue, and in what all sessions share.
    pub(crate) _room: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

pub(crate) enum Message {
    Open(Arc<Shared>, Box<Lane>),
    Event(u64, Queued),
    /// What decoding made of a desktop's output: for the sealed lane.
    Decoded(u64, Box<Decoded>),
    /// What clearing made of it: for the masked lane.
    Cleared(u64, Box<Cleared>),
    /// Close the track; the last lane hands the recording to the disk threads.
    Finish(u64),
    /// Write what is there and forget the session.
    Abandon(u64),
    Stop,
}

pub(crate) enum Lane {
    Sealed(SealedLane),
    Masked(MaskedLane),
    /// It panicked; its recording failed.
    Broken(Arc<Shared>),
}

impl Lane {
    fn event(&mut self, queued: Queued, scratch: &mut Scratch, disk: &DiskThreads) {
        match self {
            Self::Sealed(lane) => lane.event(&queued.event, queued.accepted, scratch, disk),
            Self::Masked(lane) => lane.event(queued.event, queued.accepted, scratch, disk),
            Self::Broken(_) => {}
        }
    }

    fn decoded(&mut self, decoded: &Decoded, scratch: &mut Scratch, disk: &DiskThreads) {
        if let Self::Sealed(lane) = self {
            lane.decoded(decoded, scratch, disk);
        }
    }

    fn cleared(&mut self, cleared: Cleared, scratch: &mut Scratch, disk: &DiskThreads) {
        if let Self::Masked(lane) = self {
            lane.cleared(cleared, scratch, disk);
        }
    }

    fn flush(&mut self, scratch: &mut Scratch, disk: &DiskThreads) {
        match self {
            Self::Sealed(lane) => lane.flush(scratch, disk),
            Self::Masked(lane) => lane.flush(scratch, disk),
            Self::Broken(_) => {}
        }
    }

    fn finish(self, scratch: &mut Scratch, disk: &DiskThreads) -> bool {
        match self {
            Self::Sealed(lane) => lane.finish(scratch, disk),
            Self::Masked(lane) => lane.finish(scratch),
            Self::Broken(shared) => shared.lane_done(LaneDone::default()),
        }
    }

    fn waits(&self) -> bool {
        match self {
            Self::Sealed(lane) => lane.waiting_since != 0,
            Self::Masked(lane) => lane.waits(),
            Self::Broken(_) => false,
        }
    }
}

/// Sending ends of the pool's queues. They are unbounded; the semaphores of each recording bound what is in them.
pub(crate) struct Pool {
    sealed: Vec<Sender<Message>>,
    masked: Vec<Sender<Message>>,
}

impl Pool {
    pub(crate) fn start(disk: &Arc<DiskThreads>, flush_after: Duration) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let mut threads = Vec::new();
        let mut start = |name: &str, count: usize| -> io::Result<Vec<Sender<Message>>> {
            (0..count)
                .map(|n| {
                    let (send, receive) = mpsc::channel();
                    let (disk, scratch) = (disk.clone(), Scratch::new()?);
                    let run = move || run(&receive, scratch, &disk, flush_after);
                    threads.push(thread::Builder::new().name(format!("recorder-{name}-{n}")).spawn(run)?);
                    Ok(send)
                })
                .collect()
        };
        let sealed = start("seal", (cores / 2).clamp(1, 4))?;
        let masked = start("mask", cores.clamp(2, 8))?;
        Ok((Self { sealed, masked }, threads))
    }

    /// False: the thread is gone.
    pub(crate) fn send(&self, track: Track, recording: u64, message: Message) -> bool {
        let queues = match track {
            Track::Sealed => &self.sealed,
            Track::Masked => &self.masked,
        };
        queues[(recording % queues.len() as u64) as usize].send(message).is_ok()
    }

    pub(crate) fn stop(&self) {
        for queue in self.sealed.iter().chain(&self.masked) {
            let _ = queue.send(Message::Stop);
        }
    }
}

/// The lanes pinned to one thread.
struct Worker<'a> {
    lanes: HashMap<u64, (Arc<Shared>, Lane)>,
    scratch: Scratch,
    disk: &'a DiskThreads,
}

fn run(queue: &Receiver<Message>, scratch: Scratch, disk: &DiskThreads, flush_after: Duration) {
    let mut worker = Worker { lanes: HashMap::new(), scratch, disk };
    // While this is set, some lane holds events that are not written.
    let mut flush_at: Option<Instant> = None;
    loop {
        let message = match (queue.try_recv(), flush_at) {
            (Ok(message), _) => Ok(message),
            (Err(TryRecvError::Disconnected), _) => Err(RecvTimeoutError::Disconnected),
            (Err(TryRecvError::Empty), None) => queue.recv().map_err(|_| RecvTimeoutError::Disconnected).inspect(gather),
            (Err(TryRecvError::Empty), Some(at)) => queue.recv_timeout(at.saturating_duration_since(Instant::now())).inspect(gather),
        };
        match message {
            Ok(Message::Event(id, queued)) => {
                if worker.event(id, queued) && flush_at.is_none() {
                    flush_at = Some(Instant::now() + flush_after);
                }
            }
            Ok(Message::Decoded(id, decoded)) => {
                if worker.guarded(id, |lane, scratch, disk| {
                    lane.decoded(&decoded, scratch, disk);
                    lane.waits()
                }) {
                    flush_at.get_or_insert_with(|| Instant::now() + flush_after);
                }
            }
            Ok(Message::Cleared(id, cleared)) => {
                if worker.guarded(id, |lane, scratch, disk| {
                    lane.cleared(*cleared, scratch, disk);
                    lane.waits()
                }) {
                    flush_at.get_or_insert_with(|| Instant::now() + flush_after);
                }
            }
            Ok(Message::Open(shared, lane)) => {
                worker.lanes.insert(shared.id, (shared, *lane));
            }
            Ok(Message::Finish(id)) => worker.finish(id),
            Ok(Message::Abandon(id)) => {
                worker.flush(id);
                worker.lanes.remove(&id);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return worker.flush_all(),
        }
        // Looked at after every message: a busy queue never times out.
        if flush_at.is_some_and(|at| at <= Instant::now()) {
            worker.flush_all();
            flush_at = worker.waits().then(|| Instant::now() + flush_after);
        }
    }
}

fn gather(message: &Message) {
    if matches!(message, Message::Event(..)) {
        thread::sleep(GATHER);
    }
}

impl Worker<'_> {
    /// True: the lane holds something that is not written.
    fn event(&mut self, id: u64, queued: Queued) -> bool {
        self.guarded(id, |lane, scratch, disk| {
            lane.event(queued, scratch, disk);
            lane.waits()
        })
    }

    fn flush(&mut self, id: u64) {
        self.guarded(id, |lane, scratch, disk| {
            lane.flush(scratch, disk);
            false
        });
    }

    fn waits(&self) -> bool {
        self.lanes.values().any(|(_, lane)| lane.waits())
    }

    fn flush_all(&mut self) {
        let waiting: Vec<u64> = self.lanes.iter().filter(|(_, (_, lane))| lane.waits()).map(|(id, _)| *id).collect();
        waiting.into_iter().for_each(|id| self.flush(id));
    }

    fn finish(&mut self, id: u64) {
        let Some((shared, lane)) = self.lanes.remove(&id) else { return };
        let (scratch, disk) = (&mut self.scratch, self.disk);
        let last = panic::catch_unwind(AssertUnwindSafe(|| lane.finish(scratch, disk))).unwrap_or_else(|_| {
            self.scratch.reset();
            shared.fail(RecordingFailed::Lost);
            shared.lane_done(LaneDone::default())
        });
        if last {
            self.disk.close(shared);
        }
    }

    /// Hostile bytes that make one lane panic end that session and no other: the thread goes on.
    fn guarded(&mut self, id: u64, act: impl FnOnce(&mut Lane, &mut Scratch, &DiskThreads) -> bool) -> bool {
        let Some((shared, lane)) = self.lanes.get_mut(&id) else { return false };
        let (scratch, disk) = (&mut self.scratch, self.disk);
        panic::catch_unwind(AssertUnwindSafe(|| act(lane, scratch, disk))).unwrap_or_else(|_| {
            self.scratch.reset();
            *lane = Lane::Broken(shared.clone());
            shared.fail(RecordingFailed::Lost);
            false
        })
    }
}
