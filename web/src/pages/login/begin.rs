use crate::{errors::Refusal, guard::Viewer, page::Id, pages::sign_start, state::App};
use anteroom_domain::CertificateAskId;
use axum::{Json, extract::State};
use serde_json::Value;

pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, Id(id): Id<CertificateAskId>) -> Result<Json<Value>, Refusal> {
    Ok(sign_start(app.approvals.begin_certificate(&viewer.person, id).await?))
}
