//! What could not be delivered: mail and webhooks that failed or were given up.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{FormOf, Frame, html},
    state::App,
};
use anteroom_approvals::notify::TroubledNotice;
use askama::Template;
use axum::{
    extract::State,
    response::{Redirect, Response},
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "notices.html")]
struct Page {
    frame: Frame,
    rows: Vec<TroubledNotice>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Again {
    id: uuid::Uuid,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer) -> Result<Response, Problem> {
    let rows = app.approvals.troubled_notices(Some(viewer.person.id)).await?;
    html(&Page { frame, rows })
}

pub(crate) async fn again(State(app): State<App>, viewer: Viewer, FormOf(a): FormOf<Again>) -> Result<Redirect, Problem> {
    app.approvals.retry_notice(Some(viewer.person.id), a.id).await?;
    Ok(Redirect::to("/notices?done=notice-again"))
}
