//! Who waits for a supervisor.
use crate::{
    errors::Problem,
    guard::{Source, Viewer},
    page::{Frame, html},
    state::App,
};
use anteroom_approvals::ToWatch;
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "supervise.html")]
struct List {
    frame: Frame,
    rows: Vec<ToWatch>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Source(source): Source) -> Result<Response, Problem> {
    let rows = app.approvals.to_watch(&viewer.person, source).await?;
    html(&List { frame, rows })
}
