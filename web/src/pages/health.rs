//! For load balancers, systemd and monitoring: is the portal up, does the database answer, and are new sessions taken?
use crate::state::App;
use axum::{extract::State, http::StatusCode, response::IntoResponse};

/// What may wait, waits: a portal that answers is up although no new session can be recorded. The second line says that.
pub(crate) async fn show(State(app): State<App>) -> impl IntoResponse {
    if !app.approvals.healthy().await {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    // How full a disk is, is for people who are signed in.
    match refusal(&app).await {
        None => (StatusCode::OK, "ok\n"),
        Some(_) => (StatusCode::OK, "ok\nnew sessions are refused: there is no room to record them\n"),
    }
}

/// Why no new session is taken.
pub(super) async fn refusal(app: &App) -> Option<String> {
    let control = app.control.clone();
    tokio::task::spawn_blocking(move || control.refusal()).await.unwrap_or_default()
}
