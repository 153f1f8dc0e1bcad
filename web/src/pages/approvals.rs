//! The approver's inbox: what waits for an answer.
use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::RequestFilter;
use anteroom_domain::{AccessRequest, RequestState};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "approvals.html")]
struct Inbox {
    frame: Frame,
    rows: Vec<AccessRequest>,
    names: Names,
    pager: Pager,
    q: String,
    state: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    state: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let state = if q.state == "all" { None } else { RequestState::from_name(&q.state).or(Some(RequestState::Pending)) };
    let page = page_number(q.page.as_deref());
    let found = app.approvals.requests(RequestFilter { state, requester: None, search: q.q.clone() }, page).await?;
    let names = Names::of(&app, found.rows.iter().map(|r| r.requester).collect()).await?;
    let pager = Pager::new("/approvals", &frame.query, page, found.rows.len(), found.total);
    let state = state.map_or("all", RequestState::as_str).to_owned();
    html(&Inbox { frame, rows: found.rows, names, pager, q: q.q, state })
}
