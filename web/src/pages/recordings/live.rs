//! A running terminal, as its masked track grows: server-sent events in the form that the player follows.
use super::{
    admit::{admit, reading, refusal, viewed},
    watching::{Follow, Look, Watching},
};
use crate::{errors::Refusal, guard::Viewer, pages::live::Stop, state::App};
use anteroom_recorder::{Follower, Live, ReplayError};
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
use std::{convert::Infallible, time::Duration};

const COME_BACK: Duration = Duration::from_millis(500);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) async fn follow(
    State(app): State<App>,
    Extension(Stop(stop)): Extension<Stop>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), None).await?;
    let room = app.watchers.room().ok_or_else(too_many)?;
    let (id, channel, replayer) = (a.session.id, a.channel, a.replayer);
    let changes = app.approvals.changes();
    let follower = reading(move || replayer.follow(id, channel)).await.map_err(|e| refusal(&e))?;
    viewed(&app, &viewer, id).await;
    let first = Event::default().retry(COME_BACK).comment("masked, as it is written");
    let watching = Watching::new(app, (id, viewer.person.id), (Terminal(follower), Some(first)), changes, stop, room);
    let events = stream::unfold(watching, |mut w| async move { w.next().await.map(|e| (Ok::<_, Infallible>(e), w)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

pub(super) fn too_many() -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many running sessions are watched at once")
}

struct Terminal(Follower);

impl Follow for Terminal {
    type Piece = Event;

    fn look(&mut self) -> Result<Look<Event>, ReplayError> {
        let (told, more) = self.0.look()?;
        let over = told.contains(&Live::Over);
        Ok(Look { news: !told.is_empty(), told: told.into_iter().map(event).collect(), more, over })
    }

    fn over() -> Event {
        event(Live::Over)
    }
}

fn event(live: Live) -> Event {
    match live {
        Live::Screen { cols, rows, at, paint } => {
            let screen = serde_json::json!({"cols": cols, "rows": rows, "time": at.as_secs_f64(), "init": paint});
            Event::default().data(screen.to_string())
        }
        Live::Event(line) => Event::default().data(line),
        Live::Over => Event::default().event("done").data("over"),
    }
}
