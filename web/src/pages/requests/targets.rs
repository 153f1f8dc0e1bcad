//! What there is to ask for, to be looked through: on a page of its own, because a field's list is none for two thousand.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_domain::{AccountName, Target, TargetName};
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "request_targets.html")]
struct Targets {
    frame: Frame,
    rows: Vec<Target>,
    pager: Pager,
    q: String,
}

impl Targets {
    /// The form, filled in.
    fn ask(&self, target: &TargetName, account: &AccountName) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("target", target.as_str()).append_pair("account", account.as_str());
        format!("/requests/new?{}", query.finish())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, viewer: Viewer, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let page = page_number(q.page.as_deref());
    let found = app.approvals.targets_for(&viewer.person, &q.q, page).await?;
    let pager = Pager::new("/requests/targets", &frame.query, page, found.rows.len(), found.total);
    html(&Targets { frame, rows: found.rows, pager, q: q.q })
}
