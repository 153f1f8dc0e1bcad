//! Table `feed`: programs that may tell us something. Tokens are known here by their SHA-256 only.
use super::Store;
use anteroom_domain::{Moment, PersonId};
use sqlx::PgExecutor;
use uuid::Uuid;

/// A program that may say whether a device is in clinical use.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Feed {
    pub name: String,
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
    Ok(sqlx::query_as!(Feed, "select name, made_at, revoked_at from feed where token_sha256 is not null order by name")
        .fetch_all(db)
        .await?)
}
