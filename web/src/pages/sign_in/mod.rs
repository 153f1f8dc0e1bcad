//! In and out by passkey. No name is asked, so there is nothing to enumerate.
pub(crate) mod begin;
pub(crate) mod finish;
pub(crate) mod out;
pub(crate) mod page;

use crate::{errors::Refusal, guard::session_cookie, moments::Now, state::App};
use anteroom_approvals::SignedIn;
use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::{net::IpAddr, time::Instant};

/// Strangers may begin only so many ceremonies.
pub(crate) fn slow_down(app: &App, source: IpAddr) -> Result<(), Refusal> {
    if app.limiter.allow(source, Instant::now()) {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts from your address; wait a minute and try again"))
}

/// The answer that carries a new session's cookie.
pub(crate) fn welcome(app: &App, signed_in: &SignedIn, next: &str) -> Response {
    let cookie = session_cookie(app.origin.secure, signed_in.token.expose(), signed_in.expires_at - Now::read().0);
    ([(header::SET_COOKIE, cookie)], Json(json!({ "next": next }))).into_response()
}
