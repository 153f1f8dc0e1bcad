//! An auditor's own requests.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_approvals::UnmaskFilter;
use anteroom_domain::{UnmaskRequest, UnmaskStage};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "unmasks.html")]
struct Mine {
    frame: Frame,
    rows: Vec<UnmaskRequest>,
    pager: Pager,
    q: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let page = page_number(q.page.as_deref());
    let filter = UnmaskFilter { requester: Some(viewer.person.id), search: q.q.clone(), ..Default::default() };
    let found = app.approvals.unmasks(filter, page).await?;
    let pager = Pager::new("/unmask", &frame.query, page, found.rows.len(), found.total);
    html(&Mine { frame, rows: found.rows, pager, q: q.q })
}
