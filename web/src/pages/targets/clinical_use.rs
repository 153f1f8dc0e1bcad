//! The switch that says whether a patient depends on a device at this moment.
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{FormOf, Id},
    state::App,
};
use anteroom_domain::{ClinicalUse, TargetId};
use axum::{extract::State, response::Redirect};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct Turn {
    state: ClinicalUse,
}

pub(crate) async fn turn(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<TargetId>,
    FormOf(t): FormOf<Turn>,
) -> Result<Redirect, Problem> {
    app.approvals.set_clinical_use(Some(viewer.person.id), id, t.state).await?;
    Ok(Redirect::to(&format!("/targets/{id}?done=turned")))
}
