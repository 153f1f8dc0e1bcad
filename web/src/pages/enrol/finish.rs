use crate::{
    errors::Refusal,
    guard::Source,
    page::JsonOf,
    pages::sign_in::{slow_down, welcome},
    state::App,
};
use anteroom_domain::CeremonyId;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use webauthn_rs_proto::RegisterPublicKeyCredential;

#[derive(Debug, Deserialize)]
pub(crate) struct Finish {
    ceremony: CeremonyId,
    credential: RegisterPublicKeyCredential,
    label: String,
}

pub(crate) async fn finish(State(app): State<App>, Source(source): Source, JsonOf(f): JsonOf<Finish>) -> Result<Response, Refusal> {
    slow_down(&app, source)?;
    let signed_in = app.approvals.finish_enrol(f.ceremony, &f.credential, f.label.trim(), source).await?;
    Ok(welcome(&app, &signed_in, "/?done=welcome"))
}
