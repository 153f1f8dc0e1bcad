use crate::{
    errors::Refusal,
    guard::Viewer,
    page::{Id, JsonOf},
    pages::Signed,
    state::App,
};
use anteroom_domain::{UnmaskId, UnmaskState};
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<UnmaskId>,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    let state = Box::pin(app.approvals.finish_unmask_review(&viewer.person, s.ceremony, &s.credential)).await?;
    let done = match state {
        UnmaskState::Pending => "unmask-first",
        UnmaskState::Approved => "unmask-approved",
        UnmaskState::Denied | UnmaskState::Withdrawn => "unmask-denied",
    };
    Ok(Json(json!({ "next": format!("/unmask/{id}?done={done}"), "state": state })))
}
