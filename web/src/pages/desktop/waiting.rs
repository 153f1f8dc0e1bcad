//! Whether the person's own desktop waits for a supervisor: an RDP client can only show that it is connecting.
use crate::{errors::Refusal, guard::Viewer, page::Id, state::App};
use anteroom_approvals::Watching;
use anteroom_domain::GrantId;
use axum::{Json, extract::State};
use serde_json::{Value, json};

/// `lobby`, `watched`, `unwatched`; null: nothing runs under this grant that has to be watched.
pub(crate) async fn waiting(State(app): State<App>, viewer: Viewer, Id(id): Id<GrantId>) -> Result<Json<Value>, Refusal> {
    let mut state = None;
    for (session, watching) in app.approvals.to_supervise().await? {
        let Some(s) = app.approvals.session(session).await? else { continue };
        if s.grant == id && s.person == viewer.person.id {
            state = Some(match watching {
                Watching::Lobby => "lobby",
                Watching::Watched => "watched",
                Watching::Unwatched => "unwatched",
            });
        }
    }
    Ok(Json(json!({ "state": state })))
}
