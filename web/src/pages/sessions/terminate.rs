use crate::{errors::Problem, guard::Viewer, page::Id, state::App};
use anteroom_domain::SessionId;
use axum::{extract::State, response::Redirect};

/// Through the database, so that it is audited and reaches whichever gateway runs the session; and directly, which is faster here.
pub(crate) async fn terminate(State(app): State<App>, viewer: Viewer, Id(id): Id<SessionId>) -> Result<Redirect, Problem> {
    app.approvals.order_terminate(id, viewer.person.id).await?;
    app.control.terminate(id, viewer.person.id);
    Ok(Redirect::to("/sessions?done=terminated"))
}
