//! For load balancers and systemd: is the portal up, and does the database answer?
use crate::state::App;
use axum::{extract::State, http::StatusCode, response::IntoResponse};

pub(crate) async fn show(State(app): State<App>) -> impl IntoResponse {
    if app.approvals.healthy().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    }
}
