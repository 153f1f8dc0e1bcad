use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::PersonId;
use axum::{extract::State, response::Redirect};

pub(crate) async fn reinstate(State(app): State<App>, viewer: Viewer, Id(id): Id<PersonId>) -> Result<Redirect, Problem> {
    app.approvals.reinstate_person(Some(viewer.person.id), id).await?;
    Ok(Redirect::to(&format!("/people/{id}?done=reinstated")))
}
