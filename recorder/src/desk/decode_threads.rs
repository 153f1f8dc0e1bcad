//! The fixed pool of threads that decode. A session is pinned to one of them; its frames are decoded in order.
use super::{ClearThreads, Desk, abandon, decoding::Decoding};
use crate::{
    RecordingFailed,
    pool::{Message, Pool, Queued},
};
use anteroom_format::Track;
use std::{
    collections::HashMap,
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, PoisonError,
        atomic::Ordering,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// What was painted without a frame's end is taken after so much quiet.
const QUIET: Duration = Duration::from_millis(100);

pub(super) enum Job {
    Open(Arc<Desk>),
    Event(u64, Queued),
    Finish(u64),
    Abandon(u64),
    Stop,
}

/// Sending ends. The queues are unbounded; the rooms of each recording bound what is in them.
pub(super) struct DecodeThreads(Vec<Sender<Job>>);

impl DecodeThreads {
    pub(super) fn start(pool: &Arc<Pool>, clear: &Arc<ClearThreads>, patience: Duration) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let count = thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
        let (mut senders, mut threads) = (Vec::new(), Vec::new());
        for n in 0..count {
            let (send, receive) = mpsc::channel();
            let mut worker = Worker { desks: HashMap::new(), pool: pool.clone(), clear: clear.clone(), patience };
            threads.push(thread::Builder::new().name(format!("recorder-decode-{n}")).spawn(move || worker.run(&receive))?);
            senders.push(send);
        }
        Ok((Self(senders), threads))
    }

    /// False: the thread is gone.
    pub(super) fn send(&self, recording: u64, job: Job) -> bool {
        self.0[(recording % self.0.len() as u64) as usize].send(job).is_ok()
    }

    pub(super) fn stop(&self) {
        self.0.iter().for_each(|queue| drop(queue.send(Job::Stop)));
    }
}

struct Worker {
    desks: HashMap<u64, Decoding>,
    pool: Arc<Pool>,
    clear: Arc<ClearThreads>,
    patience: Duration,
}

impl Worker {
    fn run(&mut self, jobs: &Receiver<Job>) {
        let mut due: Option<Instant> = None;
        loop {
            let job = match due {
                None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match job {
                Ok(Job::Open(desk)) => drop(self.desks.insert(desk.shared.id, Decoding::new(desk, self.pool.clone()))),
                Ok(Job::Event(id, queued)) => {
                    let Queued { event, _room, .. } = queued;
                    self.guarded(id, |decoding| decoding.event(event));
                    if let Some(decoding) = self.desks.get_mut(&id).filter(|d| d.waits()) {
                        decoding.touched = Instant::now();
                        due.get_or_insert(decoding.touched + QUIET);
                    }
                }
                Ok(Job::Finish(id)) => self.finish(id),
                Ok(Job::Abandon(id)) => {
                    if let Some(decoding) = self.desks.remove(&id) {
                        decoding.desk.abandoned.store(true, Ordering::SeqCst);
                        self.clear.schedule(&decoding.desk, Instant::now());
                    } else {
                        abandon(&self.pool, id);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            // Looked at after every job: a busy queue never times out.
            if due.is_some_and(|at| at <= Instant::now()) {
                due = self.take_quiet();
            }
        }
    }

    /// Takes what was painted where nothing came for a while; when to look again.
    fn take_quiet(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let quiet = |d: &Decoding| d.waits() && d.touched + QUIET <= now;
        let waiting: Vec<u64> = self.desks.iter().filter(|(_, d)| quiet(d)).map(|(id, _)| *id).collect();
        waiting.into_iter().for_each(|id| self.guarded(id, Decoding::take_all));
        self.desks.values().filter(|d| d.waits()).map(|d| d.touched + QUIET).min()
    }

    fn finish(&mut self, id: u64) {
        self.guarded(id, Decoding::take_all);
        self.pool.send(Track::Sealed, id, Message::Finish(id));
        match self.desks.remove(&id) {
            Some(decoding) => {
                let desk = decoding.desk;
                *desk.finish_by.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + self.patience);
                self.clear.schedule(&desk, Instant::now());
            }
            None => drop(self.pool.send(Track::Masked, id, Message::Finish(id))),
        }
    }

    /// Hostile bytes end their own session and no other: the thread goes on.
    fn guarded(&mut self, id: u64, act: impl FnOnce(&mut Decoding) -> Result<(), RecordingFailed>) {
        let Some(decoding) = self.desks.get_mut(&id) else { return };
        let desk = decoding.desk.clone();
        let done = panic::catch_unwind(AssertUnwindSafe(|| act(decoding))).unwrap_or(Err(RecordingFailed::Lost));
        if let Err(why) = done {
            desk.shared.fail(why);
            // A picture that cannot follow its target any more is worth nothing.
            self.desks.insert(id, Decoding::new(desk.clone(), self.pool.clone()));
        }
        self.clear.schedule(&desk, Instant::now());
    }
}
