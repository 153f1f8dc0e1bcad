//! Closing the look at it: signed by another person's passkey.
use crate::{
    errors::{Failure, Refusal},
    guard::Viewer,
    page::{Id, JsonOf},
    pages::{Signed, sign_start},
    state::App,
};
use anteroom_domain::{Reason, RequestId, content::Finding};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
pub(crate) struct Begin {
    finding: Finding,
    findings: String,
}

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<RequestId>,
    JsonOf(b): JsonOf<Begin>,
) -> Result<Json<Value>, Refusal> {
    let findings = Reason::new(b.findings.replace("\r\n", "\n"));
    let findings = findings.map_err(|_| Failure::unprocessable("write what you found, at most 2,000 characters"))?;
    Ok(sign_start(Box::pin(app.approvals.begin_glass_review(&viewer.person, id, b.finding, findings)).await?))
}

pub(crate) async fn finish(State(app): State<App>, viewer: Viewer, JsonOf(s): JsonOf<Signed>) -> Result<Json<Value>, Refusal> {
    let id = Box::pin(app.approvals.finish_glass_review(&viewer.person, s.ceremony, &s.credential)).await?;
    Ok(Json(json!({ "next": format!("/break-glass/{id}?done=glass-reviewed") })))
}
