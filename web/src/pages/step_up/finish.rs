use crate::{
    errors::Refusal,
    guard::Viewer,
    page::{Id, JsonOf},
    pages::Signed,
    state::App,
};
use anteroom_domain::StepUpId;
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<StepUpId>,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    app.approvals.finish_step_up(&viewer.person, s.ceremony, &s.credential).await?;
    Ok(Json(json!({ "next": format!("/step-up/{id}") })))
}
