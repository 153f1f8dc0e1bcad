use crate::{
    errors::Problem,
    guard::{Source, Viewer},
    page::{Frame, Id, html},
    state::App,
};
use anteroom_approvals::{StepUpState, StepUpView};
use anteroom_domain::{
    StepUpId,
    content::{Signable, StepUpContent},
};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "step_up.html")]
struct Show {
    frame: Frame,
    view: StepUpView,
    /// The browser and the terminal come from different addresses: fine with two networks, and worth a look.
    elsewhere: Option<String>,
    domain: &'static str,
}

pub(crate) async fn show(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<StepUpId>,
) -> Result<Response, Problem> {
    let view = app.approvals.step_up(&viewer.person, id).await?.ok_or_else(Problem::not_found)?;
    let here = source.to_string();
    let elsewhere = Some(here).filter(|h| *h != view.source);
    html(&Show { frame, view, elsewhere, domain: StepUpContent::DOMAIN })
}
