//! A certificate for a key that somebody pastes on the page of their keys: the browser is the program that asks.
use crate::{
    errors::Refusal,
    guard::{Source, Viewer},
    moments::iso,
    page::JsonOf,
    pages::sign_in::slow_down,
    state::App,
};
use anteroom_approvals::CertificatePoll;
use anteroom_domain::{CeremonyId, CertificateAskId};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use webauthn_rs_proto::PublicKeyCredential;

#[derive(Debug, Deserialize)]
pub(crate) struct Begin {
    line: String,
}

pub(crate) async fn begin(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    JsonOf(b): JsonOf<Begin>,
) -> Result<Json<Value>, Refusal> {
    slow_down(&app, source)?;
    let asked = app.approvals.ask_certificate(b.line.trim(), source).await?;
    let start = app.approvals.begin_certificate(&viewer.person, asked.id).await?;
    let keep = json!({ "id": asked.id, "token": asked.poll_token.expose() });
    Ok(Json(json!({ "ceremony": start.ceremony, "options": start.options, "content": start.content, "keep": keep })))
}

#[derive(Deserialize)]
pub(crate) struct Finish {
    ceremony: CeremonyId,
    credential: PublicKeyCredential,
    keep: Keep,
}

#[derive(Deserialize)]
struct Keep {
    id: CertificateAskId,
    token: String,
}

pub(crate) async fn finish(State(app): State<App>, viewer: Viewer, JsonOf(f): JsonOf<Finish>) -> Result<Json<Value>, Refusal> {
    Box::pin(app.approvals.finish_certificate(&viewer.person, f.ceremony, &f.credential)).await?;
    match app.approvals.poll_certificate(f.keep.id, &f.keep.token).await? {
        CertificatePoll::Ready { certificate, until } => Ok(Json(json!({ "show": certificate, "until": iso(until) }))),
        _ => Err(Refusal::new(StatusCode::CONFLICT, "this certificate is not here; start again")),
    }
}
