use crate::{
    errors::{Failure, Refusal},
    guard::Viewer,
    page::JsonOf,
    pages::sign_start,
    state::App,
};
use anteroom_approvals::CardForm;
use anteroom_domain::{AccountName, Capabilities, GatewayName, NameError, TargetName};
use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    gateway: String,
    target: String,
    account: String,
    minutes: String,
    days: String,
}

/// The code stays here until the card is signed; the browser gets it when it prints.
pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, JsonOf(w): JsonOf<Wish>) -> Result<Json<Value>, Refusal> {
    let said = |e: NameError| Failure::unprocessable(e.to_string());
    let gateway = GatewayName::new(w.gateway.trim()).map_err(said)?;
    let target = TargetName::new(w.target.trim()).map_err(said)?;
    let account = AccountName::new(w.account.trim()).map_err(said)?;
    let minutes = w.minutes.parse().map_err(|_| Failure::unprocessable("say for how many minutes access lasts"))?;
    let days = w.days.parse().map_err(|_| Failure::unprocessable("say for how many days the card counts"))?;
    // What people do by hand in an emergency, as the target speaks.
    let found = app.approvals.target_by_name(&target).await?;
    let capabilities = found.map_or_else(Capabilities::interactive, |t| Capabilities::usual(t.protocol));
    let form = CardForm { gateway, target, account, capabilities, minutes, days };
    let (start, code) = Box::pin(app.approvals.begin_card(&viewer.person, form)).await?;
    if !app.codes.signing(start.ceremony, &viewer.token, code) {
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many cards are being made at the moment; try again in some minutes"));
    }
    Ok(sign_start(start))
}
