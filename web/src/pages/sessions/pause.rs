use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::SessionId;
use axum::{extract::State, response::Redirect};

/// Through the database, so that it is audited and reaches whichever gateway runs the session; and directly, which is faster here. One
/// click, unlike an end: nothing is lost by it.
pub(crate) async fn pause(State(app): State<App>, viewer: Viewer, Id(id): Id<SessionId>) -> Result<Redirect, Problem> {
    app.approvals.order_pause(id, viewer.person.id).await?;
    app.control.pause(id, viewer.person.id);
    Ok(Redirect::to("/sessions?done=paused"))
}

pub(crate) async fn resume(State(app): State<App>, viewer: Viewer, Id(id): Id<SessionId>) -> Result<Redirect, Problem> {
    app.approvals.order_resume(id, viewer.person.id).await?;
    app.control.resume(id, viewer.person.id);
    Ok(Redirect::to("/sessions?done=resumed"))
}
