//! WebAuthn without a database: options out, answers checked.
//!
//! Every assertion is checked twice: by webauthn-rs-core, and by our own few lines that also check evidence offline
//! (`verify`). The second one looks at `crossOrigin`, which the first does not for assertions.
use super::swap;
use crate::{SignError, evidence::AssertionEvidence, verify};
use anteroom_domain::PersonId;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use std::time::Duration;
use url::Url;
use webauthn_rs_core::{
    WebauthnCore,
    error::WebauthnError,
    proto::{AuthenticationState, Credential, RegistrationState, UserVerificationPolicy},
};
use webauthn_rs_proto::{
    AttestationConveyancePreference, CreationChallengeResponse, CredProtect, CredentialProtectionPolicy, PublicKeyCredential,
    RegisterPublicKeyCredential, RequestChallengeResponse, RequestRegistrationExtensions,
};

/// How long a browser may take; the stored ceremony lives as long.
pub(crate) const CEREMONY: time::Duration = time::Duration::minutes(3);

pub(crate) struct Ceremonies {
    core: WebauthnCore,
    rp_id: String,
    origin: String,
}

impl Ceremonies {
    pub(crate) fn new(rp_id: &str, origin: &Url) -> Self {
        let timeout = Duration::from_secs(CEREMONY.whole_seconds().unsigned_abs());
        Self {
            core: WebauthnCore::new_unsafe_experts_only("Anteroom", rp_id, vec![origin.clone()], timeout, Some(false), Some(false)),
            rp_id: rp_id.into(),
            origin: origin.origin().ascii_serialization(),
        }
    }

    /// Options for a new discoverable credential with user verification; `held` are the person's ids so far.
    pub(crate) fn begin_create(
        &self,
        person: PersonId,
        handle: &str,
        display_name: &str,
        held: &[Vec<u8>],
    ) -> Result<(CreationChallengeResponse, RegistrationState), SignError> {
        let extensions = RequestRegistrationExtensions {
            // Asked for, not enforced: many authenticators fail when they can't do it.
            cred_protect: Some(CredProtect {
                credential_protection_policy: CredentialProtectionPolicy::UserVerificationRequired,
                enforce_credential_protection_policy: Some(false),
            }),
            uvm: None,
            cred_props: Some(true),
            min_pin_length: None,
            hmac_create_secret: None,
        };
        let builder = self
            .core
            .new_challenge_register_builder(person.0.as_bytes(), handle, display_name)
            .map_err(refused)?
            .attestation(AttestationConveyancePreference::None)
            .require_resident_key(true)
            .user_verification_policy(UserVerificationPolicy::Required)
            .exclude_credentials(Some(held.to_vec()))
            .extensions(Some(extensions));
        self.core.generate_challenge_register(builder).map_err(refused)
    }

    pub(crate) fn finish_create(&self, answer: &RegisterPublicKeyCredential, state: &RegistrationState) -> Result<Credential, SignError> {
        let c = self.core.register_credential(answer, state, None).map_err(refused)?;
        if !c.user_verified {
            return Err(SignError::PasskeyRefused("it did not verify you by fingerprint, face or PIN"));
        }
        Ok(c)
    }

    /// Options for an assertion: of one of `credentials`, or of any this authenticator holds for us if there are none.
    pub(crate) fn begin_get(
        &self,
        credentials: Vec<Credential>,
        challenge: Option<[u8; 32]>,
    ) -> Result<(RequestChallengeResponse, AuthenticationState), SignError> {
        let builder = self.core.new_challenge_authenticate_builder(credentials, Some(UserVerificationPolicy::Required)).map_err(refused)?;
        let (options, mut state) = self.core.generate_challenge_authenticate(builder).map_err(refused)?;
        // The credentials are looked up again when the answer comes, so the stored state needn't carry them.
        state.set_allowed_credentials(Vec::new());
        match challenge {
            None => Ok((options, state)),
            Some(digest) => swap::with_challenge(options, &state, digest).map_err(|e| {
                tracing::error!(error = %e, "no passkey can sign");
                SignError::PasskeyRefused("this gateway can't make challenges; tell its operator")
            }),
        }
    }

    /// Checks an assertion by `credential` and returns it with its counter and flags moved on.
    pub(crate) fn finish_get(
        &self,
        answer: &PublicKeyCredential,
        state: &AuthenticationState,
        mut credential: Credential,
    ) -> Result<Credential, SignError> {
        let result = self.core.authenticate_single_credential(answer, state, &credential).map_err(refused)?;
        let r = &answer.response;
        let seen = verify::Assertion {
            rp_id: &self.rp_id,
            origin: &self.origin,
            key: &credential.cred,
            client_data_json: &r.client_data_json,
            authenticator_data: &r.authenticator_data,
            signature: &r.signature,
        };
        seen.check(None).map_err(SignError::PasskeyRefused)?;
        credential.counter = result.counter();
        credential.backup_state = result.backup_state();
        credential.backup_eligible = result.backup_eligible();
        Ok(credential)
    }

    /// The record that lets anybody check this assertion later.
    pub(crate) fn evidence(&self, domain: &str, content: &str, answer: &PublicKeyCredential, c: &Credential) -> Option<AssertionEvidence> {
        Some(AssertionEvidence {
            v: 1,
            domain: domain.into(),
            rp_id: self.rp_id.clone(),
            origin: self.origin.clone(),
            content: content.into(),
            credential_id: B64.encode(&c.cred_id),
            cose_key: serde_json::to_value(&c.cred).ok()?,
            client_data_json: B64.encode(&answer.response.client_data_json),
            authenticator_data: B64.encode(&answer.response.authenticator_data),
            signature: B64.encode(&answer.response.signature),
        })
    }
}

/// The library's reasons in our words: they are read by the person in front of the screen.
fn refused(e: WebauthnError) -> SignError {
    tracing::debug!(error = %e, "a passkey was refused");
    SignError::PasskeyRefused(match e {
        WebauthnError::UserNotVerified => "it did not verify you by fingerprint, face or PIN",
        WebauthnError::UserNotPresent => "it was not touched",
        WebauthnError::MismatchedChallenge => "it signed something else; please start again",
        WebauthnError::InvalidRPOrigin => "it was used on another site",
        WebauthnError::CredentialPossibleCompromise => "its counter went backwards, as that of a copied passkey would; tell your operator",
        WebauthnError::CredentialNotFound => "it is not yours",
        WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => "its signature does not fit",
        WebauthnError::CredentialAlteredAlgFromRequest => "its kind of key is not supported",
        WebauthnError::CredentialCrossOrigin => "it was used from inside another site",
        _ => "its answer was not understood",
    })
}
