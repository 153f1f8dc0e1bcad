//! For programs. Nobody is signed in here, and a cookie that comes along means nothing.
use crate::{errors::Refusal, guard::Source, moments::iso, page::JsonOf, pages::sign_in::slow_down, state::App};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
pub(crate) struct Ask {
    /// OpenSSH public key line.
    public_key: String,
}

pub(crate) async fn ask(State(app): State<App>, Source(source): Source, JsonOf(a): JsonOf<Ask>) -> Result<Json<Value>, Refusal> {
    slow_down(&app, source)?;
    let asked = app.approvals.ask_certificate(a.public_key.trim(), source).await?;
    Ok(Json(json!({
        "id": asked.id,
        "number": asked.number,
        "link": format!("{}{}", app.origin.text, asked.link_path),
        "token": asked.poll_token.expose(),
        "expires_at": iso(asked.expires_at),
    })))
}
