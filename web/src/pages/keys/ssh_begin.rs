use crate::{errors::Refusal, guard::Viewer, page::JsonOf, pages::sign_start, state::App};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Begin {
    line: String,
    #[serde(default)]
    label: String,
}

pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, JsonOf(b): JsonOf<Begin>) -> Result<Json<Value>, Refusal> {
    Ok(sign_start(app.approvals.begin_ssh_key(&viewer.person, b.line.trim(), b.label.trim()).await?))
}
