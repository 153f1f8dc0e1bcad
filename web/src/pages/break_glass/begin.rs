use crate::{
    errors::{Failure, Refusal},
    guard::{Source, Viewer},
    page::JsonOf,
    pages::sign_start,
    state::App,
};
use anteroom_approvals::BreakGlassForm;
use anteroom_domain::{AccountName, Capabilities, NameError, Reason, TargetName};
use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Wish {
    target: String,
    account: String,
    reason: String,
    minutes: String,
}

pub(crate) async fn begin(State(app): State<App>, viewer: Viewer, source: Source, JsonOf(w): JsonOf<Wish>) -> Result<Json<Value>, Refusal> {
    let said = |e: NameError| Failure::unprocessable(e.to_string());
    let target = TargetName::new(w.target.trim()).map_err(said)?;
    let account = AccountName::new(w.account.trim()).map_err(said)?;
    let reason = Reason::new(w.reason.replace("\r\n", "\n")).map_err(said)?;
    let minutes: u16 = w.minutes.parse().map_err(|_| Failure::unprocessable("say for how many minutes"))?;
    // What people do by hand in an emergency, as the target speaks.
    let found = app.approvals.target_for(&viewer.person, &target).await?;
    let capabilities = found.map_or_else(Capabilities::interactive, |t| Capabilities::usual(t.protocol));
    let form = BreakGlassForm { target, account, reason, length: time::Duration::minutes(minutes.into()), capabilities };
    Ok(sign_start(Box::pin(app.approvals.begin_break_glass(&viewer.person, form, source.0)).await?))
}
