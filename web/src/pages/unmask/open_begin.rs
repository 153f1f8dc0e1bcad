use super::held::Full;
use crate::{errors::Refusal, guard::Viewer, page::Id, pages::sign_start, state::App};
use anteroom_domain::UnmaskId;
use anteroom_recorder::unmask::Recipient;
use axum::{Json, extract::State, http::StatusCode};
use serde_json::Value;

pub(super) fn not_set_up() -> Refusal {
    Refusal::new(StatusCode::CONFLICT, "unmasking is not set up at this portal; ask your operator")
}

pub(super) fn full(Full: Full) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many recordings are being watched unmasked at the moment; try again later")
}

/// A fresh key for this one viewing goes into what the requester signs.
pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, Id(id): Id<UnmaskId>) -> Result<Json<Value>, Refusal> {
    if app.unsealer.is_none() {
        return Err(not_set_up());
    }
    let recipient = Recipient::generate().map_err(|e| {
        tracing::error!(error = %e, "no key for a viewing");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "no key could be made for this viewing")
    })?;
    let start = Box::pin(app.approvals.begin_unmask_opening(&viewer.person, id, recipient.line())).await?;
    app.held.wait(start.ceremony, viewer.person.id, &viewer.token, recipient).map_err(full)?;
    Ok(sign_start(start))
}
