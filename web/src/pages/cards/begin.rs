use crate::{
    errors::{Failure, Refusal},
    guard::Viewer,
    page::JsonOf,
    pages::{requests::choice::Choice, sign_start},
    state::App,
};
use anteroom_approvals::CardForm;
use anteroom_domain::{AccountName, GatewayName, NameError, TargetName};
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
    /// What it allows; if the form says nothing of it, a shell and commands.
    #[serde(flatten)]
    choice: Choice,
}

/// The code stays here until the card is signed; the browser gets it when it prints.
pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, JsonOf(w): JsonOf<Wish>) -> Result<Json<Value>, Refusal> {
    let said = |e: NameError| Failure::unprocessable(e.to_string());
    let gateway = GatewayName::new(w.gateway.trim()).map_err(said)?;
    let target = TargetName::new(w.target.trim()).map_err(said)?;
    let account = AccountName::new(w.account.trim()).map_err(said)?;
    let minutes = w.minutes.parse().map_err(|_| Failure::unprocessable("say for how many minutes access lasts"))?;
    let days = w.days.parse().map_err(|_| Failure::unprocessable("say for how many days the card counts"))?;
    let mut wrong = Vec::new();
    let capabilities = w.choice.read(&mut wrong).ok_or_else(|| {
        let why = wrong.into_iter().next().map_or_else(|| "say what the card allows".to_owned(), |w| w.text);
        Failure::unprocessable(why)
    })?;
    let form = CardForm { gateway, target, account, capabilities, minutes, days };
    let (start, code) = Box::pin(app.approvals.begin_card(&viewer.person, form)).await?;
    if !app.codes.signing(start.ceremony, &viewer.token, code) {
        return Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many cards are being made at the moment; try again in some minutes"));
    }
    Ok(sign_start(start))
}
