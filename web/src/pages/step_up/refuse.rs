use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::StepUpId;
use axum::{extract::State, response::Redirect};

pub(crate) async fn refuse(State(app): State<App>, viewer: Viewer, Id(id): Id<StepUpId>) -> Result<Redirect, Problem> {
    app.approvals.refuse_step_up(&viewer.person, id).await?;
    Ok(Redirect::to(&format!("/step-up/{id}")))
}
