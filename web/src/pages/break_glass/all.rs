//! Every emergency; those that nobody has looked at come first.
use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    pages::names::Names,
    state::App,
};
use anteroom_domain::BreakGlass;
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "break_glass_all.html")]
struct All {
    frame: Frame,
    rows: Vec<BreakGlass>,
    names: Names,
    pager: Pager,
    open_only: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    show: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let (page, open_only) = (page_number(q.page.as_deref()), q.show == "open");
    let found = app.approvals.broken_glass(open_only, page).await?;
    let names = Names::of(&app, found.rows.iter().map(|g| g.person).collect()).await?;
    let pager = Pager::new("/break-glass/all", &frame.query, page, found.rows.len(), found.total);
    html(&All { frame, rows: found.rows, names, pager, open_only })
}
