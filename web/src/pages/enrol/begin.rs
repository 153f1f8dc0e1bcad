use crate::{errors::Refusal, guard::Source, page::JsonOf, pages::sign_in::slow_down, state::App};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(crate) struct Begin {
    token: String,
}

pub(crate) async fn begin(State(app): State<App>, Source(source): Source, JsonOf(b): JsonOf<Begin>) -> Result<Json<Value>, Refusal> {
    slow_down(&app, source)?;
    let start = app.approvals.begin_enrol(&b.token).await?;
    Ok(Json(json!({ "ceremony": start.ceremony, "options": start.options, "person": start.person.display_name })))
}
