use crate::{
    errors::Refusal,
    guard::Source,
    moments::iso,
    page::{Id, JsonOf},
    state::App,
};
use anteroom_approvals::CertificatePoll;
use anteroom_domain::CertificateAskId;
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Instant;

/// No `Debug`: whoever has the token gets the certificate.
#[derive(Deserialize)]
pub(crate) struct Poll {
    token: String,
}

pub(crate) async fn poll(
    State(app): State<App>,
    Source(source): Source,
    Id(id): Id<CertificateAskId>,
    JsonOf(p): JsonOf<Poll>,
) -> Result<Json<Value>, Refusal> {
    // Counted apart from signing in: programs that wait shall not keep people out who share their address.
    if !app.polls.allow(source, Instant::now()) {
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many questions from your address; wait a minute and try again"));
    }
    Ok(Json(match app.approvals.poll_certificate(id, &p.token).await? {
        CertificatePoll::Pending => json!({ "state": "pending" }),
        CertificatePoll::Refused => json!({ "state": "refused" }),
        CertificatePoll::Expired => json!({ "state": "expired" }),
        CertificatePoll::Ready { certificate, until } => {
            json!({ "state": "ready", "certificate": certificate, "until": iso(until) })
        }
    }))
}
