//! A nurses' station or a location system says whether a patient depends on a device. Running sessions on it are judged again at once.
use crate::{errors::Refusal, guard::Source, page::JsonOf, state::App};
use anteroom_approvals::ManageError;
use anteroom_domain::{ClinicalUse, TargetName};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
};
use serde::Deserialize;
use std::time::Instant;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    state: ClinicalUse,
}

/// Whoever has no token is told nothing, not even whether there is such a device.
pub(crate) async fn put(
    State(app): State<App>,
    Source(source): Source,
    Path(name): Path<String>,
    headers: HeaderMap,
    JsonOf(said): JsonOf<Said>,
) -> Result<StatusCode, Refusal> {
    if !app.polls.allow(source, Instant::now()) {
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many questions from your address; wait a minute and try again"));
    }
    let who = || Refusal::new(StatusCode::UNAUTHORIZED, "send the token that \"anteroom feed add\" printed: Authorization: Bearer TOKEN");
    let no_such = || Refusal::new(StatusCode::NOT_FOUND, "there is no such device");
    let token = headers.get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()).and_then(|h| h.strip_prefix("Bearer ")).ok_or_else(who)?;
    let name = TargetName::new(name).map_err(|_| who())?;
    match app.approvals.report_clinical_use(token, &name, said.state).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(ManageError::NotAllowed) => Err(who()),
        Err(ManageError::NoSuch(_)) => Err(no_such()),
        Err(e) => Err(e.into()),
    }
}
