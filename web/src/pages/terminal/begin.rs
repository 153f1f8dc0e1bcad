//! Asks a passkey to confirm this one terminal.
use super::{FINGERPRINT, Place, grant, waiting::Waiting};
use crate::{
    errors::{Problem, Refusal},
    guard::{Source, Viewer},
    state::App,
};
use anteroom_approvals::AskStepUp;
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};
use std::time::Instant;

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Path(place): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let place = Place::read(&place).ok_or_else(Refusal::not_found)?;
    if grant(&app, &viewer, &place).await.map_err(Problem::refusal)?.is_none() {
        return Err(Refusal::not_found());
    }
    let busy = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many terminals are being opened; try again in a moment");
    let id = match app.waiting.again(&viewer, &place, source, Instant::now()) {
        Some(id) => id,
        None => {
            let mut connection = [0; 32];
            getrandom::fill(&mut connection).map_err(|_| busy())?;
            let ask = AskStepUp {
                person: viewer.person.id,
                ssh_session_id: connection.to_vec(),
                fingerprint: FINGERPRINT.into(),
                target: place.target.clone(),
                account: place.account.clone(),
                source,
            };
            let id = app.approvals.ask_step_up(ask).await?.id;
            let now = Instant::now();
            if !app.waiting.add(id, Waiting::new(&viewer, &place, source, connection, now), now) {
                return Err(busy());
            }
            id
        }
    };
    let start = app.approvals.begin_step_up(&viewer.person, id).await?;
    Ok(Json(json!({ "terminal": id, "ceremony": start.ceremony, "options": start.options, "content": start.content })))
}
