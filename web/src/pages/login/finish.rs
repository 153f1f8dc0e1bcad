use crate::{
    errors::Refusal,
    guard::Viewer,
    page::{Id, JsonOf},
    pages::Signed,
    state::App,
};
use anteroom_domain::CertificateAskId;
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<CertificateAskId>,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    Box::pin(app.approvals.finish_certificate(&viewer.person, s.ceremony, &s.credential)).await?;
    Ok(Json(json!({ "next": format!("/login/{id}") })))
}
