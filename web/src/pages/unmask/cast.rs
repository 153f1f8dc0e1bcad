//! The released interval, streamed: authorised for every request, and each one in the log before the first byte. A terminal's as an
//! asciicast, a desktop's as a film.
use crate::{
    errors::Refusal,
    guard::Viewer,
    pages::recordings::{admit::words, film::streamed, keeping},
    state::App,
};
use anteroom_domain::{AuditEvent, Moment, PersonId, SessionId, UnmaskId, UnmaskStage};
use anteroom_recorder::{ReplayError, Replayer, unmask::Released};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::sync::Arc;

pub(crate) async fn cast(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path(place): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let o = open(&app, &viewer, &headers, place).await?;
    let lines = o.replayer.stream_revealed(o.session, o.channel, o.released.clone()).await.map_err(|e| refusal(&e))?;
    o.viewed(&app).await;
    // A piece that fails ends the answer early: the player shows what was good.
    let body = Body::from_stream(stream::unfold(lines, |mut lines| async move { Some((lines.recv().await?, lines)) }));
    Ok(([(header::CONTENT_TYPE, "application/x-asciicast")], body).into_response())
}

pub(crate) async fn film(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path(place): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let o = open(&app, &viewer, &headers, place).await?;
    let (replayer, session, channel, released) = (o.replayer.clone(), o.session, o.channel, o.released.clone());
    let film = tokio::task::spawn_blocking(move || replayer.film_revealed(session, channel, released));
    let gone = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the reading thread is gone");
    let film = film.await.map_err(gone)?.map_err(|e| refusal(&e))?;
    o.viewed(&app).await;
    Ok(streamed(film))
}

/// Somebody may see it now, and nothing is written down yet.
struct Open {
    unmask: UnmaskId,
    me: PersonId,
    session: SessionId,
    channel: u32,
    released: Arc<Released>,
    replayer: Replayer,
}

impl Open {
    async fn viewed(&self, app: &App) {
        let event = AuditEvent::UnmaskViewed { unmask: self.unmask, session: self.session, by: self.me };
        app.approvals.note(event, Some(self.me)).await;
    }
}

async fn open(app: &App, viewer: &Viewer, headers: &HeaderMap, (unmask, channel): (String, String)) -> Result<Open, Refusal> {
    if headers.get("sec-fetch-site").is_some_and(|s| s != "same-origin") {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "recordings are played on the portal's own pages only"));
    }
    let (Ok(id), Ok(channel)) = (unmask.parse::<UnmaskId>(), channel.parse::<u32>()) else { return Err(Refusal::not_found()) };
    let me = viewer.person.id;
    let view = app.approvals.unmask(id).await?.filter(|v| v.request.requester == me).ok_or_else(Refusal::not_found)?;
    if view.request.stage(Moment::now_utc()) != UnmaskStage::Open {
        app.held.forget(id);
        let session = app.approvals.session(view.request.session).await?;
        let gone = match &session {
            Some(s) => keeping::shredded(app, s).await?,
            None => None,
        };
        return Err(Refusal::new(StatusCode::GONE, gone.unwrap_or_else(|| "the time of this request is over".into())));
    }
    let again = || Refusal::new(StatusCode::GONE, "the keys were forgotten; open it again with your passkey");
    let released = app.held.get(id, me, &viewer.token).ok_or_else(again)?;
    let no_key = || Refusal::new(StatusCode::NOT_FOUND, "this portal holds no key to open recordings");
    let replayer = app.replayer.clone().ok_or_else(no_key)?;
    Ok(Open { unmask: id, me, session: view.request.session, channel, released, replayer })
}

fn refusal(e: &ReplayError) -> Refusal {
    let status = match e {
        ReplayError::NotFound(_) | ReplayError::NoChannel(_) => StatusCode::NOT_FOUND,
        ReplayError::Expired | ReplayError::Shredded => StatusCode::GONE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(status, words(e))
}
