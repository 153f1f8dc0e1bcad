//! Who waits for a supervisor.
use super::{Supervised, all};
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, html},
    state::App,
};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "supervise.html")]
struct List {
    frame: Frame,
    rows: Vec<Supervised>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer) -> Result<Response, Problem> {
    let rows = all(&app, &viewer.person).await?;
    html(&List { frame, rows })
}
