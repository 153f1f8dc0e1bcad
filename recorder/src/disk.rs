//! Threads that make written bytes durable, close recordings, and watch that the disk keeps up.
use crate::{RecordingFailed, Sealed, recover, seal, shared::Shared, track::Dirty};
use anteroom_domain::Secret;
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::Ordering,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Several, because a file system commits concurrent syncs together.
const THREADS: usize = 4;

/// Beyond this many times the allowed lag a recording is broken. Long before that, at twice, nothing more is taken: a disk that is busy
/// for some seconds makes sessions wait, and does not end them in the middle of somebody's care (docs/decisions/0012).
const FAIL_AT: u32 = 15;

enum Job {
    Sync(Arc<Dirty>),
    Close(Arc<Shared>),
    Stop,
}

/// Handle of the disk threads.
pub(crate) struct DiskThreads {
    jobs: Vec<Sender<Job>>,
    watched: Arc<Mutex<Vec<Weak<Shared>>>>,
}

impl DiskThreads {
    pub(crate) fn start(max_lag: Duration, signer: Secret<[u8; 32]>) -> io::Result<(Self, Vec<JoinHandle<()>>)> {
        let mut jobs = Vec::new();
        let mut threads = Vec::new();
        for n in 0..THREADS {
            let (send, receive) = mpsc::channel();
            let signer = signer.clone();
            threads.push(thread::Builder::new().name(format!("recorder-disk-{n}")).spawn(move || run(&receive, max_lag / 4, &signer))?);
            jobs.push(send);
        }
        let watched = Arc::new(Mutex::new(Vec::new()));
        let weak = Arc::downgrade(&watched);
        threads.push(thread::Builder::new().name("recorder-watch".into()).spawn(move || watch(&weak, max_lag))?);
        Ok((Self { jobs, watched }, threads))
    }

    pub(crate) fn watch(&self, shared: &Arc<Shared>) {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(shared));
    }

    /// A quarter of the allowed lag from now at the latest.
    pub(crate) fn sync_soon(&self, dirty: &Arc<Dirty>) {
        if !dirty.queued.swap(true, Ordering::SeqCst) {
            self.send(dirty.shared.id, Job::Sync(dirty.clone()));
        }
    }

    /// Both lanes are done: make them durable and write the manifest.
    pub(crate) fn close(&self, shared: Arc<Shared>) {
        self.send(shared.id, Job::Close(shared));
    }

    pub(crate) fn stop(&self) {
        for jobs in &self.jobs {
            let _ = jobs.send(Job::Stop);
        }
    }

    /// A recording's jobs stay in order: always the same thread.
    fn send(&self, recording: u64, job: Job) {
        let jobs = &self.jobs[(recording % THREADS as u64) as usize];
        if let Err(mpsc::SendError(job)) = jobs.send(job) {
            match job {
                Job::Sync(dirty) => dirty.shared.fail(RecordingFailed::Lost),
                Job::Close(shared) => publish(&shared, Err(RecordingFailed::Lost)),
                Job::Stop => {}
            }
        }
    }
}

fn run(jobs: &Receiver<Job>, window: Duration, signer: &Secret<[u8; 32]>) {
    let mut waiting: Vec<Arc<Dirty>> = Vec::new();
    let mut due: Option<Instant> = None;
    loop {
        let job = match due {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => jobs.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match job {
            Ok(Job::Sync(dirty)) => {
                due.get_or_insert_with(|| Instant::now() + window);
                waiting.push(dirty);
            }
            Ok(Job::Close(shared)) => {
                // Its own files first: closing makes them durable.
                let (mine, others) = waiting.drain(..).partition::<Vec<_>, _>(|d| Arc::ptr_eq(&d.shared, &shared));
                waiting = others;
                mine.iter().for_each(sync);
                close(&shared, signer);
            }
            Err(RecvTimeoutError::Timeout) => {
                waiting.drain(..).for_each(|d| sync(&d));
                due = None;
            }
            Ok(Job::Stop) | Err(RecvTimeoutError::Disconnected) => {
                waiting.drain(..).for_each(|d| sync(&d));
                return;
            }
        }
    }
}

fn sync(dirty: &Arc<Dirty>) {
    // Before the sync: what is appended while it runs asks for another one.
    dirty.queued.store(false, Ordering::SeqCst);
    let lag = dirty.shared.lag_of(dirty.track);
    lag.sync_started();
    match dirty.file.sync() {
        Ok(()) => lag.sync_done(),
        // The kernel may have dropped the pages: nothing written since the last good sync can be trusted, trying again would lie.
        Err(e) => dirty.shared.fail(RecordingFailed::from(&e)),
    }
    dirty.shared.moved.notify_waiters();
}

fn close(shared: &Shared, signer: &Secret<[u8; 32]>) {
    let sealed = match shared.failed() {
        None => seal::complete(shared, signer),
        // What reached the disk before it broke is kept, if it still takes a manifest; otherwise `recover` does this later.
        Some(why) => recover::close_torn(&shared.folder, shared.session, signer).map_err(|_| why),
    };
    publish(shared, sealed);
}

fn publish(shared: &Shared, outcome: Result<Sealed, RecordingFailed>) {
    if let Err(e) = &outcome {
        tracing::error!(session = %shared.session, error = %e, "recording could not be closed");
    }
    shared.outcome.send_if_modified(|o| o.is_none() && o.replace(outcome).is_none());
}

/// Ends recordings whose disk does not keep up. A thread of its own: the others may all be stuck in the disk.
fn watch(watched: &Weak<Mutex<Vec<Weak<Shared>>>>, max_lag: Duration) {
    while let Some(list) = watched.upgrade() {
        let running: Vec<_> = {
            let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
            list.retain(|w| w.strong_count() > 0);
            list.iter().filter_map(Weak::upgrade).collect()
        };
        drop(list);
        for shared in running {
            let lag = shared.lag();
            if lag > max_lag * FAIL_AT {
                shared.fail(RecordingFailed::Lag(lag));
            }
            shared.moved.notify_waiters();
        }
        thread::sleep(max_lag.min(Duration::from_millis(100)));
    }
}
