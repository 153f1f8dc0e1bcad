use super::{EndSignal, Notices};
use anteroom_domain::{EndReason, LiveSession, PersonId, SessionControl, SessionId};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::sync::watch;

/// The sessions that are alive on this gateway.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<Mutex<HashMap<SessionId, Arc<Live>>>>);

#[derive(Debug)]
struct Live {
    facts: LiveSession,
    counters: Arc<Counters>,
    end: EndSignal,
    notices: Notices,
    pause: Arc<Pause>,
}

/// Whether a session stands still.
#[derive(Debug, Default)]
struct Pause {
    /// Whether somebody obeys.
    able: AtomicBool,
    by: watch::Sender<Option<PersonId>>,
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
    pause: Arc<Pause>,
    registry: Registry,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's place, and what is said to it from outside.
    pub fn enter(&self, facts: LiveSession, end: EndSignal) -> (Entry, Notices) {
        let (id, counters, notices, pause) = (facts.id, Arc::<Counters>::default(), Notices::default(), Arc::<Pause>::default());
        let live = Live { facts, counters: counters.clone(), end, notices: notices.clone(), pause: pause.clone() };
        self.lock().insert(id, Arc::new(live));
        (Entry { id, counters, pause, registry: self.clone() }, notices)
    }

    /// The sessions here that can be paused.
    pub fn pausable(&self) -> Vec<SessionId> {
        self.lock().values().filter(|l| l.pause.able.load(Ordering::Relaxed)).map(|l| l.facts.id).collect()
    }

    /// Sets by whose order a session stands still; false if it is not here or cannot.
    pub(super) fn set_paused(&self, id: SessionId, by: Option<PersonId>) -> bool {
        let live = self.lock().get(&id).cloned();
        live.is_some_and(|l| {
            let able = l.pause.able.load(Ordering::Relaxed);
            if able {
                // The first order counts; the same again wakes nobody.
                l.pause.by.send_if_modified(|now| {
                    let changes = now.is_some() != by.is_some();
                    if changes {
                        *now = by;
                    }
                    changes
                });
            }
            able
        })
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
                paused: l.pause.able.load(Ordering::Relaxed).then(|| l.pause.by.borrow().is_some()),
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

    fn pause(&self, id: SessionId, by: PersonId) -> bool {
        self.set_paused(id, Some(by))
    }

    fn resume(&self, id: SessionId, _by: PersonId) -> bool {
        self.set_paused(id, None)
    }

    fn message(&self, id: SessionId, from: &str, text: &str) -> bool {
        let live = self.lock().get(&id).cloned();
        live.is_some_and(|l| l.notices.say(&format!("message from {from}: {text}")))
    }
}

impl Entry {
    /// By whose order the session stands still, none while it does not. Whoever asks obeys: from here on it can be paused.
    pub fn pauses(&self) -> watch::Receiver<Option<PersonId>> {
        self.pause.able.store(true, Ordering::Relaxed);
        self.pause.by.subscribe()
    }

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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{AccountName, GrantId, Moment, TargetId, TargetName};
    use uuid::Uuid;

    fn facts(n: u128) -> LiveSession {
        let id = Uuid::from_u128;
        LiveSession {
            id: SessionId(id(n)),
            grant: GrantId(id(2)),
            person: PersonId(id(3)),
            person_handle: "ada".into(),
            target: TargetId(id(4)),
            target_name: TargetName::new("mri-3").unwrap(),
            account: AccountName::new("service").unwrap(),
            source: "10.0.0.7".into(),
            started_at: Moment::UNIX_EPOCH,
            grant_ends_at: Moment::UNIX_EPOCH,
            channels: 0,
            bytes_out: 0,
            paused: None,
        }
    }

    #[test]
    fn a_session_that_cannot_be_paused_says_so_and_one_that_can_obeys_and_shows_it() {
        let (r, bob) = (Registry::default(), PersonId(Uuid::from_u128(7)));
        let ((shell, _), (desktop, _)) = (r.enter(facts(1), EndSignal::default()), r.enter(facts(5), EndSignal::default()));
        assert!(!r.pause(shell.id, bob), "nobody would obey");
        let orders = desktop.pauses();
        assert_eq!(r.list().iter().map(|l| l.paused).collect::<Vec<_>>(), [None, Some(false)]);
        assert_eq!(r.pausable(), [desktop.id]);
        assert!(r.pause(desktop.id, bob));
        assert_eq!((*orders.borrow(), r.list()[1].paused), (Some(bob), Some(true)));
        assert!(r.resume(desktop.id, bob));
        assert_eq!((*orders.borrow(), r.list()[1].paused), (None, Some(false)));
        assert!(!r.pause(SessionId(Uuid::nil()), bob), "not here");
        let id = desktop.id;
        drop(desktop);
        assert!(!r.pause(id, bob) && r.pausable().is_empty());
    }

    #[test]
    fn the_first_order_counts_and_the_same_again_wakes_nobody() {
        let (r, bob, eve) = (Registry::default(), PersonId(Uuid::from_u128(7)), PersonId(Uuid::from_u128(8)));
        let (desktop, _) = r.enter(facts(1), EndSignal::default());
        let mut orders = desktop.pauses();
        assert!(r.pause(desktop.id, bob) && r.pause(desktop.id, eve));
        assert_eq!(*orders.borrow_and_update(), Some(bob));
        assert!(r.pause(desktop.id, eve) && !orders.has_changed().unwrap());
    }
}
