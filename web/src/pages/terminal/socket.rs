//! From a confirmed terminal to its WebSocket. Everything is checked before the connection changes its protocol.
use super::carry::{Carry, FRAME, carry};
use crate::{
    errors::Refusal,
    guard::{Source, Viewer},
    layers::is_own_socket,
    page::{Asked, Id},
    pages::live::Stop,
    state::App,
};
use anteroom_domain::{OpenTerminal, StepUpId};
use axum::{
    Extension,
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use std::time::Instant;

/// Characters; what is not said is 80 by 24.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Size {
    pub(super) cols: u16,
    pub(super) rows: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { cols: 80, rows: 24 }
    }
}

impl Size {
    /// What a screen may be: a terminal of no columns helps nobody, one of sixty thousand costs memory.
    pub(super) fn sane(self) -> Self {
        Self { cols: self.cols.clamp(2, 1_000), rows: self.rows.clamp(2, 500) }
    }
}

#[allow(clippy::too_many_arguments)] // each is a part of the request
pub(crate) async fn socket(
    State(app): State<App>,
    Extension(Stop(stop)): Extension<Stop>,
    viewer: Viewer,
    Source(source): Source,
    headers: HeaderMap,
    Id(id): Id<StepUpId>,
    Asked(size): Asked<Size>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    if !is_own_socket(&headers, &app.origin.text) {
        tracing::warn!("a terminal's socket was asked for by another site and refused");
        return Err(Refusal::new(StatusCode::FORBIDDEN, "this came from another site and was refused"));
    }
    let upgrade = upgrade.map_err(|_| Refusal::new(StatusCode::UPGRADE_REQUIRED, "a terminal is opened by its page, over a WebSocket"))?;
    let door = app.terminals.clone().ok_or_else(Refusal::not_found)?;
    let waiting = app.waiting.take(id, &viewer, source, Instant::now()).ok_or_else(Refusal::not_found)?;
    let size = size.sane();
    let ask = OpenTerminal {
        person: waiting.person,
        target: waiting.target,
        account: waiting.account,
        source: waiting.source,
        step_up: id,
        connection: waiting.connection.to_vec(),
        cols: size.cols,
        rows: size.rows,
    };
    let place = app.open.enter(id, &viewer.token);
    let c = Carry { approvals: app.approvals.clone(), door, viewer, clipboard: app.clipboard, stop, place };
    Ok(upgrade.max_message_size(FRAME).max_frame_size(FRAME).on_upgrade(move |socket| carry(socket, ask, c)))
}
