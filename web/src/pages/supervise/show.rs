//! A supervisor's page: the masked live view, and everything that can be done to the session from here.
use crate::{
    errors::Problem,
    guard::{Source, Viewer},
    layers::Player,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_approvals::{Supervised, SupervisionNote, TimeLeft};
use anteroom_domain::{Person, SessionId, SessionRecord};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "supervise_session.html")]
struct Watch {
    frame: Frame,
    session: SessionRecord,
    person: Person,
    paused: bool,
    left: Option<TimeLeft>,
    watched: Vec<Supervised>,
    notes: Vec<SupervisionNote>,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<SessionId>,
) -> Result<Response, Problem> {
    // Who may not by policy reads why; all others find nothing here.
    app.approvals.may_watch(id, viewer.person.id, source).await?;
    let session = app.approvals.session(id).await?.ok_or_else(Problem::not_found)?;
    let person = app.approvals.person(session.person).await?.ok_or_else(Problem::not_found)?;
    let paused = app.approvals.pausing(&[id]).await?.get(&id).is_some_and(|p| p.stands());
    let (watched, notes) = (app.approvals.supervisions(id).await?, app.approvals.supervision_notes(id).await?);
    let left = app.approvals.time_left(id).await?;
    let mut response = html(&Watch { frame, session, person, paused, left, watched, notes })?;
    response.extensions_mut().insert(Player);
    Ok(response)
}
