//! One folder a question, one file an action.
pub(crate) mod absence;
pub(crate) mod allowed;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod break_glass;
pub(crate) mod cards;
pub(crate) mod companies;
mod confirmation;
pub(crate) mod desktop;
pub(crate) mod devices;
pub(crate) mod enrol;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod keys;
pub(crate) mod live;
pub(crate) mod locks;
pub(crate) mod login;
pub(crate) mod names;
pub(crate) mod notices;
pub(crate) mod offered;
pub(crate) mod people;
pub(crate) mod policies;
pub(crate) mod recordings;
pub(crate) mod requests;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod step_up;
pub(crate) mod supervise;
pub(crate) mod targets;
pub(crate) mod terminal;
pub(crate) mod unmask;

use anteroom_approvals::SignStart;
use anteroom_domain::CeremonyId;
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use webauthn_rs_proto::PublicKeyCredential;

/// The end of a signature: which ceremony, and what the passkey made.
#[derive(Debug, Deserialize)]
pub(crate) struct Signed {
    pub(crate) ceremony: CeremonyId,
    pub(crate) credential: PublicKeyCredential,
}

/// The start of a signature as the browser's script expects it.
fn sign_start(start: SignStart) -> Json<Value> {
    Json(json!({ "ceremony": start.ceremony, "options": start.options, "content": start.content }))
}
