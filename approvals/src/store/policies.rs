//! Table `policy_version`.
use super::{Store, json};
use crate::StoreError;
use anteroom_domain::{Moment, PersonId};
use anteroom_policy::PolicyFile;
use sqlx::PgExecutor;
use uuid::Uuid;

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

/// The version that counts, and its files if what stands there is what was set.
pub(crate) struct Counts {
    pub(crate) version: i64,
    pub(crate) files: Option<Vec<PolicyFile>>,
    pub(crate) sha256: Vec<u8>,
}

/// None: nobody set one.
pub(crate) async fn counts(db: impl PgExecutor<'_>) -> Store<Option<Counts>> {
    let newest = stored(db, i64::MAX, 1).await?.pop();
    Ok(newest.map(|s| Counts { version: s.version, files: serde_json::from_value(s.files).ok(), sha256: s.sha256 }))
}

/// Newest first.
pub(crate) async fn newest(db: impl PgExecutor<'_>, at_most: i64) -> Store<Vec<Row>> {
    until(db, i64::MAX, at_most).await
}

/// This one and those before it, newest first.
pub(crate) async fn until(db: impl PgExecutor<'_>, version: i64, at_most: i64) -> Store<Vec<Row>> {
    let read = |files| serde_json::from_value(files).map_err(|_| StoreError::Damaged("policy_version"));
    let row = |s: Stored| {
        let (files, set_by) = (read(s.files)?, s.set_by.map(PersonId));
        Ok(Row { version: s.version, files, sha256: s.sha256, note: s.note, set_by, set_at: s.set_at })
    };
    stored(db, version, at_most).await?.into_iter().map(row).collect()
}

struct Stored {
    version: i64,
    files: serde_json::Value,
    sha256: Vec<u8>,
    note: String,
    set_by: Option<Uuid>,
    set_at: Moment,
}

async fn stored(db: impl PgExecutor<'_>, version: i64, at_most: i64) -> Store<Vec<Stored>> {
    Ok(sqlx::query_as!(
        Stored,
        "select version, files, sha256, note, set_by, set_at from policy_version where version <= $1 order by version desc limit $2",
        version,
        at_most
    )
    .fetch_all(db)
    .await?)
}
