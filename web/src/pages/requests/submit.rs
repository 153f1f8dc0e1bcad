use super::{
    new::New,
    wish::{Wish, wrong},
};
use crate::{
    errors::Problem,
    guard::{Source, Viewer},
    page::{FormOf, Frame, html_again},
    state::App,
};
use anteroom_approvals::RequestError;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

pub(crate) async fn submit(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Source(source): Source,
    FormOf(wish): FormOf<Wish>,
) -> Result<Response, Problem> {
    let form = match wish.read(frame.now.0) {
        Ok(form) => form,
        Err(bad) => return html_again(&New::form(&app, frame, wish, bad).await?),
    };
    let bad = match app.approvals.submit_request(&viewer.person, form, source).await {
        Ok(request) => return Ok(Redirect::to(&format!("/requests/{}?done=requested", request.id)).into_response()),
        Err(e @ RequestError::NoSuchTarget) => wrong("target", e.to_string()),
        Err(e @ (RequestError::Misfit { .. } | RequestError::NoDesktop { .. })) => wrong("way", e.to_string()),
        Err(e @ RequestError::Window(_)) => wrong(if wish.window == "custom" { "until" } else { "window" }, e.to_string()),
        Err(e @ RequestError::TooMany { .. }) => wrong("reason", e.to_string()),
        Err(e @ (RequestError::Places { .. } | RequestError::SamePlace { .. })) => wrong("also", e.to_string()),
        Err(e @ RequestError::Weeks { .. }) => wrong("weeks", e.to_string()),
        Err(e @ RequestError::TicketMissing) => wrong("ticket", e.to_string()),
        Err(e @ RequestError::NothingToExtend) => wrong("until", e.to_string()),
        Err(e) => return Err(e.into()),
    };
    html_again(&New::form(&app, frame, wish, vec![bad]).await?)
}
