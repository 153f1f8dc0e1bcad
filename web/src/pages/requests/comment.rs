use crate::{
    errors::{Failure, Problem},
    guard::Viewer,
    page::{FormOf, Id},
    state::App,
};
use anteroom_domain::{Comment, RequestId};
use axum::{extract::State, response::Redirect};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Written {
    text: String,
}

/// Who may write is asked by the call: the requester, and approvers.
pub(crate) async fn add(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<RequestId>,
    FormOf(w): FormOf<Written>,
) -> Result<Redirect, Problem> {
    let text = Comment::new(w.text.replace("\r\n", "\n").trim()).map_err(|e| Failure::unprocessable(e.to_string()))?;
    app.approvals.comment_request(&viewer.person, id, text).await?;
    Ok(Redirect::to(&format!("/requests/{id}?done=commented")))
}
