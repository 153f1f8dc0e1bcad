//! Tells open pages that something changed; they fetch what they may see. The stream itself says no more than which list.
use crate::{errors::Refusal, guard::Viewer, state::App};
use anteroom_approvals::Change;
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use std::{convert::Infallible, time::Duration};
use tokio::{sync::broadcast::error::RecvError, time::Instant};
use tokio_util::sync::CancellationToken;

/// A stream ends after this; the browser comes back through the guard, so a suspended person loses it.
const LIFE: Duration = Duration::from_secs(120);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Cancelled when the portal stops, so that open streams don't hold up the end.
#[derive(Debug, Clone)]
pub(crate) struct Stop(pub(crate) CancellationToken);

pub(crate) async fn stream(
    State(app): State<App>,
    Extension(Stop(stop)): Extension<Stop>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if headers.get("sec-fetch-site").is_some_and(|s| s != "same-origin") {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "only the portal's own pages may listen"));
    }
    let me = viewer.person.id;
    let changes = app.approvals.changes();
    let end = Instant::now() + LIFE;
    let events = stream::unfold((changes, stop, true), move |(mut changes, stop, first)| async move {
        if first {
            return Some((Ok::<_, Infallible>(Event::default().retry(Duration::from_secs(2)).comment("ready")), (changes, stop, false)));
        }
        let change = tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep_until(end) => return None,
            change = changes.recv() => change,
        };
        let name = match change {
            Ok(Change::PersonSuspended(p) | Change::Person(p)) if p == me => return None,
            // After something was missed the page looks again; what it looks at matters less than that it does.
            Ok(Change::Request(_) | Change::Card(_) | Change::Resync) | Err(RecvError::Lagged(_)) => "requests",
            Ok(Change::StepUp(_)) => "steps",
            Ok(Change::Unmask(_)) => "unmasks",
            Ok(
                Change::Session(_)
                | Change::Message { .. }
                | Change::Terminate { .. }
                | Change::Pause { .. }
                | Change::Resume { .. }
                | Change::GrantRevoked(_)
                | Change::PersonSuspended(_)
                | Change::Person(_)
                | Change::Target(_)
                | Change::Company(_)
                | Change::Policy
                | Change::Supervision(_),
            ) => "sessions",
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(Event::default().event(name).data("changed")), (changes, stop, false)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}
