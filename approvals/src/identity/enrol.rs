//! Enrolling passkeys: the first by a one-time link, further ones when signed in.
use super::{passkey::CEREMONY, signing::label};
use crate::{
    Approvals, EnrolStart, PasskeyInfo, PasskeyKey, PasskeyStart, SignError, SignedIn, StoreError,
    audit::record,
    clock,
    store::{
        self,
        ceremonies::{Kind, New, Taken},
    },
};
use anteroom_domain::{AuditEvent, CeremonyId, Moment, Person, PersonId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use uuid::Uuid;
use webauthn_rs_core::proto::{Credential, RegistrationState};
use webauthn_rs_proto::{CreationChallengeResponse, RegisterPublicKeyCredential};

/// Which link an enrolment came by, as hexadecimal SHA-256.
#[derive(Debug, Serialize, Deserialize)]
struct ByLink {
    link: String,
}

/// A person may hold this many passkeys.
const MAX_PASSKEYS: usize = 20;

impl Approvals {
    /// Opens a one-time link. Opening does not use it up; finishing does.
    pub async fn begin_enrol(&self, token: &str) -> Result<EnrolStart, SignError> {
        let hash = clock::token_hash(token);
        let person = store::people::link_person(&self.inner.pool, &hash, clock::now()).await?.ok_or(SignError::LinkGone)?;
        let person = self.fresh(person).await?;
        let (ceremony, options) = self.begin_creating(Kind::Enrol, &person, &ByLink { link: clock::hex(&hash) }).await?;
        Ok(EnrolStart { ceremony, person, options })
    }

    /// The new passkey is enrolled, the link is used up, and its owner is signed in.
    pub async fn finish_enrol(
        &self,
        ceremony: CeremonyId,
        credential: &RegisterPublicKeyCredential,
        label: &str,
        source: IpAddr,
    ) -> Result<SignedIn, SignError> {
        let (person, by, c) = self.finish_creating::<ByLink>(Kind::Enrol, ceremony, credential).await?;
        let link = clock::unhex(&by.link).ok_or(SignError::LinkGone)?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        if !store::people::use_link(&mut *tx, &link, person, now).await? {
            return Err(SignError::LinkGone);
        }
        self.insert_passkey(&mut tx, person, &c, label, now).await?;
        let signed_in = self.insert_web_session(&mut tx, person, source, now).await?;
        self.commit(tx).await?;
        Ok(signed_in)
    }

    pub async fn begin_add_passkey(&self, person: &Person) -> Result<PasskeyStart, SignError> {
        let person = self.fresh(person.id).await?;
        let (ceremony, options) = self.begin_creating(Kind::AddPasskey, &person, &()).await?;
        Ok(PasskeyStart { ceremony, options })
    }

    pub async fn finish_add_passkey(
        &self,
        person: &Person,
        ceremony: CeremonyId,
        credential: &RegisterPublicKeyCredential,
        label: &str,
    ) -> Result<PasskeyInfo, SignError> {
        let (owner, (), c) = self.finish_creating::<()>(Kind::AddPasskey, ceremony, credential).await?;
        if owner != person.id {
            return Err(SignError::CeremonyGone);
        }
        let mut tx = self.begin().await?;
        let info = self.insert_passkey(&mut tx, owner, &c, label, clock::now()).await?;
        self.commit(tx).await?;
        Ok(info)
    }

    /// Oldest first.
    pub async fn passkeys(&self, person: PersonId) -> Result<Vec<PasskeyInfo>, StoreError> {
        store::passkeys::infos(&self.inner.pool, person).await
    }

    /// The public keys of a person's passkeys, oldest first: what the unsealer is told to believe in.
    pub async fn passkeys_of(&self, person: PersonId) -> Result<Vec<PasskeyKey>, StoreError> {
        let all = store::passkeys::labelled(&self.inner.pool, person).await?;
        let key = |(label, c): (String, Credential)| {
            const WHERE: StoreError = StoreError::Damaged("passkey");
            let cose_key = serde_json::to_value(&c.cred).map_err(|_| WHERE)?;
            let sha256 = anteroom_assertion::key_sha256(&cose_key).ok_or(WHERE)?;
            Ok(PasskeyKey { label, sha256, credential_id: B64.encode(&c.cred_id), cose_key })
        };
        all.into_iter().map(key).collect()
    }

    async fn begin_creating<T: Serialize>(
        &self,
        kind: Kind,
        person: &Person,
        subject: &T,
    ) -> Result<(CeremonyId, CreationChallengeResponse), SignError> {
        let held: Vec<Vec<u8>> = store::passkeys::of(&self.inner.pool, person.id).await?.into_iter().map(|c| c.cred_id).collect();
        if held.len() >= MAX_PASSKEYS {
            return Err(SignError::PasskeyRefused("you have twenty passkeys already"));
        }
        let (options, state) =
            self.inner.ceremonies.begin_create(person.id, person.handle.as_str(), person.display_name.as_str(), &held)?;
        let id = CeremonyId(Uuid::new_v4());
        let new = New { id, kind, person: Some(person.id), subject, state: &state, content: None, expires_at: clock::now() + CEREMONY };
        store::ceremonies::insert(&self.inner.pool, new).await?;
        Ok((id, options))
    }

    async fn finish_creating<T: serde::de::DeserializeOwned>(
        &self,
        kind: Kind,
        ceremony: CeremonyId,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<(PersonId, T, Credential), SignError> {
        let taken: Taken<T, RegistrationState> =
            store::ceremonies::take(&self.inner.pool, ceremony, kind, clock::now()).await?.ok_or(SignError::CeremonyGone)?;
        let person = taken.person.ok_or(SignError::CeremonyGone)?;
        let c = self.inner.ceremonies.finish_create(answer, &taken.state)?;
        Ok((person, taken.subject, c))
    }

    /// Row and audit line; the person must not be suspended at this moment.
    async fn insert_passkey(
        &self,
        tx: &mut sqlx::PgConnection,
        person: PersonId,
        c: &Credential,
        given: &str,
        now: Moment,
    ) -> Result<PasskeyInfo, SignError> {
        let held = store::people::held(&mut *tx, person).await?;
        if held.is_none_or(|p| p.is_suspended()) {
            return Err(SignError::Suspended);
        }
        let info = PasskeyInfo { id: clock::new_id(), label: label(given, "Passkey")?, created_at: now, last_used_at: None };
        if !store::passkeys::insert(&mut *tx, person, &info, c).await? {
            return Err(SignError::PasskeyTaken);
        }
        let credential_sha256 = clock::hex(&Sha256::digest(&c.cred_id));
        record::write(tx, AuditEvent::PasskeyEnrolled { person, credential_sha256 }, Some(person), now).await?;
        Ok(info)
    }
}
