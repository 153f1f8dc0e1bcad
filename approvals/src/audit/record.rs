//! Writing a line, in the transaction that made the decision.
use crate::{StoreError, clock, store};
use anteroom_domain::{AuditEvent, AuditRecord, Moment, PersonId, canonical};
use serde_json::Value;
use uuid::Uuid;

/// A line about what happens now.
pub(crate) fn line(event: AuditEvent, actor: Option<PersonId>, at: Moment) -> AuditRecord {
    AuditRecord { v: 1, id: clock::new_id(), at, actor, event }
}

/// Adds a line. It is part of the transaction: nothing happens without it, and it doesn't happen without the thing.
pub(crate) async fn write(tx: &mut sqlx::PgConnection, event: AuditEvent, actor: Option<PersonId>, at: Moment) -> Result<(), StoreError> {
    write_line(tx, &line(event, actor, at)).await.map(|_| ())
}

/// The same for a line that exists already (from the spool); false if it was written before.
pub(crate) async fn write_line(tx: &mut sqlx::PgConnection, r: &AuditRecord) -> Result<bool, StoreError> {
    let (record, columns) = columns(r)?;
    store::audit::insert(
        tx,
        store::audit::Entry {
            id: r.id.0,
            at: r.at,
            kind: &columns.kind,
            people: &columns.people,
            session: columns.session,
            target: columns.target,
            record: &record,
        },
    )
    .await
}

/// What the table holds beside the record, for searching; all of it follows from the record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) kind: String,
    pub(crate) people: Vec<Uuid>,
    pub(crate) session: Option<Uuid>,
    pub(crate) target: Option<Uuid>,
}

/// The canonical bytes of a line and its search columns.
pub(crate) fn columns(r: &AuditRecord) -> Result<(String, Columns), StoreError> {
    const WHERE: StoreError = StoreError::Damaged("audit_entry");
    let record = canonical::to_vec(r).ok().and_then(|b| String::from_utf8(b).ok()).ok_or(WHERE)?;
    let v: Value = serde_json::from_str(&record).map_err(|_| WHERE)?;
    let id = |k: &str| v.get(k).and_then(Value::as_str).and_then(|s| Uuid::parse_str(s).ok());
    let mut people: Vec<Uuid> = ["actor", "person", "approver", "by"].into_iter().filter_map(id).collect();
    people.sort_unstable();
    people.dedup();
    // "target" is an id in some events and a name in others; only ids are indexed.
    Ok((record, Columns { kind: r.event.kind(), people, session: id("session"), target: id("target") }))
}
