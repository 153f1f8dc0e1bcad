//! The fixed pool of threads that clear, of low priority. A session is with one of them at a time, for one step; then it is another's turn.
use super::{
    CLEARED_QUEUE, Cleared, Desk, MakeOcr, abandon, block,
    clearer::{Made, Step},
};
use crate::{
    RecordingFailed,
    ocr::Halt,
    pool::{Message, Pool},
};
use anteroom_format::Track;
use anteroom_picture::Ocr;
use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Instant,
};

/// Nice value: whatever else the machine has to do is more urgent.
const NICE: i32 = 10;

pub(super) struct ClearThreads {
    /// Bounded by the number of sessions: each is in here once.
    waiting: Mutex<Vec<(Instant, Arc<Desk>)>>,
    woken: Condvar,
    stopping: AtomicBool,
    halt: Halt,
}

impl ClearThreads {
    pub(super) fn start(ocr: &MakeOcr, pool: &Arc<Pool>) -> io::Result<(Arc<Self>, Vec<JoinHandle<()>>)> {
        let this =
            Arc::new(Self { waiting: Mutex::default(), woken: Condvar::new(), stopping: AtomicBool::new(false), halt: Halt::default() });
        // One reader of pictures for two cores: it is the most work that a recording makes.
        let count = (thread::available_parallelism().map_or(1, usize::from) / 2).clamp(1, 4);
        let mut threads = Vec::new();
        for n in 0..count {
            let (this, pool, ocr) = (this.clone(), pool.clone(), ocr(this.halt.clone()));
            threads.push(thread::Builder::new().name(format!("recorder-clear-{n}")).spawn(move || this.run(&pool, ocr))?);
        }
        Ok((this, threads))
    }

    /// There is something to do for a session, at that time.
    pub(super) fn schedule(&self, desk: &Arc<Desk>, at: Instant) {
        if !desk.scheduled.swap(true, Ordering::SeqCst) {
            self.waiting().push((at, desk.clone()));
            self.woken.notify_one();
        }
    }

    pub(super) fn hurry(&self, by: Instant) {
        self.halt.set(by);
        self.woken.notify_all();
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.halt.set(Instant::now());
        // With the lock: nobody is between looking at `stopping` and waiting.
        let _waiting = self.waiting();
        self.woken.notify_all();
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<(Instant, Arc<Desk>)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, pool: &Pool, mut ocr: Box<dyn Ocr>) {
        // Of this thread only, on Linux. Whoever may not does it at ordinary priority.
        let _ = rustix::process::setpriority_process(None, NICE);
        while let Some(desk) = self.next() {
            let step = self.guarded(&desk, pool, &mut *ocr);
            desk.scheduled.store(false, Ordering::SeqCst);
            match step {
                Step::Again => self.schedule(&desk, Instant::now()),
                Step::At(at) => self.schedule(&desk, at),
                // Something came while it was looked at: whoever brought it believed that it waits.
                Step::Idle if desk.wants_clearing() => self.schedule(&desk, Instant::now()),
                Step::Idle | Step::Done => {}
            }
        }
    }

    /// The session that waits longest, when its time has come.
    fn next(&self) -> Option<Arc<Desk>> {
        let mut waiting = self.waiting();
        loop {
            if self.stopping.load(Ordering::SeqCst) {
                // Whoever waits for a recording to be closed gets it: nothing is read any more, so that is soon done.
                let closing = waiting.iter().position(|(_, desk)| desk.finish_by().is_some());
                return closing.map(|n| waiting.swap_remove(n).1);
            }
            let now = Instant::now();
            let first = waiting.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(n, (at, _))| (n, *at));
            waiting = match first {
                Some((n, at)) if at <= now => return Some(waiting.swap_remove(n).1),
                Some((_, at)) => self.woken.wait_timeout(waiting, at - now).unwrap_or_else(PoisonError::into_inner).0,
                None => self.woken.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// One step of one session. What breaks in it ends its recording and no other.
    fn guarded(&self, desk: &Arc<Desk>, pool: &Pool, ocr: &mut dyn Ocr) -> Step {
        let id = desk.shared.id;
        let mut clearer = desk.clearer.lock().unwrap_or_else(PoisonError::into_inner);
        if desk.abandoned.load(Ordering::SeqCst) {
            abandon(pool, id);
            return Step::Done;
        }
        if clearer.is_done() {
            return Step::Done;
        }
        if desk.shared.failed().is_some() {
            // Nothing is written any more; the lanes close what is there.
            if desk.finish_by().is_some() {
                clearer.give_up();
                pool.send(Track::Masked, id, Message::Finish(id));
                return Step::Done;
            }
            desk.spool().forget();
            return Step::Idle;
        }
        let finish_by = desk.finish_by();
        let late = [self.halt.by().filter(|_| finish_by.is_some()), finish_by].into_iter().flatten().min();
        let stepped = panic::catch_unwind(AssertUnwindSafe(|| clearer.step(desk, ocr, late)))
            .unwrap_or_else(|_| Err(RecordingFailed::Lost))
            .and_then(|(step, made)| self.hand_over(desk, pool, made).map(|()| step));
        match stepped {
            Ok(Step::Done) => {
                pool.send(Track::Masked, id, Message::Finish(id));
                Step::Done
            }
            Ok(step) => step,
            Err(why) => {
                desk.shared.fail(why);
                Step::Again
            }
        }
    }

    fn hand_over(&self, desk: &Desk, pool: &Pool, made: Made) -> Result<(), RecordingFailed> {
        let Made { pieces, counts, incomplete, until } = made;
        if pieces.is_empty() && counts.is_empty() && !incomplete && until.is_none() {
            return Ok(());
        }
        let cost = pieces.iter().map(|(_, p)| p.weight()).sum();
        let room = block::room(&desk.cleared_room, cost, CLEARED_QUEUE);
        let _room = room.ok_or(RecordingFailed::Closed)?;
        let cleared = Cleared { pieces, counts, incomplete, _room };
        let id = desk.shared.id;
        if !pool.send(Track::Masked, id, Message::Cleared(id, Box::new(cleared))) {
            return Err(RecordingFailed::Lost);
        }
        if let Some(until) = until {
            desk.cleared_us.fetch_max(crate::sealed_lane::micros(until), Ordering::SeqCst);
        }
        Ok(())
    }
}
