use super::{Running, running};
use crate::pages::health;
use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions {
    frame: Frame,
    rows: Vec<Running>,
    pager: Pager,
    q: String,
    may_end: bool,
    may_watch: bool,
    may_hold: bool,
    /// Why no new session is taken.
    refusal: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let page = page_number(q.page.as_deref());
    let (rows, total) = running(&app, &q.q, page).await?;
    let pager = Pager::new("/sessions", &frame.query, page, rows.len(), total);
    let may_end = frame.may(Action::TerminateSession);
    let may_watch = frame.may(Action::ReplayMasked);
    let may_hold = frame.may(Action::HoldRecording);
    let refusal = health::refusal(&app).await;
    html(&Sessions { frame, rows, pager, q: q.q, may_end, may_watch, may_hold, refusal })
}
