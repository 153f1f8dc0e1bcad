//! Keys that the unsealer released, for as long as somebody may use them. In memory only: for one web session, one person and one request,
//! until the request's time is over, the person signs out or half an hour has passed; then one more touch is needed.
use crate::state::App;
use anteroom_approvals::Change;
use anteroom_domain::{CeremonyId, PersonId, Secret, UnmaskId};
use anteroom_recorder::unmask::{Recipient, Released};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::broadcast::error::RecvError, time::interval};

/// After this the requester's passkey is asked for again.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// A ceremony's recipient waits as long as the ceremony itself.
const CEREMONY: Duration = Duration::from_secs(3 * 60);
/// Of everybody together; more are refused.
const MOST: usize = 64;
const SWEEP: Duration = Duration::from_secs(15);

struct Entry {
    unmask: UnmaskId,
    person: PersonId,
    token: Secret<String>,
    released: Arc<Released>,
    until: Instant,
}

struct Waiting {
    ceremony: CeremonyId,
    person: PersonId,
    token: Secret<String>,
    recipient: Recipient,
    until: Instant,
}

#[derive(Default)]
struct All {
    entries: Vec<Entry>,
    waiting: Vec<Waiting>,
}

#[derive(Default)]
pub(crate) struct Held(Mutex<All>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("entries", &self.all().entries.len()).finish_non_exhaustive()
    }
}

/// Too many people look at recordings unmasked at the same time.
#[derive(Debug)]
pub(crate) struct Full;

impl Held {
    fn all(&self) -> MutexGuard<'_, All> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.entries.retain(|e| e.until > now && !e.released.is_expired());
        all.waiting.retain(|w| w.until > now);
        all
    }

    /// A recipient whose opening is being signed.
    pub(super) fn wait(&self, ceremony: CeremonyId, person: PersonId, token: &Secret<String>, recipient: Recipient) -> Result<(), Full> {
        let mut all = self.all();
        if all.waiting.len() >= MOST || all.entries.len() >= MOST {
            return Err(Full);
        }
        all.waiting.push(Waiting { ceremony, person, token: token.clone(), recipient, until: Instant::now() + CEREMONY });
        Ok(())
    }

    /// Once, and only for who began.
    pub(super) fn take(&self, ceremony: CeremonyId, person: PersonId, token: &Secret<String>) -> Option<Recipient> {
        let mut all = self.all();
        let at = all.waiting.iter().position(|w| w.ceremony == ceremony && w.person == person && w.token == *token)?;
        Some(all.waiting.swap_remove(at).recipient)
    }

    pub(super) fn put(&self, unmask: UnmaskId, person: PersonId, token: &Secret<String>, released: Released) -> Result<(), Full> {
        let mut all = self.all();
        all.entries.retain(|e| !(e.unmask == unmask && e.token == *token));
        if all.entries.len() >= MOST {
            return Err(Full);
        }
        let until = Instant::now() + LONGEST.min(released.time_left());
        all.entries.push(Entry { unmask, person, token: token.clone(), released: Arc::new(released), until });
        Ok(())
    }

    /// For exactly this person in exactly this web session.
    pub(super) fn get(&self, unmask: UnmaskId, person: PersonId, token: &Secret<String>) -> Option<Arc<Released>> {
        let all = self.all();
        let found = all.entries.iter().find(|e| e.unmask == unmask && e.person == person && e.token == *token);
        found.map(|e| e.released.clone())
    }

    pub(super) fn forget(&self, unmask: UnmaskId) {
        self.all().entries.retain(|e| e.unmask != unmask);
    }

    pub(crate) fn signed_out(&self, token: &Secret<String>) {
        let mut all = self.all();
        all.entries.retain(|e| e.token != *token);
        all.waiting.retain(|w| w.token != *token);
    }

    fn suspended(&self, person: PersonId) {
        let mut all = self.all();
        all.entries.retain(|e| e.person != person);
        all.waiting.retain(|w| w.person != person);
    }

    fn clear(&self) {
        *self.all() = All::default();
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.all().entries.len()
    }
}

/// Forgets keys when their time is over, and when something takes the right to them away. Never returns.
pub(crate) async fn keep(app: App) {
    let (mut changes, mut tick) = (app.approvals.changes(), interval(SWEEP));
    loop {
        tokio::select! {
            // Looking is forgetting what is over.
            _ = tick.tick() => {
                drop(app.held.all());
                app.codes.sweep();
            }
            change = changes.recv() => match change {
                Ok(Change::PersonSuspended(p) | Change::Person(p)) => app.held.suspended(p),
                Ok(Change::Unmask(id)) => {
                    let open = match app.approvals.unmask(id).await {
                        Ok(Some(v)) => v.request.state == anteroom_domain::UnmaskState::Approved,
                        _ => false,
                    };
                    if !open {
                        app.held.forget(id);
                    }
                }
                // Something was missed: it may have been the one thing that matters.
                Ok(Change::Resync) | Err(RecvError::Lagged(_)) => app.held.clear(),
                Ok(_) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            },
        }
    }
}
