//! Table `feed`: programs that may tell us something. Tokens are known here by their SHA-256 only, keys by their public half.
use super::Store;
use crate::StoreError;
use anteroom_domain::{Moment, PersonId};
use anteroom_posture::FeedKey;
use sqlx::PgExecutor;
use uuid::Uuid;

/// What a program may tell us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedKind {
    /// Whether devices are in clinical use; it shows a token.
    ClinicalUse,
    /// What state people's machines are in; it signs with a key.
    Posture,
}

/// A program that may tell us something.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Feed {
    pub name: String,
    pub kind: FeedKind,
    /// `whpk_...`, of one that signs.
    pub public_key: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: Moment,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<Moment>,
}

/// False if the name is taken.
pub(crate) async fn insert(db: impl PgExecutor<'_>, id: Uuid, name: &str, token: &[u8], by: Option<PersonId>, at: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "insert into feed (id, name, token_sha256, made_at, made_by) values ($1, $2, $3, $4, $5) on conflict (name) do nothing",
        id,
        name,
        token,
        at,
        by.map(|p| p.0)
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The name of the one this token belongs to; it stays so until our transaction ends.
pub(crate) async fn by_token(db: impl PgExecutor<'_>, token: &[u8]) -> Store<Option<String>> {
    Ok(sqlx::query_scalar!("select name from feed where token_sha256 = $1 and revoked_at is null for share", token)
        .fetch_optional(db)
        .await?)
}

/// False if there is none, or it was revoked before.
pub(crate) async fn revoke(db: impl PgExecutor<'_>, name: &str, at: Moment) -> Store<bool> {
    let done = sqlx::query!("update feed set revoked_at = $2 where name = $1 and revoked_at is null", name, at).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn all(db: impl PgExecutor<'_>) -> Store<Vec<Feed>> {
    let rows = sqlx::query!("select name, public_key, made_at, revoked_at from feed order by name").fetch_all(db).await?;
    rows.into_iter()
        .map(|r| {
            let public_key = r.public_key.map(|k| FeedKey::of(&k).map_err(|_| StoreError::Damaged("feed"))).transpose()?;
            let kind = if public_key.is_some() { FeedKind::Posture } else { FeedKind::ClinicalUse };
            Ok(Feed { name: r.name, kind, public_key: public_key.map(|k| k.text()), made_at: r.made_at, revoked_at: r.revoked_at })
        })
        .collect()
}

/// A program that signs.
pub(crate) struct Signer {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) key: FeedKey,
}

/// False if the name is taken.
pub(crate) async fn insert_key(
    db: impl PgExecutor<'_>,
    id: Uuid,
    name: &str,
    key: &FeedKey,
    by: Option<PersonId>,
    at: Moment,
) -> Store<bool> {
    let done = sqlx::query!(
        "insert into feed (id, name, public_key, made_at, made_by) values ($1, $2, $3, $4, $5) on conflict (name) do nothing",
        id,
        name,
        &key.bytes()[..],
        at,
        by.map(|p| p.0)
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those that sign and count. There are few.
pub(crate) async fn signers(db: impl PgExecutor<'_>, at_most: i64) -> Store<Vec<Signer>> {
    let rows = sqlx::query!(
        r#"select id, name, public_key as "public_key!" from feed where public_key is not null and revoked_at is null
         order by made_at, id limit $1"#,
        at_most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let key = FeedKey::of(&r.public_key).map_err(|_| StoreError::Damaged("feed"))?;
            Ok(Signer { id: r.id, name: r.name, key })
        })
        .collect()
}

/// Whether it counts; it stays so until our transaction ends.
pub(crate) async fn holds(db: impl PgExecutor<'_>, id: Uuid) -> Store<bool> {
    let found = sqlx::query_scalar!("select id from feed where id = $1 and revoked_at is null for share", id).fetch_optional(db).await?;
    Ok(found.is_some())
}
