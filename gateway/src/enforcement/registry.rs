use super::{EndSignal, Notices};
use anteroom_domain::{EndReason, Hold, Holds, LiveSession, PersonId, SessionControl, SessionId};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The sessions that are alive on this gateway.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<Mutex<HashMap<SessionId, Arc<Live>>>>);

#[derive(Debug)]
struct Live {
    facts: LiveSession,
    counters: Arc<Counters>,
    end: EndSignal,
    notices: Notices,
    holds: watch::Sender<Holds>,
    /// Cancelled: somebody has to watch from now on.
    watched: CancellationToken,
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
    holds: watch::Sender<Holds>,
    watched: CancellationToken,
    registry: Registry,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session's place, and what is said to it from outside. It stands still from the beginning if there is a cause.
    pub fn enter(&self, facts: LiveSession, end: EndSignal) -> (Entry, Notices) {
        let (id, counters, notices) = (facts.id, Arc::<Counters>::default(), Notices::default());
        let holds = watch::Sender::new(facts.holds);
        let watched = CancellationToken::new();
        let live =
            Live { facts, counters: counters.clone(), end, notices: notices.clone(), holds: holds.clone(), watched: watched.clone() };
        self.lock().insert(id, Arc::new(live));
        (Entry { id, counters, holds, watched, registry: self.clone() }, notices)
    }

    pub fn ids(&self) -> Vec<SessionId> {
        self.lock().keys().copied().collect()
    }

    /// Gives a session a cause to stand still; false if it is not here. The same again wakes nobody.
    pub fn hold(&self, id: SessionId, hold: Hold) -> bool {
        self.held(id, |holds| holds.put(hold))
    }

    /// Takes a cause away; of an order it does not matter whose it was.
    pub fn release(&self, id: SessionId, hold: Hold) -> bool {
        self.held(id, |holds| holds.take(hold))
    }

    /// From now on it runs only while somebody watches; it stands still until then. False if it is not here.
    pub fn have_watched(&self, id: SessionId) -> bool {
        let held = self.hold(id, Hold::Unwatched);
        let live = self.lock().get(&id).cloned();
        held && live.is_some_and(|l| {
            l.watched.cancel();
            true
        })
    }

    fn held(&self, id: SessionId, change: impl FnOnce(&mut Holds) -> bool) -> bool {
        let live = self.lock().get(&id).cloned();
        live.is_some_and(|l| {
            l.holds.send_if_modified(change);
            true
        })
    }

    /// Says something to the session's person; false if no channel is there to show it.
    pub fn say(&self, id: SessionId, text: &str) -> bool {
        let live = self.lock().get(&id).cloned();
        live.is_some_and(|l| l.notices.say(text))
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
                holds: *l.holds.borrow(),
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
        self.hold(id, Hold::Order { by })
    }

    fn resume(&self, id: SessionId, by: PersonId) -> bool {
        self.held(id, |holds| {
            let ruled = holds.take(Hold::Limit);
            holds.take(Hold::Order { by }) || ruled
        })
    }

    fn message(&self, id: SessionId, from: &str, text: &str) -> bool {
        self.say(id, &format!("message from {from}: {text}"))
    }
}

impl Entry {
    /// Why the session stands still, and every change of it. Whoever carries something for the person obeys.
    pub fn holds(&self) -> watch::Receiver<Holds> {
        self.holds.subscribe()
    }

    /// Why it stands still at this moment.
    pub fn standing(&self) -> Holds {
        *self.holds.borrow()
    }

    /// Resolves when somebody has to watch it who did not have to before.
    pub fn to_be_watched(&self) -> CancellationToken {
        self.watched.clone()
    }

    pub fn hold(&self, hold: Hold) {
        self.holds.send_if_modified(|h| h.put(hold));
    }

    pub fn release(&self, hold: Hold) {
        self.holds.send_if_modified(|h| h.take(hold));
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
            holds: Default::default(),
        }
    }

    #[test]
    fn a_session_that_is_held_shows_it_and_goes_on_when_every_cause_is_gone() {
        let (r, bob) = (Registry::default(), PersonId(Uuid::from_u128(7)));
        let (shell, _) = r.enter(facts(1), EndSignal::default());
        let orders = shell.holds();
        assert!(r.pause(shell.id, bob) && r.hold(shell.id, Hold::Policy));
        assert_eq!((orders.borrow().order, r.list()[0].holds.policy), (Some(bob), true));
        assert!(r.resume(shell.id, bob) && orders.borrow().any());
        shell.release(Hold::Policy);
        assert!(!orders.borrow().any() && !r.list()[0].holds.any());
        assert!(!r.pause(SessionId(Uuid::nil()), bob), "not here");
        let id = shell.id;
        drop(shell);
        assert!(!r.pause(id, bob) && r.ids().is_empty());
    }

    #[test]
    fn who_has_to_be_watched_from_now_on_stands_still_before_anybody_is_asked() {
        let r = Registry::default();
        let (shell, _) = r.enter(facts(1), EndSignal::default());
        assert!(!shell.to_be_watched().is_cancelled() && !shell.standing().any());
        assert!(r.have_watched(shell.id) && shell.to_be_watched().is_cancelled() && shell.standing().unwatched);
        assert!(!r.have_watched(SessionId(Uuid::nil())), "not here");
    }

    #[test]
    fn the_first_order_counts_and_the_same_again_wakes_nobody() {
        let (r, bob, eve) = (Registry::default(), PersonId(Uuid::from_u128(7)), PersonId(Uuid::from_u128(8)));
        let (desktop, _) = r.enter(facts(1), EndSignal::default());
        let mut orders = desktop.holds();
        assert!(r.pause(desktop.id, bob) && r.pause(desktop.id, eve));
        assert_eq!(orders.borrow_and_update().order, Some(bob));
        assert!(r.pause(desktop.id, eve) && !orders.has_changed().unwrap());
    }
}
