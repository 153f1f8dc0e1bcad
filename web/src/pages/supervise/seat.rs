//! A supervisor's place at a session. It is kept by being heard of every second, and given up by leaving the page.
use crate::{
    errors::Refusal,
    guard::{Source, Viewer},
    page::{Id, JsonOf},
    pages::recordings,
    state::App,
};
use anteroom_approvals::TimeLeft;
use anteroom_domain::{MessageText, Moment, SessionId, SupervisionId};
use anteroom_recorder::ChannelKind;
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
pub(crate) struct Seat {
    seat: SupervisionId,
    /// The page shows nothing of the session yet.
    #[serde(default)]
    looks: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Note {
    text: String,
}

pub(crate) async fn join(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<SessionId>,
) -> Result<Json<Value>, Refusal> {
    let seat = app.approvals.join_supervision(id, viewer.person.id, source).await?;
    Ok(Json(json!({ "seat": seat })))
}

pub(crate) async fn renew(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<SessionId>,
    JsonOf(s): JsonOf<Seat>,
) -> Result<Json<Value>, Refusal> {
    let watching = app.approvals.renew_supervision(s.seat, viewer.person.id, source).await?;
    let session = app.approvals.session(id).await?.ok_or_else(Refusal::not_found)?;
    let paused = app.approvals.pausing(&[id]).await?.get(&id).is_some_and(|p| p.stands());
    let shown = match app.replayer.clone().filter(|_| s.looks && watching) {
        // The newest: what somebody opens while they are watched is what is to be seen.
        Some(replayer) => recordings::read(move || replayer.info(id)).await.ok().and_then(|i| i.channels.last().cloned()),
        None => None,
    };
    let channel = shown.map(|c| {
        let desktop = matches!(c.kind, ChannelKind::Desktop { .. });
        json!({ "id": c.id, "opened": c.opened_at.as_secs_f64(), "desktop": desktop })
    });
    let left = app.approvals.time_left(id).await?.map(|l| left(&l, Moment::now_utc()));
    Ok(Json(json!({ "watching": watching, "over": session.ended_at.is_some(), "paused": paused, "channel": channel, "left": left })))
}

/// In seconds from now, so that the browser's clock does not matter.
fn left(l: &TimeLeft, now: Moment) -> Value {
    let seconds = |at: Moment| (at - now).whole_seconds();
    let prolonged = l.prolonged.as_ref().map(|p| json!({ "by": p.by, "seconds": seconds(p.until) }));
    json!({ "seconds": seconds(l.ends), "minutes": l.minutes, "prolonged": prolonged })
}

/// Lets the session go on after its grant's end.
pub(crate) async fn prolong(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<SessionId>,
) -> Result<Json<Value>, Refusal> {
    let minutes = app.approvals.prolong_session(id, viewer.person.id, source).await?;
    Ok(Json(json!({ "minutes": minutes })))
}

pub(crate) async fn leave(State(app): State<App>, viewer: Viewer, JsonOf(s): JsonOf<Seat>) -> Result<StatusCode, Refusal> {
    app.approvals.leave_supervision(s.seat, viewer.person.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn note(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<SessionId>,
    JsonOf(n): JsonOf<Note>,
) -> Result<StatusCode, Refusal> {
    let text = MessageText::new(&n.text).map_err(|why| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, why))?;
    app.approvals.note_supervision(id, viewer.person.id, source, &text).await?;
    Ok(StatusCode::NO_CONTENT)
}
