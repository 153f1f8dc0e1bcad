//! Asks a passkey to confirm this one connection.
use crate::{
    errors::{Problem, Refusal},
    guard::{Source, Viewer},
    page::Id,
    pages::terminal::waiting::Waiting,
    state::App,
};
use anteroom_approvals::{AskStepUp, RDP_FINGERPRINT};
use anteroom_domain::GrantId;
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};
use std::time::Instant;

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<GrantId>,
) -> Result<Json<Value>, Refusal> {
    let (grant, _) = super::grant(&app, &viewer, id).await.map_err(Problem::refusal)?.ok_or_else(Refusal::not_found)?;
    let place = super::place(&grant);
    let busy = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many connections are being opened; try again in a moment");
    let confirmation = match app.desktops.again(&viewer, &place, source, Instant::now()) {
        Some(id) => id,
        None => {
            let mut connection = [0; 32];
            getrandom::fill(&mut connection).map_err(|_| busy())?;
            let ask = AskStepUp {
                person: viewer.person.id,
                ssh_session_id: connection.to_vec(),
                fingerprint: RDP_FINGERPRINT.into(),
                target: place.target.clone(),
                account: place.account.clone(),
                source,
            };
            let id = app.approvals.ask_step_up(ask).await?.id;
            let now = Instant::now();
            if !app.desktops.add(id, Waiting::new(&viewer, &place, source, connection, now), now) {
                return Err(busy());
            }
            id
        }
    };
    let start = app.approvals.begin_step_up(&viewer.person, confirmation).await?;
    Ok(Json(json!({ "confirmation": confirmation, "ceremony": start.ceremony, "options": start.options, "content": start.content })))
}
