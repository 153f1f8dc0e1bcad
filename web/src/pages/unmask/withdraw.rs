use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::UnmaskId;
use axum::{extract::State, response::Redirect};

pub(crate) async fn withdraw(State(app): State<App>, viewer: Viewer, Id(id): Id<UnmaskId>) -> Result<Redirect, Problem> {
    app.approvals.withdraw_unmask(&viewer.person, id).await?;
    app.held.forget(id);
    Ok(Redirect::to(&format!("/unmask/{id}?done=unmask-withdrawn")))
}
