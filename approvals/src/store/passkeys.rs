//! Table `passkey`.
use super::{Store, is_taken};
use crate::{PasskeyInfo, StoreError};
use anteroom_domain::{Moment, PasskeyId, PersonId};
use sqlx::PgExecutor;
use webauthn_rs_core::proto::Credential;

fn read(v: serde_json::Value) -> Store<Credential> {
    serde_json::from_value(v).map_err(|_| StoreError::Damaged("passkey"))
}
fn write(c: &Credential) -> Store<serde_json::Value> {
    serde_json::to_value(c).map_err(|_| StoreError::Damaged("passkey"))
}

/// False if this credential is enrolled already, for whomever.
pub(crate) async fn insert(db: impl PgExecutor<'_>, person: PersonId, info: &PasskeyInfo, c: &Credential) -> Store<bool> {
    let done = sqlx::query!(
        "insert into passkey (id, person, credential_id, credential, label, created_at) values ($1, $2, $3, $4, $5, $6)",
        info.id.0,
        person.0,
        c.cred_id.as_slice(),
        write(c)?,
        info.label,
        info.created_at
    )
    .execute(db)
    .await;
    match done {
        Ok(_) => Ok(true),
        Err(e) if is_taken(&e) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Everything this person can sign with.
pub(crate) async fn of(db: impl PgExecutor<'_>, person: PersonId) -> Store<Vec<Credential>> {
    let rows = sqlx::query_scalar!("select credential from passkey where person = $1 order by created_at", person.0).fetch_all(db).await?;
    rows.into_iter().map(read).collect()
}

/// The same with the labels their owner gave them.
pub(crate) async fn labelled(db: impl PgExecutor<'_>, person: PersonId) -> Store<Vec<(String, Credential)>> {
    let rows = sqlx::query!("select label, credential from passkey where person = $1 order by created_at", person.0).fetch_all(db).await?;
    rows.into_iter().map(|r| Ok((r.label, read(r.credential)?))).collect()
}

/// The passkey with this credential id, held until our transaction ends: two uses can't both see the old counter.
pub(crate) async fn held(db: impl PgExecutor<'_>, credential_id: &[u8]) -> Store<Option<(PasskeyId, PersonId, Credential)>> {
    let row = sqlx::query!("select id, person, credential from passkey where credential_id = $1 for update", credential_id)
        .fetch_optional(db)
        .await?;
    row.map(|r| Ok((PasskeyId(r.id), PersonId(r.person), read(r.credential)?))).transpose()
}

/// Remembers the counter and flags of a use.
pub(crate) async fn used(db: impl PgExecutor<'_>, id: PasskeyId, c: &Credential, at: Moment) -> Store<()> {
    sqlx::query!("update passkey set credential = $2, last_used_at = $3 where id = $1", id.0, write(c)?, at).execute(db).await?;
    Ok(())
}

pub(crate) async fn infos(db: impl PgExecutor<'_>, person: PersonId) -> Store<Vec<PasskeyInfo>> {
    let rows = sqlx::query!("select id, label, created_at, last_used_at from passkey where person = $1 order by created_at", person.0)
        .fetch_all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|r| PasskeyInfo { id: r.id.into(), label: r.label, created_at: r.created_at, last_used_at: r.last_used_at })
        .collect())
}
