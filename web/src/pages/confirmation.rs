//! A passkey confirms one connection that the portal opens or makes a ticket for: asked once, used once, by the browser that asked.
use super::terminal::{
    Place,
    waiting::{Room, Waiting},
};
use crate::{errors::Refusal, guard::Viewer, state::App};
use anteroom_approvals::{AskStepUp, SignStart, StepUpState};
use anteroom_domain::{CeremonyId, StepUpId};
use axum::http::StatusCode;
use std::{net::IpAddr, time::Instant};
use webauthn_rs_proto::PublicKeyCredential;

/// A new connection's confirmation, or the one that this browser asked for a moment ago.
pub(crate) async fn begin(
    app: &App,
    room: &Room,
    viewer: &Viewer,
    place: &Place,
    source: IpAddr,
    fingerprint: &str,
) -> Result<(StepUpId, SignStart), Refusal> {
    let busy = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many connections are being opened; try again in a moment");
    let id = match room.again(viewer, place, source, Instant::now()) {
        Some(id) => id,
        None => {
            let mut connection = [0; 32];
            getrandom::fill(&mut connection).map_err(|_| busy())?;
            let ask = AskStepUp {
                person: viewer.person.id,
                ssh_session_id: connection.to_vec(),
                fingerprint: fingerprint.into(),
                target: place.target.clone(),
                account: place.account.clone(),
                source,
            };
            let id = app.approvals.ask_step_up(ask).await?.id;
            let now = Instant::now();
            if !room.add(id, Waiting::new(viewer, place, source, connection, now), now) {
                return Err(busy());
            }
            id
        }
    };
    Ok((id, app.approvals.begin_step_up(&viewer.person, id).await?))
}

/// The passkey's answer. Afterwards it can be taken from the room, once.
pub(crate) async fn finish(
    app: &App,
    room: &Room,
    viewer: &Viewer,
    source: IpAddr,
    id: StepUpId,
    (ceremony, credential): (CeremonyId, &PublicKeyCredential),
) -> Result<(), Refusal> {
    if !room.is_of(id, viewer, source, Instant::now()) {
        return Err(Refusal::not_found());
    }
    app.approvals.finish_step_up(&viewer.person, ceremony, credential).await?;
    // The ceremony says itself what it confirmed; it may have been another connection of this person.
    let view = app.approvals.step_up(&viewer.person, id).await?;
    if view.is_none_or(|v| v.state != StepUpState::Passed) {
        return Err(Refusal::not_found());
    }
    room.confirm(id);
    Ok(())
}
