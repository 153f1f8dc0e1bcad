//! The released interval, streamed: authorised for every request, and each one in the log before the first byte.
use crate::{errors::Refusal, guard::Viewer, pages::recordings::admit::words, state::App};
use anteroom_domain::{AuditEvent, Moment, UnmaskId, UnmaskStage};
use anteroom_recorder::ReplayError;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

pub(crate) async fn cast(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((unmask, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    if headers.get("sec-fetch-site").is_some_and(|s| s != "same-origin") {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "recordings are played on the portal's own pages only"));
    }
    let (Ok(id), Ok(channel)) = (unmask.parse::<UnmaskId>(), channel.parse::<u32>()) else { return Err(Refusal::not_found()) };
    let me = viewer.person.id;
    let view = app.approvals.unmask(id).await?.filter(|v| v.request.requester == me).ok_or_else(Refusal::not_found)?;
    if view.request.stage(Moment::now_utc()) != UnmaskStage::Open {
        app.held.forget(id);
        return Err(Refusal::new(StatusCode::GONE, "the time of this request is over"));
    }
    let again = || Refusal::new(StatusCode::GONE, "the keys were forgotten; open it again with your passkey");
    let released = app.held.get(id, me, &viewer.token).ok_or_else(again)?;
    let replayer =
        app.replayer.as_ref().ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "this portal holds no key to open recordings"))?;
    let session = view.request.session;
    let lines = replayer.stream_revealed(session, channel, released).await.map_err(|e| {
        let status = match e {
            ReplayError::NotFound(_) | ReplayError::NoChannel(_) => StatusCode::NOT_FOUND,
            ReplayError::Expired => StatusCode::GONE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Refusal::new(status, words(&e))
    })?;
    app.approvals.note(AuditEvent::UnmaskViewed { unmask: id, session, by: me }, Some(me)).await;
    // A piece that fails ends the answer early: the player shows what was good.
    let body = Body::from_stream(stream::unfold(lines, |mut lines| async move { Some((lines.recv().await?, lines)) }));
    Ok(([(header::CONTENT_TYPE, "application/x-asciicast")], body).into_response())
}
