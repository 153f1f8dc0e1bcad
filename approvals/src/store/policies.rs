//! Table `policy_version`.
use super::{Store, json};
use crate::StoreError;
use anteroom_domain::{Moment, PersonId};
use anteroom_policy::PolicyFile;
use sqlx::PgExecutor;

/// A version as it was set.
pub(crate) struct Row {
    pub(crate) version: i64,
    pub(crate) files: Vec<PolicyFile>,
    pub(crate) sha256: Vec<u8>,
    pub(crate) note: String,
    pub(crate) set_by: Option<PersonId>,
    pub(crate) set_at: Moment,
}

pub(crate) struct New<'a> {
    pub(crate) files: &'a [PolicyFile],
    pub(crate) sha256: [u8; 32],
    pub(crate) note: &'a str,
    pub(crate) by: Option<PersonId>,
    pub(crate) at: Moment,
}

/// The newest version, 0 if nobody set one; nobody sets another before our transaction ends.
pub(crate) async fn hold_newest(tx: &mut sqlx::PgConnection) -> Store<i64> {
    // A number of our own: there is no row yet that two could wait for.
    const SETTING: i64 = 0x706f_6c69_6379;
    sqlx::query!("select pg_advisory_xact_lock($1)", SETTING).execute(&mut *tx).await?;
    let newest = sqlx::query_scalar!("select max(version) from policy_version").fetch_one(tx).await?;
    Ok(newest.unwrap_or_default())
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, n: New<'_>) -> Store<i64> {
    let version = sqlx::query_scalar!(
        "insert into policy_version (files, sha256, note, set_by, set_at) values ($1, $2, $3, $4, $5) returning version",
        json(&n.files)?,
        &n.sha256[..],
        n.note,
        n.by.map(|p| p.0),
        n.at
    )
    .fetch_one(db)
    .await?;
    Ok(version)
}

/// Newest first.
pub(crate) async fn newest(db: impl PgExecutor<'_>, at_most: i64) -> Store<Vec<Row>> {
    until(db, i64::MAX, at_most).await
}

/// This one and those before it, newest first.
pub(crate) async fn until(db: impl PgExecutor<'_>, version: i64, at_most: i64) -> Store<Vec<Row>> {
    let rows = sqlx::query!(
        "select version, files, sha256, note, set_by, set_at from policy_version where version <= $1 order by version desc limit $2",
        version,
        at_most
    )
    .fetch_all(db)
    .await?;
    let read = |r| serde_json::from_value(r).map_err(|_| StoreError::Damaged("policy_version"));
    rows.into_iter()
        .map(|r| {
            let (files, set_by) = (read(r.files)?, r.set_by.map(PersonId));
            Ok(Row { version: r.version, files, sha256: r.sha256, note: r.note, set_by, set_at: r.set_at })
        })
        .collect()
}
