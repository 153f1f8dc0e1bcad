use crate::{
    errors::Refusal,
    guard::{Source, Viewer},
    page::JsonOf,
    pages::Signed,
    state::App,
};
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    source: Source,
    JsonOf(s): JsonOf<Signed>,
) -> Result<Json<Value>, Refusal> {
    let grant = Box::pin(app.approvals.finish_break_glass(&viewer.person, s.ceremony, &s.credential, source.0)).await?;
    Ok(Json(json!({ "next": format!("/break-glass/{}?done=glass-broken", grant.request), "grant": grant.id })))
}
