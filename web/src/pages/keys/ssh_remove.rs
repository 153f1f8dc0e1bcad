use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::SshKeyId;
use axum::{extract::State, response::Redirect};

pub(crate) async fn remove(State(app): State<App>, viewer: Viewer, Id(id): Id<SshKeyId>) -> Result<Redirect, Problem> {
    app.approvals.remove_ssh_key(&viewer.person, id).await?;
    Ok(Redirect::to("/keys?done=key-removed"))
}
