//! Asks a passkey to confirm this one terminal.
use super::{FINGERPRINT, Place, grant};
use crate::{
    errors::{Problem, Refusal},
    guard::{Source, Viewer},
    pages::confirmation,
    state::App,
};
use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Path(place): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let place = Place::read(&place).ok_or_else(Refusal::not_found)?;
    if grant(&app, &viewer, &place).await.map_err(Problem::refusal)?.is_none() {
        return Err(Refusal::not_found());
    }
    let (id, start) = confirmation::begin(&app, &app.waiting, &viewer, &place, source, FINGERPRINT).await?;
    Ok(Json(json!({ "terminal": id, "ceremony": start.ceremony, "options": start.options, "content": start.content })))
}
