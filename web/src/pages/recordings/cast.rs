//! The masked cast, streamed: authorised for every request, audited once a viewing and before the first byte.
use super::needed;
use crate::{errors::Refusal, guard::Viewer, state::App};
use anteroom_domain::{AuditEvent, SessionId};
use anteroom_policy::may;
use anteroom_recorder::ReplayError;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::time::{Duration, Instant};

pub(crate) async fn cast(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    // A link on another site must not make a viewing that nobody wanted.
    if headers.get("sec-fetch-site").is_some_and(|s| s != "same-origin") {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "recordings are played on the portal's own pages only"));
    }
    let (Ok(id), Ok(channel)) = (session.parse::<SessionId>(), channel.parse::<u32>()) else { return Err(Refusal::not_found()) };
    let session = app.approvals.session(id).await?.ok_or_else(Refusal::not_found)?;
    if !may(&viewer.person, needed(&session)) {
        return Err(Refusal::not_found());
    }
    let replayer =
        app.replayer.as_ref().ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "this portal holds no key to open recordings"))?;
    let lines = replayer.stream(id, channel, Duration::ZERO).await.map_err(|e| Refusal::new(status(&e), words(&e)))?;
    let me = viewer.person.id;
    if app.viewings.begins(me, id, Instant::now()) {
        app.approvals.note(AuditEvent::RecordingViewed { session: id, by: me }, Some(me)).await;
    }
    // A piece that fails ends the answer early: the player shows what was good.
    let body = Body::from_stream(stream::unfold(lines, |mut lines| async move { Some((lines.recv().await?, lines)) }));
    Ok(([(header::CONTENT_TYPE, "application/x-asciicast")], body).into_response())
}

fn status(e: &ReplayError) -> StatusCode {
    match e {
        ReplayError::NotFound(_) | ReplayError::NoChannel(_) => StatusCode::NOT_FOUND,
        ReplayError::Shredded => StatusCode::GONE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// For the page; no paths, no library texts.
pub(in crate::pages) fn words(e: &ReplayError) -> String {
    match e {
        ReplayError::NotFound(_) => "There are no recorded bytes of this session here yet.",
        ReplayError::NoChannel(_) => "The recording has no such channel.",
        ReplayError::WrongKey => "This portal's key does not open this recording.",
        ReplayError::Shredded => "The keys of this recording were destroyed, so nobody can watch it any more.",
        ReplayError::Damaged(_) => "The recording is damaged. Export it to learn where: anteroom recording export, then anteroom verify.",
        _ => "The recording cannot be read at the moment.",
    }
    .into()
}
