use crate::{errors::Refusal, guard::Viewer, page::Id, pages::sign_start, state::App};
use anteroom_domain::StepUpId;
use axum::{Json, extract::State};
use serde_json::Value;

pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, Id(id): Id<StepUpId>) -> Result<Json<Value>, Refusal> {
    Ok(sign_start(app.approvals.begin_step_up(&viewer.person, id).await?))
}
