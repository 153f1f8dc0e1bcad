use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::RequestId;
use axum::{extract::State, response::Redirect};

pub(crate) async fn withdraw(State(app): State<App>, viewer: Viewer, Id(id): Id<RequestId>) -> Result<Redirect, Problem> {
    app.approvals.withdraw_request(&viewer.person, id).await?;
    Ok(Redirect::to(&format!("/requests/{id}?done=withdrawn")))
}
