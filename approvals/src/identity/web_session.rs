//! Signing in to the portal, staying signed in, and leaving.
use super::passkey::CEREMONY;
use crate::{
    Approvals, LoginStart, SignError, SignedIn, StoreError,
    audit::record,
    clock,
    store::{
        self,
        ceremonies::{Kind, New, Taken},
    },
};
use anteroom_domain::{AuditEvent, CeremonyId, Moment, Person, PersonId};
use std::net::IpAddr;
use uuid::Uuid;
use webauthn_rs_core::proto::AuthenticationState;
use webauthn_rs_proto::PublicKeyCredential;

/// A session in use is marked as such at most this often.
const TOUCH_EVERY: time::Duration = time::Duration::seconds(30);

fn span(d: std::time::Duration) -> time::Duration {
    d.try_into().unwrap_or(time::Duration::MAX)
}

impl Approvals {
    /// Asks for any passkey that belongs to this portal: no name is asked for, so none can be tried out.
    pub async fn begin_login(&self) -> Result<LoginStart, SignError> {
        let (options, state) = self.inner.ceremonies.begin_get(Vec::new(), None)?;
        let ceremony = CeremonyId(Uuid::new_v4());
        let expires_at = clock::now() + CEREMONY;
        let new = New { id: ceremony, kind: Kind::Login, person: None, subject: &(), state: &state, content: None, expires_at };
        store::ceremonies::insert(&self.inner.pool, new).await?;
        Ok(LoginStart { ceremony, options })
    }

    pub async fn finish_login(
        &self,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
        source: IpAddr,
    ) -> Result<SignedIn, SignError> {
        let taken: Taken<(), AuthenticationState> =
            store::ceremonies::take(&self.inner.pool, ceremony, Kind::Login, clock::now()).await?.ok_or(SignError::CeremonyGone)?;
        let done = self.try_login(&taken.state, credential, source).await;
        if let Err(e @ (SignError::PasskeyRefused(_) | SignError::Suspended | SignError::Locked)) = &done {
            self.note(AuditEvent::SignInRefused { source: source.to_string(), why: e.to_string() }, None).await;
        }
        done
    }

    async fn try_login(&self, state: &AuthenticationState, answer: &PublicKeyCredential, source: IpAddr) -> Result<SignedIn, SignError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let found = store::passkeys::held(&mut *tx, &answer.raw_id).await?;
        let (id, person, credential) = found.ok_or(SignError::PasskeyRefused("nobody enrolled it here"))?;
        // WebAuthn section 7.2, step 6: without a name asked for, the user handle has to be there and fit.
        if answer.get_user_unique_id() != Some(&person.0.as_bytes()[..]) {
            return Err(SignError::PasskeyRefused("it does not say whose it is"));
        }
        let credential = self.inner.ceremonies.finish_get(answer, state, credential)?;
        store::passkeys::used(&mut *tx, id, &credential, now).await?;
        let signed_in = self.insert_web_session(&mut tx, person, source, now).await?;
        self.commit(tx).await?;
        Ok(signed_in)
    }

    pub(super) async fn insert_web_session(
        &self,
        tx: &mut sqlx::PgConnection,
        person: PersonId,
        source: IpAddr,
        now: Moment,
    ) -> Result<SignedIn, SignError> {
        let person = store::people::held(&mut *tx, person).await?.filter(|p| !p.is_suspended()).ok_or(SignError::Suspended)?;
        if store::locks::keeps_out(&mut *tx, person.id).await? {
            return Err(SignError::Locked);
        }
        let token = clock::new_token();
        let expires_at = now.saturating_add(span(self.inner.options.web_absolute));
        let source = source.to_string();
        store::web_sessions::insert(&mut *tx, &clock::token_hash(token.expose()), person.id, &source, now, expires_at).await?;
        record::write(tx, AuditEvent::SignedIn { person: person.id, source }, Some(person.id), now).await?;
        Ok(SignedIn { person, token, expires_at })
    }

    /// Whose session this is, as the person is now. None if it is unknown, too old, idle for too long, or its person
    /// is suspended or locked.
    pub async fn web_session(&self, token: &str) -> Result<Option<Person>, StoreError> {
        let (now, hash) = (clock::now(), clock::token_hash(token));
        let Some(s) = store::web_sessions::find(&self.inner.pool, &hash, now, self.seen_after(now)).await? else { return Ok(None) };
        if now - s.last_seen_at > TOUCH_EVERY {
            store::web_sessions::touch(&self.inner.pool, &hash, now).await?;
        }
        Ok(store::people::by_id(&self.inner.pool, s.person).await?.filter(|p| !p.is_suspended()))
    }

    /// Unknown tokens are fine: whoever signs out is out.
    pub async fn sign_out(&self, token: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        if let Some(person) = store::web_sessions::delete(&mut *tx, &clock::token_hash(token)).await? {
            record::write(&mut tx, AuditEvent::SignedOut { person }, Some(person), clock::now()).await?;
        }
        self.commit(tx).await
    }

    /// Sessions not seen since then are over.
    pub(crate) fn seen_after(&self, now: Moment) -> Moment {
        now.saturating_sub(span(self.inner.options.web_idle))
    }
}
