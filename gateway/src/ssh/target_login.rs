//! Signing in on a target with what the vault holds for the account, or with a certificate made for this session.
use super::upstream::Upstream;
use anteroom_approvals::{Approvals, Credential, PromptAnswer, Relay};
use anteroom_domain::AccountName;
use anteroom_policy::Permit;
use russh::{
    client::{self, AuthResult, KeyboardInteractiveAuthResponse},
    keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg, key::safe_rng},
};
use std::sync::Arc;

/// Rounds of prompts a target gets.
const MAX_ROUNDS: usize = 8;

pub(super) enum LoginError {
    BadKey,
    Certificate(String),
    Protocol(russh::Error),
}

impl From<russh::Error> for LoginError {
    fn from(e: russh::Error) -> Self {
        Self::Protocol(e)
    }
}

/// Signs in on the permit's target, or on a relay in front of it. False if that did not accept it.
pub(super) async fn log_in(
    handle: &mut client::Handle<Upstream>,
    approvals: &Approvals,
    (permit, relay): (&Permit, Option<&Relay>),
    account: &AccountName,
    credential: &Credential,
) -> Result<bool, LoginError> {
    let login = account.as_str();
    match credential {
        Credential::PrivateKey(pem) => {
            let key = PrivateKey::from_openssh(pem.expose()).map_err(|_| LoginError::BadKey)?;
            let hash = if key.algorithm().is_rsa() { handle.best_supported_rsa_hash().await?.flatten() } else { None };
            Ok(handle.authenticate_publickey(login, PrivateKeyWithHashAlg::new(Arc::new(key), hash)).await?.success())
        }
        Credential::Password(password) => {
            match handle.authenticate_password(login, password.expose().as_str()).await? {
                AuthResult::Success => return Ok(true),
                AuthResult::Failure { remaining_methods, .. } if remaining_methods.contains(&russh::MethodKind::KeyboardInteractive) => {}
                AuthResult::Failure { .. } => return Ok(false),
            }
            // Many devices ask for the same password by keyboard-interactive: one hidden prompt, answered once.
            let mut given = false;
            interactive(handle, login, |prompt, echo| {
                (!echo && !std::mem::replace(&mut given, true)).then(|| password.expose().clone()).filter(|_| !prompt.is_empty())
            })
            .await
        }
        Credential::Prompts(answers) => {
            let mut left: Vec<&PromptAnswer> = answers.iter().collect();
            interactive(handle, login, |prompt, _| {
                let prompt = prompt.to_lowercase();
                let found = left.iter().position(|a| prompt.contains(&a.prompt.to_lowercase()))?;
                // Each once: a prompt that comes again says that the answer was wrong.
                Some(left.remove(found).answer.expose().clone())
            })
            .await
        }
        Credential::GatewayCa => {
            // A key that lives as long as this login: nothing that could be stolen stands anywhere.
            let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(|_| LoginError::BadKey)?;
            let certificate = match relay {
                // It lets through, and no more: whoever got hold of it had no shell there.
                Some(relay) => approvals.sign_relay_certificate(permit, relay, key.public_key()).await,
                None => approvals.sign_target_certificate(permit, key.public_key()).await,
            };
            let certificate = certificate.map_err(|e| LoginError::Certificate(e.to_string()))?;
            Ok(handle.authenticate_openssh_cert(login, Arc::new(key), certificate).await?.success())
        }
    }
}

/// Answers prompts (RFC 4256) from what `answer` has for them; a prompt without an answer ends it.
async fn interactive(
    handle: &mut client::Handle<Upstream>,
    account: &str,
    mut answer: impl FnMut(&str, bool) -> Option<String>,
) -> Result<bool, LoginError> {
    let mut state = handle.authenticate_keyboard_interactive_start(account, None).await?;
    for _ in 0..MAX_ROUNDS {
        let answers = match &state {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                prompts.iter().map(|p| answer(&p.prompt, p.echo)).collect::<Option<Vec<String>>>()
            }
        };
        let Some(answers) = answers else { return Ok(false) };
        state = handle.authenticate_keyboard_interactive_respond(answers).await?;
    }
    Ok(false)
}
