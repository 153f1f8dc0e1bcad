//! Having a content signed: the frame that approvals, step-ups and SSH keys share.
use crate::{
    Approvals, SignError, SignStart, StoreError, clock,
    evidence::AssertionEvidence,
    store::{
        self,
        ceremonies::{Kind, New, Taken},
        evidence::Stored,
    },
};
use anteroom_domain::{CeremonyId, Moment, Person, PersonId, content};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webauthn_rs_core::proto::{AuthenticationState, Credential};
use webauthn_rs_proto::PublicKeyCredential;

/// A ceremony that was begun and is now taken.
pub(crate) type Signing<T> = Taken<T, AuthenticationState>;

/// What came out of a signature.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) evidence: Stored,
    /// What was stored.
    pub(crate) assertion: AssertionEvidence,
    pub(crate) content_sha256: [u8; 32],
}

/// Makes every content unique.
pub(crate) fn nonce() -> content::Nonce {
    B64.encode(clock::random::<32>())
}

/// The bytes that are shown, signed and stored.
pub(crate) fn text<C: content::Signable>(c: &C) -> Result<String, SignError> {
    c.canonical().ok().and_then(|b| String::from_utf8(b).ok()).ok_or(SignError::Store(StoreError::Damaged("content")))
}

/// A label somebody gives to a key: trimmed, short, printable; `default` for an empty one.
pub(crate) fn label(given: &str, default: &str) -> Result<String, SignError> {
    let l = given.trim();
    if l.chars().count() > 60 || l.chars().any(char::is_control) {
        return Err(SignError::Label);
    }
    Ok(if l.is_empty() { default.into() } else { l.into() })
}

impl Approvals {
    /// A live person who is not locked out, as the database knows them now and not as the caller remembers them.
    pub(crate) async fn fresh(&self, id: PersonId) -> Result<Person, SignError> {
        let p = store::people::by_id(&self.inner.pool, id).await?.ok_or(SignError::Suspended)?;
        if p.is_suspended() {
            Err(SignError::Suspended)
        } else if store::locks::keeps_out(&self.inner.pool, id).await? {
            Err(SignError::Locked)
        } else {
            Ok(p)
        }
    }

    /// Asks one of the person's passkeys to sign exactly `content`.
    pub(crate) async fn begin_signing<C: content::Signable, T: Serialize>(
        &self,
        kind: Kind,
        person: PersonId,
        subject: &T,
        content: &C,
    ) -> Result<SignStart, SignError> {
        let passkeys = store::passkeys::of(&self.inner.pool, person).await?;
        self.begin_signing_with(kind, person, passkeys, subject, content).await
    }

    /// The same with one of these passkeys of theirs.
    pub(crate) async fn begin_signing_with<C: content::Signable, T: Serialize>(
        &self,
        kind: Kind,
        person: PersonId,
        passkeys: Vec<Credential>,
        subject: &T,
        content: &C,
    ) -> Result<SignStart, SignError> {
        if passkeys.is_empty() {
            return Err(SignError::NoPasskey);
        }
        let text = text(content)?;
        let digest = content::challenge(C::DOMAIN, text.as_bytes());
        let (options, state) = self.inner.ceremonies.begin_get(passkeys, Some(digest))?;
        let ceremony = CeremonyId(Uuid::new_v4());
        let expires_at = clock::now() + super::passkey::CEREMONY;
        let new = New { id: ceremony, kind, person: Some(person), subject, state: &state, content: Some(&text), expires_at };
        store::ceremonies::insert(&self.inner.pool, new).await?;
        Ok(SignStart { ceremony, content: text, options })
    }

    /// Takes the ceremony: whatever comes next, it can't be used again.
    pub(crate) async fn take_signing<T: DeserializeOwned>(
        &self,
        kind: Kind,
        person: PersonId,
        ceremony: CeremonyId,
    ) -> Result<(Signing<T>, String), SignError> {
        let mut taken: Signing<T> =
            store::ceremonies::take(&self.inner.pool, ceremony, kind, clock::now()).await?.ok_or(SignError::CeremonyGone)?;
        if taken.person != Some(person) {
            return Err(SignError::CeremonyGone);
        }
        let content = taken.content.take().ok_or(SignError::CeremonyGone)?;
        Ok((taken, content))
    }

    /// Checks that a passkey of this person signed `content`, moves its counter on and stores the evidence.
    pub(crate) async fn accept<C: content::Signable>(
        &self,
        tx: &mut sqlx::PgConnection,
        person: PersonId,
        state: &AuthenticationState,
        content: &str,
        answer: &PublicKeyCredential,
        at: Moment,
    ) -> Result<Signed, SignError> {
        const NOT_YOURS: SignError = SignError::PasskeyRefused("it is not yours");
        let (id, owner, credential) = store::passkeys::held(&mut *tx, &answer.raw_id).await?.ok_or(NOT_YOURS)?;
        if owner != person || answer.get_user_unique_id().is_some_and(|h| h != person.0.as_bytes()) {
            return Err(NOT_YOURS);
        }
        let credential = self.inner.ceremonies.finish_get(answer, state, credential)?;
        store::passkeys::used(&mut *tx, id, &credential, at).await?;
        let damaged = SignError::Store(StoreError::Damaged("evidence"));
        let evidence = self.inner.ceremonies.evidence(C::DOMAIN, content, answer, &credential).ok_or(damaged)?;
        // What can't be checked by others later is not accepted now.
        crate::verify::verify_assertion(&evidence).map_err(SignError::PasskeyRefused)?;
        let stored = store::evidence::insert(tx, person, &evidence, at).await?;
        Ok(Signed { evidence: stored, assertion: evidence, content_sha256: Sha256::digest(content.as_bytes()).into() })
    }
}
