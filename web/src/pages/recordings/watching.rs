//! Following the masked track of a running session for one browser: what a terminal's and a desktop's live view have in common.
use super::admit::reading;
use crate::state::App;
use anteroom_approvals::Change;
use anteroom_domain::{PersonId, SessionId};
use anteroom_recorder::ReplayError;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, broadcast},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Running sessions watched at once, by everybody together: each reads the disk a few times a second.
const MOST: usize = 32;
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// So many looks without anything new, and the database is asked whether the session still runs.
const ASK_AFTER: u32 = 25;
/// The stream ends after this; the browser comes back through the guard, so that who may not watch any more loses it.
const LIFE: Duration = Duration::from_secs(120);

/// Room for those who watch.
#[derive(Debug, Clone)]
pub(crate) struct Watchers(Arc<Semaphore>);

impl Default for Watchers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Watchers {
    pub(super) fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// What a look found, in the form that goes to the browser.
pub(super) struct Look<P> {
    pub(super) told: Vec<P>,
    /// There was something new in the track.
    pub(super) news: bool,
    /// It left something behind.
    pub(super) more: bool,
    pub(super) over: bool,
}

/// A place in a track that grows. Blocking I/O.
pub(super) trait Follow: Send + 'static {
    type Piece: Send + 'static;
    fn look(&mut self) -> Result<Look<Self::Piece>, ReplayError>;
    /// Nothing more will come.
    fn over() -> Self::Piece;
}

pub(super) struct Watching<F: Follow> {
    app: App,
    session: SessionId,
    me: PersonId,
    /// None while a thread has it, and after it failed.
    follower: Option<F>,
    told: VecDeque<F::Piece>,
    /// The last look left something behind.
    more: bool,
    /// Looks in a row that found nothing.
    quiet: u32,
    over: bool,
    changes: broadcast::Receiver<Change>,
    stop: CancellationToken,
    end: Instant,
    _room: OwnedSemaphorePermit,
}

impl<F: Follow> Watching<F> {
    /// `changes`: from before the watcher's rights were used, so that no change between is missed.
    pub(super) fn new(
        app: App,
        (session, me): (SessionId, PersonId),
        (follower, first): (F, Option<F::Piece>),
        changes: broadcast::Receiver<Change>,
        stop: CancellationToken,
        room: OwnedSemaphorePermit,
    ) -> Self {
        let told = first.into_iter().collect();
        let end = Instant::now() + LIFE;
        Self { app, session, me, follower: Some(follower), told, more: false, quiet: 0, over: false, changes, stop, end, _room: room }
    }

    pub(super) async fn next(&mut self) -> Option<F::Piece> {
        loop {
            if let Some(piece) = self.told.pop_front() {
                return Some(piece);
            }
            if self.over || Instant::now() >= self.end {
                return None;
            }
            self.look().await;
            if self.told.is_empty() && !self.over && !self.more && !self.rest().await {
                return None;
            }
        }
    }

    async fn look(&mut self) {
        let Some(mut follower) = self.follower.take() else {
            self.over = true;
            return;
        };
        let looked = reading(move || {
            let look = follower.look()?;
            Ok((follower, look))
        });
        match looked.await {
            Ok((follower, look)) => {
                (self.follower, self.more, self.over) = (Some(follower), look.more, look.over);
                self.quiet = if look.news { 0 } else { self.quiet + 1 };
                self.told.extend(look.told);
                if self.quiet >= ASK_AFTER {
                    self.quiet = 0;
                    self.ask().await;
                }
            }
            Err(e) => {
                tracing::debug!(session = %self.session, error = %e, "a running session cannot be followed");
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.over = true;
        self.told.push_back(F::over());
    }

    /// A gateway that died closes no recording.
    async fn ask(&mut self) {
        if let Ok(Some(session)) = self.app.approvals.session(self.session).await
            && session.ended_at.is_some()
        {
            self.end();
        }
    }

    /// False when it is over for this watcher.
    async fn rest(&mut self) -> bool {
        let until = Instant::now() + LOOK_EVERY;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = sleep_until(self.end) => return false,
                () = sleep_until(until) => return true,
                change = self.changes.recv() => match change {
                    Ok(Change::PersonSuspended(p) | Change::Person(p)) if p == self.me => return false,
                    // Somebody came to supervise, or left: who has no seat any more does not get past the guard again.
                    Ok(Change::Supervision(s)) if s == self.session => return false,
                    Err(broadcast::error::RecvError::Closed) => sleep(LOOK_EVERY).await,
                    _ => {}
                },
            }
        }
    }
}
