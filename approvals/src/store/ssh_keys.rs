//! Table `ssh_key`.
use super::{Store, is_taken, people};
use crate::{SshKeyInfo, store::evidence::Stored};
use anteroom_domain::{Person, PersonId, SshKeyId};
use sqlx::PgExecutor;

/// False if the key is bound already, to whomever.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    person: PersonId,
    info: &SshKeyInfo,
    public_key: &str,
    evidence: &Stored,
) -> Store<bool> {
    let done = sqlx::query!(
        "insert into ssh_key (id, person, fingerprint, public_key, label, evidence, added_at) values ($1, $2, $3, $4, $5, $6, $7)",
        info.id.0,
        person.0,
        info.fingerprint,
        public_key,
        info.label,
        evidence.id,
        info.added_at
    )
    .execute(db)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(e) if is_taken(&e) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

pub(crate) async fn is_bound(db: impl PgExecutor<'_>, fingerprint: &str) -> Store<bool> {
    let found = sqlx::query_scalar!("select 1 from ssh_key where fingerprint = $1", fingerprint).fetch_optional(db).await?;
    Ok(found.is_some())
}

pub(crate) async fn of(db: impl PgExecutor<'_>, person: PersonId) -> Store<Vec<SshKeyInfo>> {
    let rows = sqlx::query!("select id, fingerprint, label, added_at from ssh_key where person = $1 order by added_at", person.0)
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(|r| SshKeyInfo { id: r.id.into(), fingerprint: r.fingerprint, label: r.label, added_at: r.added_at }).collect())
}

/// The fingerprint of what was removed.
pub(crate) async fn delete(db: impl PgExecutor<'_>, person: PersonId, id: SshKeyId) -> Store<Option<String>> {
    Ok(sqlx::query_scalar!("delete from ssh_key where id = $1 and person = $2 returning fingerprint", id.0, person.0)
        .fetch_optional(db)
        .await?)
}

pub(crate) async fn person(db: impl PgExecutor<'_>, fingerprint: &str) -> Store<Option<Person>> {
    let row = sqlx::query_as!(
        people::Row,
        "select p.id, p.handle, p.display_name, p.roles, p.attributes, p.suspended_at, p.created_at
         from ssh_key k join person p on p.id = k.person where k.fingerprint = $1",
        fingerprint
    )
    .fetch_optional(db)
    .await?;
    row.map(Person::try_from).transpose()
}
