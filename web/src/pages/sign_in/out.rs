use crate::{
    errors::Problem,
    guard::{Viewer, session_cookie},
    state::App,
};
use axum::{
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Redirect, Response},
};

pub(crate) async fn sign_out(State(app): State<App>, viewer: Viewer) -> Result<Response, Problem> {
    app.approvals.sign_out(viewer.token.expose()).await?;
    app.open.signed_out(&viewer.token);
    app.held.signed_out(&viewer.token);
    app.codes.signed_out(&viewer.token);
    let gone = session_cookie(app.origin.secure, "", time::Duration::ZERO);
    // The browser also forgets what it kept of our pages, for the next person at a shared machine.
    let clear = (HeaderName::from_static("clear-site-data"), "\"cache\"".to_owned());
    Ok(([(header::SET_COOKIE, gone), clear], Redirect::to("/sign-in?done=signed-out")).into_response())
}
