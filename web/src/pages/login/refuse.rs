use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::CertificateAskId;
use axum::{extract::State, response::Redirect};

pub(crate) async fn refuse(State(app): State<App>, viewer: Viewer, Id(id): Id<CertificateAskId>) -> Result<Redirect, Problem> {
    app.approvals.refuse_certificate(&viewer.person, id).await?;
    Ok(Redirect::to(&format!("/login/{id}")))
}
