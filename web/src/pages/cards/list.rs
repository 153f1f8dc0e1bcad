use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_domain::Card;
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "cards.html")]
struct Cards {
    frame: Frame,
    rows: Vec<Card>,
    pager: Pager,
    q: String,
    /// Those that are over too.
    all: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    show: String,
    page: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    let (page, all) = (page_number(q.page.as_deref()), q.show == "all");
    let found = app.approvals.cards(&q.q, !all, page).await?;
    let pager = Pager::new("/cards", &frame.query, page, found.rows.len(), found.total);
    html(&Cards { frame, rows: found.rows, pager, q: q.q, all })
}
