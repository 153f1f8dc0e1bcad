use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_approvals::RequestFilter;
use anteroom_domain::{AccessRequest, RequestState};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "requests.html")]
struct Requests {
    frame: Frame,
    rows: Vec<AccessRequest>,
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

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let page = page_number(q.page.as_deref());
    let state = RequestState::from_name(&q.state);
    let filter = RequestFilter { state, requester: Some(viewer.person.id), search: q.q.clone() };
    let found = app.approvals.requests(filter, page).await?;
    let pager = Pager::new("/requests", &frame.query, page, found.rows.len(), found.total);
    html(&Requests { frame, rows: found.rows, pager, q: q.q, state: state.map_or("", RequestState::as_str).to_owned() })
}
