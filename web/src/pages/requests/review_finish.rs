use crate::{
    errors::Refusal,
    guard::Viewer,
    page::{Id, JsonOf},
    pages::Signed,
    state::App,
};
use anteroom_approvals::Answered;
use anteroom_domain::RequestId;
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<RequestId>,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    let answered = Box::pin(app.approvals.finish_review(&viewer.person, s.ceremony, &s.credential)).await?;
    let done = match &answered {
        Answered::Granted(_) => "approved",
        Answered::Waiting(_) => "signed",
        Answered::Denied => "denied",
    };
    let grant = answered.into_grant();
    Ok(Json(json!({ "next": format!("/requests/{id}?done={done}"), "grant": grant.map(|g| g.id) })))
}
