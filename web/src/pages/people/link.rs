use super::show::Show;
use crate::{
    errors::Problem,
    guard::Viewer,
    page::{Frame, Id, html},
    state::App,
};
use anteroom_domain::PersonId;
use axum::{extract::State, response::Response};
use std::time::Duration;

/// Long enough to be handed over on the same day.
const LINK_LIVES: Duration = Duration::from_secs(24 * 3600);

/// Answers with the page itself, not a redirect: the token must be in no URL that a server sees, and is shown only now.
pub(crate) async fn make(State(app): State<App>, frame: Frame, viewer: Viewer, Id(id): Id<PersonId>) -> Result<Response, Problem> {
    let token = app.approvals.make_enrol_link(Some(viewer.person.id), id, LINK_LIVES).await?;
    let link = format!("{}/enrol#{}", app.origin.text, token.expose());
    html(&Show::page(&app, frame, id, Some(link)).await?)
}
