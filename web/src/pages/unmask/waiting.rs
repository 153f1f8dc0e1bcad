//! The key-holder's inbox.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, Frame, Pager, html, page_number},
    pages::names::Names,
    state::App,
};
use anteroom_approvals::UnmaskFilter;
use anteroom_domain::{UnmaskRequest, UnmaskStage};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "key_holder.html")]
struct Inbox {
    frame: Frame,
    rows: Vec<UnmaskRequest>,
    names: Names,
    pager: Pager,
    q: String,
    /// Answered ones and those of others too.
    all: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    show: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let (page, all) = (page_number(q.page.as_deref()), q.show == "all");
    let filter = UnmaskFilter { waits_for: (!all).then_some(viewer.person.id), search: q.q.clone(), ..Default::default() };
    let found = app.approvals.unmasks(filter, page).await?;
    let names = Names::of(&app, found.rows.iter().map(|r| r.requester).collect()).await?;
    let pager = Pager::new("/key-holder", &frame.query, page, found.rows.len(), found.total);
    html(&Inbox { frame, rows: found.rows, names, pager, q: q.q, all })
}
