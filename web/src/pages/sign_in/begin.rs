use super::slow_down;
use crate::{errors::Refusal, guard::Source, state::App};
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn begin(State(app): State<App>, Source(source): Source) -> Result<Json<Value>, Refusal> {
    slow_down(&app, source)?;
    let start = app.approvals.begin_login().await?;
    Ok(Json(json!({ "ceremony": start.ceremony, "options": start.options })))
}
