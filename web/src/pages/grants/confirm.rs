use crate::{
    errors::Problem,
    page::{Frame, Id, html},
    pages::names::Names,
    state::App,
};
use anteroom_domain::{Grant, GrantId, GrantState};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "grant_revoke.html")]
struct Confirm {
    frame: Frame,
    grant: Grant,
    names: Names,
    over: bool,
    /// Sessions under it on this gateway, now.
    sessions: usize,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Id(id): Id<GrantId>) -> Result<Response, Problem> {
    let grant = app.approvals.grant(id).await?.ok_or_else(Problem::not_found)?;
    let names = Names::of(&app, vec![grant.person]).await?;
    let over = matches!(grant.state(frame.now.0), GrantState::Revoked | GrantState::Expired);
    let sessions = app.control.list().iter().filter(|s| s.grant == id).count();
    html(&Confirm { frame, grant, names, over, sessions })
}
