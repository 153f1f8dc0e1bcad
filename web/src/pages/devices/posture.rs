//! A device manager says what state somebody's machine is in. Running sessions of the person are judged again at once.
use crate::{
    errors::{Failure, Refusal},
    guard::Source,
    page::bounded_to,
    state::App,
};
use anteroom_approvals::PostureError;
use anteroom_posture::{Envelope, MAX_BYTES, ReportError};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
};
use std::time::Instant;

/// Whoever has not signed is told nothing but how to sign: not whether there is such a person, machine or feed.
pub(crate) async fn post(State(app): State<App>, Source(source): Source, request: Request) -> Result<StatusCode, Refusal> {
    if !app.polls.allow(source, Instant::now()) {
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many messages from your address; wait a minute and try again"));
    }
    let (parts, body) = bounded_to(request, MAX_BYTES, "A report has at most 16 KiB; this one was not looked at.").await?;
    let envelope = Envelope {
        id: header(&parts.headers, "webhook-id"),
        timestamp: header(&parts.headers, "webhook-timestamp"),
        signature: header(&parts.headers, "webhook-signature"),
        body: &body,
    };
    match app.approvals.report_posture(envelope).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(e) => Err(failure(e).into()),
    }
}

/// One only: of two nobody knows which was signed.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    let mut all = headers.get_all(name).iter();
    match (all.next().and_then(|h| h.to_str().ok()), all.next()) {
        (Some(value), None) => value,
        _ => "",
    }
}

fn failure(e: PostureError) -> Failure {
    let text = e.to_string();
    let status = match e {
        PostureError::Store(e) => return crate::errors::Explain::failure(e),
        PostureError::NotSigned | PostureError::Stale => StatusCode::UNAUTHORIZED,
        PostureError::Report(ReportError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        PostureError::Report(_) | PostureError::NoSuchPerson | PostureError::Future => StatusCode::UNPROCESSABLE_ENTITY,
        PostureError::NotNewer | PostureError::OtherFeed | PostureError::TooMany => StatusCode::CONFLICT,
    };
    Failure { status, text }
}
