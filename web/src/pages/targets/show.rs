use crate::{
    errors::Problem,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_domain::{Target, TargetId};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "target.html")]
pub(super) struct Show {
    frame: Frame,
    target: Target,
    wrong: Option<String>,
}

impl Show {
    pub(super) async fn page(app: &App, frame: Frame, id: TargetId, wrong: Option<String>) -> Result<Self, Problem> {
        let target = app.approvals.target(id).await?.ok_or_else(Problem::not_found)?;
        Ok(Self { frame, target, wrong })
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<TargetId>) -> Result<Response, Problem> {
    html(&Show::page(&app, frame, id, None).await?)
}
