use crate::{errors::Refusal, guard::Viewer, page::JsonOf, pages::Signed, state::App};
use axum::{Json, extract::State, http::StatusCode};
use serde_json::{Value, json};

pub(crate) async fn finish(State(app): State<App>, viewer: Viewer, JsonOf(s): JsonOf<Signed>) -> Result<Json<Value>, Refusal> {
    // Without its code a card would be worth nothing: not made at all is better.
    if !app.codes.knows(s.ceremony, &viewer.token) {
        return Err(Refusal::new(StatusCode::GONE, "this took too long or was sent twice; please start again"));
    }
    let card = Box::pin(app.approvals.finish_card(&viewer.person, s.ceremony, &s.credential)).await?;
    app.codes.signed(s.ceremony, &viewer.token, card);
    Ok(Json(json!({ "next": format!("/cards/{card}?done=card-begun"), "card": card })))
}
