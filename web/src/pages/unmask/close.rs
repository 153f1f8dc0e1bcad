use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::UnmaskId;
use axum::{extract::State, response::Redirect};

/// The requester has seen enough for now: the keys are forgotten, the request stays.
pub(crate) async fn close(State(app): State<App>, viewer: Viewer, Id(id): Id<UnmaskId>) -> Result<Redirect, Problem> {
    if app.held.get(id, viewer.person.id, &viewer.token).is_none() {
        return Err(Problem::not_found());
    }
    app.held.forget(id);
    Ok(Redirect::to(&format!("/unmask/{id}?done=unmask-closed")))
}
