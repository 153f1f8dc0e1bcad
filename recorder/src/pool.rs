//! The fixed pool of recorder threads. A session's two lanes are pinned to one thread each; the masked lanes have threads of their own,
//! so that masking never holds up sealing.
use crate::{Event, disk::DiskThreads, masked_lane::MaskedLane, sealed_lane::SealedLane, shared::Shared, track::Scratch};
use anteroom_format::Track;
use std::{
    collections::HashMap,
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::OwnedSemaphorePermit;

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
    /// Close the track; the last lane hands the recording to the disk threads.
    Finish(u64),
    /// Write what is there and forget the session.
    Abandon(u64),
    Stop,
}

pub(crate) enum Lane {
    Sealed(SealedLane),
    Masked(MaskedLane),
}

impl Lane {
    fn event(&mut self, queued: Queued, scratch: &mut Scratch, disk: &DiskThreads) {
        match self {
            Self::Sealed(lane) => lane.event(&queued.event, queued.accepted, scratch, disk),
            Self::Masked(lane) => lane.event(queued.event, queued.accepted, scratch, disk),
        }
    }

    fn flush(&mut self, scratch: &mut Scratch, disk: &DiskThreads) {
        match self {
            Self::Sealed(lane) => lane.flush(scratch, disk),
            Self::Masked(lane) => lane.flush(scratch, disk),
        }
    }

    fn finish(self, scratch: &mut Scratch) -> bool {
        match self {
            Self::Sealed(lane) => lane.finish(scratch),
            Self::Masked(lane) => lane.finish(scratch),
        }
    }

    fn waits(&self) -> bool {
        match self {
            Self::Sealed(lane) => lane.waiting_since != 0,
            Self::Masked(lane) => lane.waiting_since != 0,
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

fn run(queue: &Receiver<Message>, mut scratch: Scratch, disk: &DiskThreads, flush_after: Duration) {
    let mut lanes: HashMap<u64, (Arc<Shared>, Lane)> = HashMap::new();
    // While this is set, some lane holds events that are not written.
    let mut flush_at: Option<Instant> = None;
    loop {
        let message = match flush_at {
            None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => queue.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match message {
            Ok(Message::Event(id, queued)) => {
                if let Some((_, lane)) = lanes.get_mut(&id) {
                    lane.event(queued, &mut scratch, disk);
                    if flush_at.is_none() && lane.waits() {
                        flush_at = Some(Instant::now() + flush_after);
                    }
                }
            }
            Ok(Message::Open(shared, lane)) => {
                lanes.insert(shared.id, (shared, *lane));
            }
            Ok(Message::Finish(id)) => {
                if let Some((shared, lane)) = lanes.remove(&id)
                    && lane.finish(&mut scratch)
                {
                    disk.close(shared);
                }
            }
            Ok(Message::Abandon(id)) => {
                if let Some((_, mut lane)) = lanes.remove(&id) {
                    lane.flush(&mut scratch, disk);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => {
                lanes.values_mut().for_each(|(_, lane)| lane.flush(&mut scratch, disk));
                return;
            }
        }
        // Looked at after every message: a busy queue never times out.
        if flush_at.is_some_and(|at| at <= Instant::now()) {
            lanes.values_mut().filter(|(_, lane)| lane.waits()).for_each(|(_, lane)| lane.flush(&mut scratch, disk));
            flush_at = None;
        }
    }
}
