use crate::{
    errors::Refusal,
    guard::{Source, Viewer},
    page::{Id, JsonOf},
    pages::Signed,
    state::App,
};
use anteroom_approvals::StepUpState;
use anteroom_domain::StepUpId;
use axum::{Json, extract::State};
use serde_json::{Value, json};
use std::time::Instant;

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<StepUpId>,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    if !app.waiting.is_of(id, &viewer, source, Instant::now()) {
        return Err(Refusal::not_found());
    }
    app.approvals.finish_step_up(&viewer.person, s.ceremony, &s.credential).await?;
    // The ceremony says itself what it confirmed; it may have been another connection of this person.
    let view = app.approvals.step_up(&viewer.person, id).await?;
    if view.is_none_or(|v| v.state != StepUpState::Passed) {
        return Err(Refusal::not_found());
    }
    app.waiting.confirm(id);
    Ok(Json(json!({ "socket": format!("/terminal/{id}/socket") })))
}
