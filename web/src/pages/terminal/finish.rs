use crate::{
    errors::Refusal,
    guard::{Source, Viewer},
    page::{Id, JsonOf},
    pages::{Signed, confirmation},
    state::App,
};
use anteroom_domain::StepUpId;
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<StepUpId>,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    confirmation::finish(&app, &app.waiting, &viewer, source, id, (s.ceremony, &s.credential)).await?;
    Ok(Json(json!({ "socket": format!("/terminal/{id}/socket") })))
}
