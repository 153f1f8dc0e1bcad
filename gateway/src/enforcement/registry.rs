use super::{EndSignal, Notices};
use anteroom_domain::{EndReason, LiveSession, PersonId, SessionControl, SessionId};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// The sessions that are alive on this gateway.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<Mutex<HashMap<SessionId, Arc<Live>>>>);

#[derive(Debug)]
struct Live {
    facts: LiveSession,
    counters: Arc<Counters>,
    end: EndSignal,
    notices: Notices,
}

#[derive(Debug, Default)]
struct Counters {
    channels: AtomicUsize,
    bytes_out: AtomicU64,
}

/// A session's place in the registry; leaves on drop.
#[derive(Debug)]
pub struct Entry {
    id: SessionId,
    counters: Arc<Counters>,
    registry: Registry,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's place, and what is said to it from outside.
    pub fn enter(&self, facts: LiveSession, end: EndSignal) -> (Entry, Notices) {
        let (id, counters, notices) = (facts.id, Arc::<Counters>::default(), Notices::default());
        self.lock().insert(id, Arc::new(Live { facts, counters: counters.clone(), end, notices: notices.clone() }));
        (Entry { id, counters, registry: self.clone() }, notices)
    }

    pub fn runs(&self, id: SessionId) -> bool {
        self.lock().contains_key(&id)
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl SessionControl for Registry {
    fn list(&self) -> Vec<LiveSession> {
        let mut all: Vec<_> = self
            .lock()
            .values()
            .map(|l| LiveSession {
                channels: l.counters.channels.load(Ordering::Relaxed),
                bytes_out: l.counters.bytes_out.load(Ordering::Relaxed),
                ..l.facts.clone()
            })
            .collect();
        all.sort_by_key(|l| (l.started_at, l.id));
        all
    }

    fn terminate(&self, id: SessionId, by: PersonId) -> bool {
        let live = self.lock().get(&id).cloned();
        live.is_some_and(|l| {
            l.end.end(EndReason::Terminated { by });
            true
        })
    }

    fn message(&self, id: SessionId, from: &str, text: &str) -> bool {
        let live = self.lock().get(&id).cloned();
        live.is_some_and(|l| l.notices.say(&format!("message from {from}: {text}")))
    }
}

impl Entry {
    /// Takes a place for one more channel, or none if `max` are open.
    pub fn open_channel(&self, max: usize) -> bool {
        self.counters.channels.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < max).then_some(n + 1)).is_ok()
    }
    pub fn close_channel(&self) {
        self.counters.channels.fetch_sub(1, Ordering::Relaxed);
    }
    pub fn sent(&self, bytes: usize) {
        self.counters.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.id);
    }
}
