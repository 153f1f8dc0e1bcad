use super::{Stands, add::NewCompany, stands};
use crate::{
    errors::Problem,
    page::{Asked, Frame, Pager, html, page_number},
    state::App,
};
use anteroom_approvals::CompanyRow;
use anteroom_domain::Moment;
use anteroom_policy::Action;
use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "companies.html")]
pub(super) struct Companies {
    frame: Frame,
    rows: Vec<CompanyRow>,
    pager: Pager,
    q: String,
    may_add: bool,
    filled: NewCompany,
    wrong: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    q: String,
    page: Option<String>,
}

impl Companies {
    pub(super) async fn page(app: &App, frame: Frame, q: Query, filled: NewCompany, wrong: Option<String>) -> Result<Self, Problem> {
        let page = page_number(q.page.as_deref());
        let found = app.approvals.company_rows(&q.q, page).await?;
        let pager = Pager::new("/companies", &frame.query, page, found.rows.len(), found.total);
        let may_add = frame.may(Action::ManagePeople);
        Ok(Self { frame, rows: found.rows, pager, q: q.q, may_add, filled, wrong })
    }

    fn stands(&self, ends: &Moment) -> Stands {
        stands(ends, self.frame.now.moment())
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(q): Asked<Query>) -> Result<Response, Problem> {
    html(&Companies::page(&app, frame, q, NewCompany::default(), None).await?)
}
