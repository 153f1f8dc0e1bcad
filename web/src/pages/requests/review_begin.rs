use crate::{
    errors::{Failure, Refusal},
    guard::Viewer,
    page::{Id, JsonOf},
    pages::sign_start,
    state::App,
};
use anteroom_approvals::Answer;
use anteroom_domain::{Comment, NameError, RequestId, content::Verdict};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Begin {
    verdict: Verdict,
    /// Needed to deny.
    #[serde(default)]
    comment: String,
}

impl Begin {
    fn answer(self) -> Result<Answer, Refusal> {
        let comment = || Comment::new(self.comment.replace("\r\n", "\n").trim());
        match self.verdict {
            Verdict::Approve => Ok(Answer::Approve),
            Verdict::Deny => comment().map(|comment| Answer::Deny { comment }).map_err(|e| match e {
                NameError::Empty { .. } => Failure::unprocessable("say why you deny this; the requester reads it").into(),
                e => Failure::unprocessable(e.to_string()).into(),
            }),
        }
    }
}

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Id(id): Id<RequestId>,
    JsonOf(b): JsonOf<Begin>,
) -> Result<Json<Value>, Refusal> {
    Ok(sign_start(Box::pin(app.approvals.begin_review(&viewer.person, id, b.answer()?)).await?))
}
