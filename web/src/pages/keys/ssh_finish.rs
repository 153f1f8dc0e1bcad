use crate::{errors::Refusal, guard::Viewer, page::JsonOf, pages::Signed, state::App};
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn finish(State(app): State<App>, viewer: Viewer, JsonOf(s): JsonOf<Signed>) -> Result<Json<Value>, Refusal> {
    let key = app.approvals.finish_ssh_key(&viewer.person, s.ceremony, &s.credential).await?;
    Ok(Json(json!({ "next": "/keys?done=key-added", "fingerprint": key.fingerprint })))
}
