//! A WebAuthn challenge of our own.
//!
//! `webauthn-rs-core` always makes a random challenge and has no call to set one; its state is serde-able, and this
//! is the one place that uses it for that. The version is pinned, and the test below fails if the state's form changes.
use webauthn_rs_core::proto::AuthenticationState;
use webauthn_rs_proto::RequestChallengeResponse;

#[derive(Debug, thiserror::Error)]
#[error("webauthn-rs-core's state has another form than the one this was written for")]
pub(crate) struct UnknownState;

/// Makes `digest` the challenge, in what the browser gets and in what is checked afterwards.
pub(crate) fn with_challenge(
    mut options: RequestChallengeResponse,
    state: &AuthenticationState,
    digest: [u8; 32],
) -> Result<(RequestChallengeResponse, AuthenticationState), UnknownState> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    let mut v = serde_json::to_value(state).map_err(|_| UnknownState)?;
    let challenge = v.get_mut("challenge").filter(|c| c.is_string()).ok_or(UnknownState)?;
    *challenge = B64.encode(digest).into();
    options.public_key.challenge = digest.to_vec();
    Ok((options, serde_json::from_value(v).map_err(|_| UnknownState)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::identity::passkey::Ceremonies;
    use anteroom_domain::PersonId;
    use anteroom_test_authenticator::Authenticator;
    use url::Url;
    use uuid::Uuid;

    #[test]
    fn an_assertion_over_our_digest_passes_and_one_over_another_does_not() {
        let origin = Url::parse("https://gate.example").unwrap();
        let c = Ceremonies::new("gate.example", &origin);
        let mut a = Authenticator::new(origin);
        let (options, state) = c.begin_create(PersonId(Uuid::from_u128(1)), "ada", "Ada", &[]).unwrap();
        let passkey = c.finish_create(&a.create(&options).unwrap(), &state).unwrap();

        let ours = c.begin_get(vec![passkey.clone()], Some([7; 32])).unwrap();
        let other = c.begin_get(vec![passkey.clone()], Some([8; 32])).unwrap();
        assert_eq!(ours.0.public_key.challenge, [7; 32]);
        assert!(c.finish_get(&a.get(&ours.0).unwrap(), &ours.1, passkey.clone()).is_ok());
        assert!(c.finish_get(&a.get(&other.0).unwrap(), &ours.1, passkey).is_err());
    }
}
