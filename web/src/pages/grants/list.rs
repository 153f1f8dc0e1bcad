use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::GrantFilter;
use anteroom_domain::{Grant, GrantState};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "grants.html")]
struct Grants {
    frame: Frame,
    rows: Vec<(Grant, GrantState)>,
    names: Names,
    pager: Pager,
    q: String,
    all: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    state: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let all = q.state == "all";
    let page = page_number(q.page.as_deref());
    let found = app.approvals.grants(GrantFilter { person: None, live_only: !all, search: q.q.clone() }, page).await?;
    let names = Names::of(&app, found.rows.iter().map(|g| g.person).collect()).await?;
    let pager = Pager::new("/grants", &frame.query, page, found.rows.len(), found.total);
    let rows = found.rows.into_iter().map(|g| (g.state(frame.now.0), g)).map(|(s, g)| (g, s)).collect();
    html(&Grants { frame, rows, names, pager, q: q.q, all })
}
