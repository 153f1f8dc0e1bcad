//! The passkey has confirmed: a ticket is made and shown. This answer is the only place where its secret ever stands.
use super::file;
use crate::{
    errors::{Problem, Refusal},
    guard::{Source, Viewer},
    moments::iso,
    page::{Id, JsonOf},
    pages::confirmation,
    state::App,
};
use anteroom_domain::{CeremonyId, GrantId, StepUpId};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use std::time::Instant;
use webauthn_rs_proto::PublicKeyCredential;

#[derive(Debug, Deserialize)]
pub(crate) struct Confirmed {
    confirmation: StepUpId,
    ceremony: CeremonyId,
    credential: PublicKeyCredential,
}

/// No `Debug`: it holds a secret.
#[derive(Serialize)]
pub(crate) struct Shown {
    /// The user name.
    name: String,
    secret: String,
    ends: String,
    /// Content and name of the `.rdp` file, which holds no secret.
    file: String,
    file_name: String,
}

pub(crate) async fn finish(
    State(app): State<App>,
    viewer: Viewer,
    Source(source): Source,
    Id(id): Id<GrantId>,
    JsonOf(c): JsonOf<Confirmed>,
) -> Result<Json<Shown>, Refusal> {
    let (grant, rdp) = super::grant(&app, &viewer, id).await.map_err(Problem::refusal)?.ok_or_else(Refusal::not_found)?;
    confirmation::finish(&app, &app.desktops, &viewer, source, c.confirmation, (c.ceremony, &c.credential)).await?;
    app.desktops.take(c.confirmation, &viewer, source, Instant::now()).ok_or_else(Refusal::not_found)?;
    let ticket = app.approvals.issue_ticket(&viewer.person, c.confirmation, grant.id, source).await?;
    Ok(Json(Shown {
        secret: ticket.secret.expose().clone(),
        ends: iso(ticket.expires_at),
        file: file::rdp(rdp, &ticket.name, &grant.capabilities),
        file_name: format!("{}.rdp", grant.target_name),
        name: ticket.name,
    }))
}
