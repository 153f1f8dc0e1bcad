use crate::{
    errors::Refusal,
    guard::Viewer,
    page::{Id, JsonOf},
    pages::sign_start,
    state::App,
};
use anteroom_domain::{UnmaskId, content::Verdict};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Begin {
    verdict: Verdict,
}

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<UnmaskId>,
    JsonOf(b): JsonOf<Begin>,
) -> Result<Json<Value>, Refusal> {
    Ok(sign_start(Box::pin(app.approvals.begin_unmask_review(&viewer.person, id, b.verdict)).await?))
}
