use crate::{errors::Refusal, guard::Viewer, page::JsonOf, state::App};
use anteroom_domain::CeremonyId;
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};
use webauthn_rs_proto::RegisterPublicKeyCredential;

#[derive(Debug, Deserialize)]
pub(crate) struct Finish {
    ceremony: CeremonyId,
    credential: RegisterPublicKeyCredential,
    label: String,
}

pub(crate) async fn finish(State(app): State<App>, viewer: Viewer, JsonOf(f): JsonOf<Finish>) -> Result<Json<Value>, Refusal> {
    app.approvals.finish_add_passkey(&viewer.person, f.ceremony, &f.credential, f.label.trim()).await?;
    Ok(Json(json!({ "next": "/keys?done=passkey-added" })))
}
