//! What waits for the archive, and when no more is taken.
use super::{cache, error::Refusal, place::marker_name};
use crate::store;
use anteroom_domain::SessionId;
use anteroom_format::Track;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How old the sizes of running recordings may be.
const FRESH: Duration = Duration::from_secs(1);

/// How the recordings' disk stands. For people and monitoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolStatus {
    /// Bytes of recordings that the archive does not have, running ones included, and of how many sessions they are.
    pub waiting_bytes: u64,
    pub waiting_sessions: usize,
    /// Why the archive cannot be reached; none: it can, or there is none.
    pub away: Option<String>,
    pub refusal: Option<Refusal>,
}

#[derive(Debug)]
pub(crate) struct Spool {
    root: PathBuf,
    /// In bytes. `u64::MAX` where nothing is shipped.
    limit: u64,
    /// In bytes.
    min_free: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: BTreeMap<SessionId, Waiting>,
    /// Shipped, and still here too.
    kept: BTreeMap<SessionId, Kept>,
    away: Option<String>,
    measured: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    folder: PathBuf,
    bytes: u64,
    /// Has its manifest: it will not change any more.
    closed: bool,
    /// Not to be tried again before.
    not_before: Option<Instant>,
}

#[derive(Debug)]
struct Kept {
    folder: PathBuf,
    /// When to look whether it may go.
    due: Instant,
}

impl Kept {
    fn now(folder: PathBuf) -> Self {
        Self { folder, due: Instant::now() }
    }
}

impl Spool {
    pub(crate) fn new(root: PathBuf, limit: u64, min_free: u64) -> Self {
        Self { root, limit, min_free, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether only the disk itself is the limit: nothing is counted then.
    pub(crate) fn is_unlimited(&self) -> bool {
        self.limit == u64::MAX
    }

    /// A recording that is written from now on.
    pub(crate) fn begun(&self, session: SessionId, folder: &Path) {
        if !self.is_unlimited() {
            let new = Waiting { folder: folder.into(), bytes: 0, closed: false, not_before: None };
            self.state().waiting.insert(session, new);
        }
    }

    /// It is not written any more. Without a header it never began.
    pub(crate) fn ended(&self, session: SessionId) {
        let mut state = self.state();
        if state.waiting.get(&session).is_some_and(|w| !w.folder.join(store::HEADER).exists()) {
            state.waiting.remove(&session);
        }
    }

    /// Takes up what an earlier process left.
    pub(crate) fn find(&self, session: SessionId, folder: &Path) {
        let bytes = unshipped(folder);
        let here = segments(folder).any(|s| s.here.is_some());
        let closed = folder.join(store::MANIFEST).exists();
        let mut state = self.state();
        if state.waiting.contains_key(&session) || !here {
            return;
        }
        if bytes == 0 && closed {
            state.kept.insert(session, Kept::now(folder.into()));
        } else {
            state.waiting.insert(session, Waiting { folder: folder.into(), bytes, closed, not_before: None });
        }
    }

    /// Closed recordings that may be shipped now, the oldest first.
    pub(crate) fn ready(&self) -> Vec<(SessionId, PathBuf)> {
        let now = Instant::now();
        let mut state = self.state();
        for w in state.waiting.values_mut().filter(|w| !w.closed && w.folder.join(store::MANIFEST).exists()) {
            (w.closed, w.bytes) = (true, unshipped(&w.folder));
        }
        let may = |w: &Waiting| w.closed && w.not_before.is_none_or(|at| at <= now);
        state.waiting.iter().filter(|(_, w)| may(w)).map(|(id, w)| (*id, w.folder.clone())).collect()
    }

    /// Part of it was shipped.
    pub(crate) fn progressed(&self, session: SessionId) {
        if let Some(w) = self.state().waiting.get_mut(&session) {
            w.bytes = unshipped(&w.folder);
        }
    }

    pub(crate) fn shipped(&self, session: SessionId) {
        let mut state = self.state();
        if let Some(w) = state.waiting.remove(&session) {
            state.kept.insert(session, Kept::now(w.folder));
        }
    }

    pub(crate) fn later(&self, session: SessionId, delay: Duration) {
        if let Some(w) = self.state().waiting.get_mut(&session) {
            w.not_before = Some(Instant::now() + delay);
        }
    }

    /// What may have to go by now; all of it if the disk is short of room.
    pub(crate) fn kept(&self) -> Vec<(SessionId, PathBuf)> {
        let (low, now) = (self.disk_is_low(), Instant::now());
        self.state().kept.iter().filter(|(_, k)| low || k.due <= now).map(|(id, k)| (*id, k.folder.clone())).collect()
    }

    pub(crate) fn keep(&self, session: SessionId, longer: Duration) {
        if let Some(k) = self.state().kept.get_mut(&session) {
            k.due = Instant::now() + longer;
        }
    }

    /// Nothing of it is here any more, or it has to be shipped again.
    pub(crate) fn not_kept(&self, session: SessionId) {
        let kept = self.state().kept.remove(&session);
        if let Some(kept) = kept {
            self.find(session, &kept.folder);
        }
    }

    pub(crate) fn set_away(&self, why: Option<String>) {
        self.state().away = why;
    }

    pub(crate) fn disk_is_low(&self) -> bool {
        self.disk().is_some()
    }

    /// Why no new recording is begun; none: it may.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let (waiting, _, away) = self.waiting();
        if waiting > self.limit {
            return Some(Refusal::SpoolFull { waiting, limit: self.limit, away });
        }
        self.disk()
    }

    pub(crate) fn status(&self) -> SpoolStatus {
        let (waiting_bytes, waiting_sessions, away) = self.waiting();
        SpoolStatus { waiting_bytes, waiting_sessions, away, refusal: self.refusal() }
    }

    fn disk(&self) -> Option<Refusal> {
        if self.min_free == 0 {
            return None;
        }
        // A disk that does not say how full it is says so when it is written to.
        let free = cache::free(&self.root).ok()?;
        (free < self.min_free).then_some(Refusal::DiskLow { free, least: self.min_free })
    }

    fn waiting(&self) -> (u64, usize, Option<String>) {
        let mut state = self.state();
        if state.measured.is_none_or(|at| at.elapsed() > FRESH) {
            state.waiting.values_mut().filter(|w| !w.closed).for_each(|w| w.bytes = unshipped(&w.folder));
            state.measured = Some(Instant::now());
        }
        (state.waiting.values().map(|w| w.bytes).sum(), state.waiting.len(), state.away.clone())
    }
}

struct Segment {
    /// Its size, if its file is here.
    here: Option<u64>,
    shipped: bool,
}

fn segments(folder: &Path) -> impl Iterator<Item = Segment> {
    Track::ALL.into_iter().flat_map(move |track| {
        (0..).map_while(move |n| {
            let name = track.file_name(n);
            let here = folder.join(&name).metadata().ok().map(|m| m.len());
            let shipped = folder.join(marker_name(&name)).exists();
            (here.is_some() || shipped).then_some(Segment { here, shipped })
        })
    })
}

fn unshipped(folder: &Path) -> u64 {
    segments(folder).filter(|s| !s.shipped).filter_map(|s| s.here).sum()
}
