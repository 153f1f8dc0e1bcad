//! All SQL, one file a table family. Nothing here decides anything.
pub(crate) mod absences;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod authorities;
pub(crate) mod break_glass;
pub(crate) mod cards;
pub(crate) mod ceremonies;
pub(crate) mod certificates;
pub(crate) mod comments;
pub(crate) mod companies;
pub(crate) mod devices;
pub(crate) mod evidence;
pub(crate) mod feeds;
pub(crate) mod grants;
pub(crate) mod holds;
pub(crate) mod locks;
pub(crate) mod messages;
pub(crate) mod notices;
pub(crate) mod passkeys;
pub(crate) mod patients;
pub(crate) mod people;
pub(crate) mod policies;
pub(crate) mod posture;
pub(crate) mod recording_lines;
pub(crate) mod requests;
pub(crate) mod safe;
pub(crate) mod sessions;
pub(crate) mod shreddings;
pub(crate) mod ssh_keys;
pub(crate) mod step_ups;
pub(crate) mod supervision;
pub(crate) mod targets;
pub(crate) mod tickets;
pub(crate) mod unmasks;
pub(crate) mod web_sessions;

use crate::{Change, StoreError, change::CHANNEL};
use sqlx::PgExecutor;

pub(crate) type Store<T> = Result<T, StoreError>;

/// Tells everybody, once the transaction it is called in is committed.
pub(crate) async fn tell(db: impl PgExecutor<'_>, change: Change) -> Store<()> {
    sqlx::query!("select pg_notify($1, $2)", CHANNEL, change.payload()).execute(db).await?;
    Ok(())
}

/// A count as Postgres has it.
pub(crate) fn total(n: Option<i64>) -> u64 {
    n.and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
}

/// Whether it failed because such a row exists already.
pub(crate) fn is_taken(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|d| d.is_unique_violation())
}

/// As a column of JSON holds it.
pub(crate) fn json(v: &impl serde::Serialize) -> Store<serde_json::Value> {
    serde_json::to_value(v).map_err(|_| StoreError::Damaged("what was to be written"))
}
