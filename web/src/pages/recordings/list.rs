use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_approvals::SessionFilter;
use anteroom_domain::{RecordingState, SessionRecord};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "recordings.html")]
struct Recordings {
    frame: Frame,
    rows: Vec<SessionRecord>,
    pager: Pager,
    q: String,
    person: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    /// An id; set by links from other pages.
    person: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let page = page_number(q.page.as_deref());
    let filter = SessionFilter { person: q.person.parse().ok(), live_only: false, search: q.q.clone() };
    let found = app.approvals.sessions(filter, page).await?;
    let pager = Pager::new("/recordings", &frame.query, page, found.rows.len(), found.total);
    html(&Recordings { frame, rows: found.rows, pager, q: q.q, person: q.person })
}

/// How many identifiers were masked, of all types.
pub(crate) fn total(counts: &std::collections::BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}
