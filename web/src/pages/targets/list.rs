use super::add::NewTargetForm;
use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_domain::{Profile, Protocol, Target};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "targets.html")]
pub(super) struct Targets {
    frame: Frame,
    rows: Vec<Target>,
    pager: Pager,
    q: String,
    filled: NewTargetForm,
    wrong: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: Option<String>,
}

impl Targets {
    pub(super) async fn page(app: &App, frame: Frame, q: Query, filled: NewTargetForm, wrong: Option<String>) -> Result<Self, Problem> {
        let page = page_number(q.page.as_deref());
        let found = app.approvals.targets(&q.q, page).await?;
        let pager = Pager::new("/targets", &frame.query, page, found.rows.len(), found.total);
        Ok(Self { frame, rows: found.rows, pager, q: q.q, filled, wrong })
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    html(&Targets::page(&app, frame, q, NewTargetForm::default(), None).await?)
}
