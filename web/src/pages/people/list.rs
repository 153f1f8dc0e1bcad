use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_domain::{Person, Role};
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "people.html")]
pub(super) struct People {
    frame: Frame,
    rows: Vec<Person>,
    pager: Pager,
    q: String,
    filled: super::add::NewPerson,
    wrong: Option<String>,
    roles: [Role; 5],
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: Option<String>,
}

impl People {
    pub(super) async fn page(
        app: &App,
        frame: Frame,
        q: Query,
        filled: super::add::NewPerson,
        wrong: Option<String>,
    ) -> Result<Self, Problem> {
        let page = page_number(q.page.as_deref());
        let found = app.approvals.people(&q.q, page).await?;
        let pager = Pager::new("/people", &frame.query, page, found.rows.len(), found.total);
        Ok(Self { frame, rows: found.rows, pager, q: q.q, filled, wrong, roles: Role::ALL })
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    html(&People::page(&app, frame, q, super::add::NewPerson::default(), None).await?)
}

/// What a role lets somebody do, in one line.
pub(crate) fn meaning(role: &Role) -> &'static str {
    match role {
        Role::Admin => "asks for access and connects",
        Role::Approver => "answers requests of others",
        Role::Auditor => "replays, searches and verifies",
        Role::Operator => "keeps people and targets",
        Role::KeyHolder => "with a second one, lets an auditor see an interval unmasked",
    }
}
