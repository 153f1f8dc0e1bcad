//! A running session, as its masked track grows: server-sent events in the form that the player follows.
use super::admit::{admit, reading, refusal, viewed};
use crate::{errors::Refusal, guard::Viewer, pages::live::Stop, state::App};
use anteroom_approvals::Change;
use anteroom_domain::{PersonId, SessionId};
use anteroom_recorder::{Follower, Live};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
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
const COME_BACK: Duration = Duration::from_millis(500);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Room for those who watch.
#[derive(Debug, Clone)]
pub(crate) struct Watchers(Arc<Semaphore>);

impl Default for Watchers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

pub(crate) async fn follow(
    State(app): State<App>,
    Extension(Stop(stop)): Extension<Stop>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), None).await?;
    let room = app.watchers.0.clone().try_acquire_owned();
    let room = room.map_err(|_| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many running sessions are watched at once"))?;
    let (id, channel, replayer) = (a.session.id, a.channel, a.replayer);
    // Before the rights are used, so that no change between is missed.
    let changes = app.approvals.changes();
    let follower = reading(move || replayer.follow(id, channel)).await.map_err(|e| refusal(&e))?;
    viewed(&app, &viewer, id).await;
    let watching = Watching {
        app,
        session: id,
        me: viewer.person.id,
        follower: Some(follower),
        told: VecDeque::from([Event::default().retry(COME_BACK).comment("masked, as it is written")]),
        more: false,
        quiet: 0,
        over: false,
        changes,
        stop,
        end: Instant::now() + LIFE,
        _room: room,
    };
    let events = stream::unfold(watching, |mut w| async move { w.next().await.map(|e| (Ok::<_, Infallible>(e), w)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

struct Watching {
    app: App,
    session: SessionId,
    me: PersonId,
    /// None while a thread has it, and after it failed.
    follower: Option<Follower>,
    told: VecDeque<Event>,
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

impl Watching {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Some(event);
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
            let told = follower.look()?;
            Ok((follower, told))
        });
        match looked.await {
            Ok((follower, (told, more))) => {
                (self.follower, self.more) = (Some(follower), more);
                self.quiet = if told.is_empty() { self.quiet + 1 } else { 0 };
                told.into_iter().for_each(|live| self.tell(live));
                if self.quiet >= ASK_AFTER {
                    self.quiet = 0;
                    self.ask().await;
                }
            }
            Err(e) => {
                tracing::debug!(session = %self.session, error = %e, "a running session cannot be followed");
                self.tell(Live::Over);
            }
        }
    }

    fn tell(&mut self, live: Live) {
        self.told.push_back(match live {
            Live::Screen { cols, rows, at, paint } => {
                let screen = serde_json::json!({"cols": cols, "rows": rows, "time": at.as_secs_f64(), "init": paint});
                Event::default().data(screen.to_string())
            }
            Live::Event(line) => Event::default().data(line),
            Live::Over => {
                self.over = true;
                Event::default().event("done").data("over")
            }
        });
    }

    /// A gateway that died closes no recording.
    async fn ask(&mut self) {
        if let Ok(Some(session)) = self.app.approvals.session(self.session).await
            && session.ended_at.is_some()
        {
            self.tell(Live::Over);
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
                    Ok(Change::PersonSuspended(p)) if p == self.me => return false,
                    Err(broadcast::error::RecvError::Closed) => sleep(LOOK_EVERY).await,
                    _ => {}
                },
            }
        }
    }
}
