//! Asks a passkey to confirm this one connection.
use crate::{
    errors::{Problem, Refusal},
    guard::{Source, Viewer},
    page::Id,
    pages::confirmation,
    state::App,
};
use anteroom_approvals::RDP_FINGERPRINT;
use anteroom_domain::GrantId;
use axum::{Json, extract::State};
use serde_json::{Value, json};

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<GrantId>,
) -> Result<Json<Value>, Refusal> {
    let (grant, _) = super::grant(&app, &viewer, id).await.map_err(Problem::refusal)?.ok_or_else(Refusal::not_found)?;
    let place = super::place(&grant);
    let (id, start) = confirmation::begin(&app, &app.desktops, &viewer, &place, source, RDP_FINGERPRINT).await?;
    Ok(Json(json!({ "confirmation": id, "ceremony": start.ceremony, "options": start.options, "content": start.content })))
}
