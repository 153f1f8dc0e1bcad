use crate::{errors::Refusal, guard::Viewer, state::App};
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn begin(State(app): State<App>, viewer: Viewer) -> Result<Json<Value>, Refusal> {
    let start = app.approvals.begin_add_passkey(&viewer.person).await?;
    Ok(Json(json!({ "ceremony": start.ceremony, "options": start.options })))
}
