use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::PersonId;
use axum::{extract::State, http::StatusCode, response::Redirect};

pub(crate) async fn suspend(State(app): State<App>, viewer: Viewer, Id(id): Id<PersonId>) -> Result<Redirect, Problem> {
    if id == viewer.person.id {
        // The last operator could lock everybody out; on the machine itself the command line still can.
        return Err(Problem::status(StatusCode::CONFLICT, "That is you", "You cannot suspend yourself. Ask another operator."));
    }
    app.approvals.suspend_person(Some(viewer.person.id), id).await?;
    Ok(Redirect::to(&format!("/people/{id}?done=suspended")))
}
