//! Table `evidence`: what passkeys signed. Only ever added to.
use super::Store;
use crate::{StoreError, clock, evidence::AssertionEvidence};
use anteroom_domain::{Moment, PersonId, canonical};
use sha2::{Digest, Sha256};
use sqlx::PgExecutor;
use uuid::Uuid;

/// A stored piece of evidence, as other rows and the audit log point to it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: Uuid,
    pub(crate) sha256: [u8; 32],
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, person: PersonId, e: &AssertionEvidence, at: Moment) -> Store<Stored> {
    const WHERE: StoreError = StoreError::Damaged("evidence");
    let body = canonical::to_vec(e).ok().and_then(|b| String::from_utf8(b).ok()).ok_or(WHERE)?;
    let sha256: [u8; 32] = Sha256::digest(body.as_bytes()).into();
    let id: Uuid = clock::new_id();
    sqlx::query!(
        "insert into evidence (id, person, body, sha256, created_at) values ($1, $2, $3, $4, $5)",
        id,
        person.0,
        body,
        &sha256[..],
        at
    )
    .execute(db)
    .await?;
    Ok(Stored { id, sha256 })
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Store<AssertionEvidence> {
    let body = sqlx::query_scalar!("select body from evidence where id = $1", id).fetch_one(db).await?;
    serde_json::from_str(&body).map_err(|_| StoreError::Damaged("evidence"))
}
