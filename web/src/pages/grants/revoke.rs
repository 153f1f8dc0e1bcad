use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::GrantId;
use axum::{extract::State, response::Redirect};

pub(crate) async fn revoke(State(app): State<App>, viewer: Viewer, Id(id): Id<GrantId>) -> Result<Redirect, Problem> {
    app.approvals.revoke_grant(Some(viewer.person.id), id).await?;
    Ok(Redirect::to("/grants?done=revoked"))
}
