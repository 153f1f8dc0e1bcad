//! The second officer.
use crate::{
    errors::Refusal,
    guard::Viewer,
    page::{Id, JsonOf},
    pages::{Signed, sign_start},
    state::App,
};
use anteroom_domain::CardId;
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, Id(id): Id<CardId>) -> Result<Json<Value>, Refusal> {
    Ok(sign_start(Box::pin(app.approvals.begin_countersign(&viewer.person, id)).await?))
}

pub(crate) async fn finish(State(app): State<App>, viewer: Viewer, JsonOf(s): JsonOf<Signed>) -> Result<Json<Value>, Refusal> {
    let card = Box::pin(app.approvals.finish_countersign(&viewer.person, s.ceremony, &s.credential)).await?;
    Ok(Json(json!({ "next": format!("/cards/{card}?done=card-valid") })))
}
