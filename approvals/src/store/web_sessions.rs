//! Table `web_session`. Tokens are known here by their SHA-256 only.
use super::Store;
use anteroom_domain::{Moment, PersonId};
use sqlx::PgExecutor;

pub(crate) struct Found {
    pub(crate) person: PersonId,
    pub(crate) last_seen_at: Moment,
}

pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    hash: &[u8],
    person: PersonId,
    source: &str,
    now: Moment,
    expires_at: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into web_session (token_sha256, person, source, created_at, last_seen_at, expires_at) values ($1, $2, $3, $4, $4, $5)",
        hash,
        person.0,
        source,
        now,
        expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A session that is neither too old nor idle since before `seen_after`, of somebody who is not locked out.
pub(crate) async fn find(db: impl PgExecutor<'_>, hash: &[u8], now: Moment, seen_after: Moment) -> Store<Option<Found>> {
    let row = sqlx::query!(
        "select s.person, s.last_seen_at from web_session s where s.token_sha256 = $1 and s.expires_at > $2 and s.last_seen_at > $3
         and not exists(select from lock l where l.lifted_at is null
         and (l.person = s.person or l.company = (select p.company from person p where p.id = s.person)))",
        hash,
        now,
        seen_after
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Found { person: r.person.into(), last_seen_at: r.last_seen_at }))
}

pub(crate) async fn touch(db: impl PgExecutor<'_>, hash: &[u8], now: Moment) -> Store<()> {
    sqlx::query!("update web_session set last_seen_at = $2 where token_sha256 = $1", hash, now).execute(db).await?;
    Ok(())
}

/// Whose it was.
pub(crate) async fn delete(db: impl PgExecutor<'_>, hash: &[u8]) -> Store<Option<PersonId>> {
    let p = sqlx::query_scalar!("delete from web_session where token_sha256 = $1 returning person", hash).fetch_optional(db).await?;
    Ok(p.map(PersonId))
}

pub(crate) async fn delete_of(db: impl PgExecutor<'_>, person: PersonId) -> Store<()> {
    sqlx::query!("delete from web_session where person = $1", person.0).execute(db).await?;
    Ok(())
}

pub(crate) async fn sweep(db: impl PgExecutor<'_>, now: Moment, seen_after: Moment) -> Store<()> {
    sqlx::query!("delete from web_session where expires_at < $1 or last_seen_at < $2", now, seen_after).execute(db).await?;
    Ok(())
}
