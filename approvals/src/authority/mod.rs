//! Our certificate authorities: one key pair a purpose, the private half sealed as credentials are (OpenSSH PROTOCOL.certkeys).
mod judge;
mod sign;

pub(crate) use anteroom_certificate::{SOURCE_ADDRESS, source_address};
pub(crate) use sign::{Form, SLACK, number, sign};

use crate::{Approvals, AuthorityError, AuthorityInfo, ManageError, Purpose, StoreError, audit::record, clock, safe::Known, store, vault};
use anteroom_domain::{AuditEvent, AuthorityId, PersonId};
use anteroom_policy::Action;
use ssh_key::{HashAlg, PrivateKey, private::Ed25519Keypair};

/// A person's certificate never counts longer than this.
pub(crate) const MAX_PERSON_CERTIFICATE: time::Duration = time::Duration::hours(12);

impl From<ManageError> for AuthorityError {
    fn from(e: ManageError) -> Self {
        match e {
            ManageError::Store(e) => Self::Store(e),
            _ => Self::NotAllowed,
        }
    }
}

impl Approvals {
    /// Every authority of this purpose, the newest first: that one signs. If there is none, one is made.
    pub async fn authorities(&self, purpose: Purpose) -> Result<Vec<AuthorityInfo>, AuthorityError> {
        let found = store::authorities::of(&self.inner.pool, purpose).await?;
        if found.iter().any(|a| a.retired_at.is_none()) {
            return Ok(found);
        }
        self.signing_key(purpose).await?;
        Ok(store::authorities::of(&self.inner.pool, purpose).await?)
    }

    /// Makes a new authority, which signs from now on. What the one before has signed goes on counting until that is retired:
    /// for people by itself, when its last certificate must have ended; otherwise by [`retire_authority`](Self::retire_authority),
    /// once the targets or clients know the new one.
    pub async fn rotate_authority(&self, purpose: Purpose, by: Option<PersonId>) -> Result<AuthorityInfo, AuthorityError> {
        self.check_actor(by, Action::ManageTargets).await?;
        let mut tx = self.begin().await?;
        store::authorities::hold_all(&mut *tx).await?;
        let (info, _) = self.make_authority(&mut tx, purpose, by).await?;
        self.commit(tx).await?;
        Ok(info)
    }

    /// From here on its certificates count for nothing. The one that signs now can't be retired: make a new one first.
    pub async fn retire_authority(&self, id: AuthorityId, by: Option<PersonId>) -> Result<(), AuthorityError> {
        self.check_actor(by, Action::ManageTargets).await?;
        let mut tx = self.begin().await?;
        store::authorities::hold_all(&mut *tx).await?;
        let found = store::authorities::by_id(&mut *tx, id).await?.filter(|a| a.retired_at.is_none()).ok_or(AuthorityError::NoSuch)?;
        if store::authorities::current(&mut *tx, found.purpose).await?.is_some_and(|(current, _)| current == id) {
            return Err(AuthorityError::Current);
        }
        retire(&mut tx, &found, by).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// Retires authorities for people whose last certificate must have ended, because another one signs for that long already.
    pub(crate) async fn retire_replaced(&self) -> Result<(), StoreError> {
        let before = clock::now() - MAX_PERSON_CERTIFICATE;
        if store::authorities::replaced(&self.inner.pool, Purpose::Person, before).await?.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        store::authorities::hold_all(&mut *tx).await?;
        for old in store::authorities::replaced(&mut *tx, Purpose::Person, before).await? {
            retire(&mut tx, &old, None).await?;
        }
        self.commit(tx).await
    }

    /// The key that signs now; made at the first need.
    pub(crate) async fn signing_key(&self, purpose: Purpose) -> Result<PrivateKey, AuthorityError> {
        let known = |known: &Known| known.authority.clone().filter(|_| purpose == Purpose::Target);
        if let Some((id, sealed)) = self.or_known(store::authorities::current(&self.inner.pool, purpose), known).await? {
            return self.unseal(id, &sealed);
        }
        let mut tx = self.begin().await?;
        store::authorities::hold_all(&mut *tx).await?;
        // Somebody else may have had the same need at this moment.
        if let Some((id, sealed)) = store::authorities::current(&mut *tx, purpose).await? {
            return self.unseal(id, &sealed);
        }
        let (_, key) = self.make_authority(&mut tx, purpose, None).await?;
        self.commit(tx).await?;
        Ok(key)
    }

    fn unseal(&self, id: AuthorityId, sealed: &store::targets::Sealed) -> Result<PrivateKey, AuthorityError> {
        let seed = vault::open_seed(&self.inner.options.vault_key, id.0, sealed).ok_or(AuthorityError::Sealed)?;
        Ok(PrivateKey::from(Ed25519Keypair::from_seed(seed.expose())))
    }

    async fn make_authority(
        &self,
        tx: &mut sqlx::PgConnection,
        purpose: Purpose,
        by: Option<PersonId>,
    ) -> Result<(AuthorityInfo, PrivateKey), AuthorityError> {
        let seed = anteroom_domain::Secret::new(clock::random::<32>());
        let key = PrivateKey::from(Ed25519Keypair::from_seed(seed.expose()));
        let (id, now) = (clock::new_id::<AuthorityId>(), clock::now());
        let sealed =
            vault::seal_seed(&self.inner.options.vault_key, id.0, purpose.as_str(), seed.expose()).ok_or(AuthorityError::Sealed)?;
        let mut public = key.public_key().clone();
        public.set_comment(format!("anteroom-{}-ca", purpose.as_str()));
        let info = AuthorityInfo {
            id,
            purpose,
            public_key: public.to_openssh().map_err(|_| AuthorityError::Certificate)?,
            fingerprint: public.fingerprint(HashAlg::Sha256).to_string(),
            made_at: now,
            retired_at: None,
        };
        store::authorities::insert(&mut *tx, &info, &sealed).await?;
        let event = AuditEvent::AuthorityMade { purpose: purpose.as_str().into(), fingerprint: info.fingerprint.clone() };
        record::write(tx, event, by, now).await?;
        Ok((info, key))
    }
}

async fn retire(tx: &mut sqlx::PgConnection, a: &AuthorityInfo, by: Option<PersonId>) -> Result<(), StoreError> {
    let now = clock::now();
    if store::authorities::retire(&mut *tx, a.id, now).await? {
        let event = AuditEvent::AuthorityRetired { purpose: a.purpose.as_str().into(), fingerprint: a.fingerprint.clone() };
        record::write(tx, event, by, now).await?;
    }
    Ok(())
}
