//! A channel as one masked asciicast: to play, and to take away.
use super::admit::{admit, refusal, viewed};
use crate::{errors::Refusal, guard::Viewer, state::App};
use anteroom_domain::AuditEvent;
use anteroom_policy::Action;
use anteroom_recorder::ReplayError;
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::time::Duration;
use tokio::sync::mpsc;

const ASCIICAST: &str = "application/x-asciicast";

pub(crate) async fn cast(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), None).await?;
    let lines = a.replayer.stream(a.session.id, a.channel, Duration::ZERO).await.map_err(|e| refusal(&e))?;
    viewed(&app, &viewer, a.session.id).await;
    Ok(([(header::CONTENT_TYPE, ASCIICAST)], body(lines)).into_response())
}

/// The same as a file. What leaves the portal is an export, and the log says so before the first byte.
pub(crate) async fn export(
    State(app): State<App>,
    viewer: Viewer,
    headers: HeaderMap,
    Path((session, channel)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let a = admit(&app, &viewer, &headers, (&session, &channel), Some(Action::ExportRecording)).await?;
    let lines = a.replayer.stream(a.session.id, a.channel, Duration::ZERO).await.map_err(|e| refusal(&e))?;
    let (session, by) = (a.session.id, viewer.person.id);
    app.approvals.note(AuditEvent::RecordingExported { session, by, masked_channel: Some(a.channel) }, Some(by)).await;
    let name = format!("attachment; filename=\"{session}-{}-masked.cast\"", a.channel);
    Ok(([(header::CONTENT_TYPE, ASCIICAST.to_owned()), (header::CONTENT_DISPOSITION, name)], body(lines)).into_response())
}

/// A piece that fails ends the answer early: the player shows what was good.
fn body(lines: mpsc::Receiver<Result<Bytes, ReplayError>>) -> Body {
    Body::from_stream(stream::unfold(lines, |mut lines| async move { Some((lines.recv().await?, lines)) }))
}
