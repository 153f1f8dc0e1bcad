use super::{slow_down, welcome};
use crate::{errors::Refusal, guard::Source, layers::own_path, page::JsonOf, state::App};
use anteroom_domain::CeremonyId;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use webauthn_rs_proto::PublicKeyCredential;

#[derive(Debug, Deserialize)]
pub(crate) struct Finish {
    ceremony: CeremonyId,
    credential: PublicKeyCredential,
    #[serde(default)]
    next: String,
}

pub(crate) async fn finish(State(app): State<App>, Source(source): Source, JsonOf(f): JsonOf<Finish>) -> Result<Response, Refusal> {
    slow_down(&app, source)?;
    let signed_in = app.approvals.finish_login(f.ceremony, &f.credential, source).await?;
    Ok(welcome(&app, &signed_in, own_path(&f.next).unwrap_or("/")))
}
