//! Says what will happen, to whom, and who will know, before a session is ended.
use crate::{
    errors::Problem,
    page::{Frame, Id, html},
    pages::names::Names,
    state::App,
};
use anteroom_domain::{SessionId, SessionRecord};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "session_terminate.html")]
struct Confirm {
    frame: Frame,
    session: SessionRecord,
    names: Names,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<SessionId>) -> Result<Response, Problem> {
    let session = app.approvals.session(id).await?.ok_or_else(Problem::not_found)?;
    let names = Names::of(&app, vec![session.person]).await?;
    html(&Confirm { frame, session, names })
}
