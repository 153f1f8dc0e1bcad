//! Tables of the audit log. Entries, leaves and checkpoints are only ever added: the role has no other right.
use super::{Store, total};
use crate::{AuditFilter, AuditLine, Listing, Page, StoreError, listing::pattern};
use anteroom_domain::{AuditRecord, Moment, SessionId};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

/// An entry with its search columns.
pub(crate) struct Entry<'a> {
    pub(crate) id: Uuid,
    pub(crate) at: Moment,
    pub(crate) kind: &'a str,
    pub(crate) people: &'a [Uuid],
    pub(crate) session: Option<Uuid>,
    pub(crate) target: Option<Uuid>,
    pub(crate) record: &'a str,
}

/// Adds it and queues it for the tree; false if this very entry is there already.
pub(crate) async fn insert(tx: &mut sqlx::PgConnection, e: Entry<'_>) -> Store<bool> {
    // One statement: every decision writes a line, and a round trip less is felt when many people connect.
    let done = sqlx::query!(
        "with entry as (
             insert into audit_entry (id, at, kind, people, session, target, record) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (id) do nothing returning id)
         insert into audit_waiting (entry) select id from entry",
        e.id,
        e.at,
        e.kind,
        e.people,
        e.session,
        e.target,
        e.record
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Only one process gives out places at a time; false if another one is at it.
pub(crate) async fn become_sequencer(tx: &mut sqlx::PgConnection) -> Store<bool> {
    // "anteroom" in ASCII.
    const LOCK: i64 = 0x616e_7465_726f_6f6d;
    Ok(sqlx::query_scalar!("select pg_try_advisory_xact_lock($1)", LOCK).fetch_one(tx).await?.unwrap_or_default())
}

pub(crate) struct Waiting {
    pub(crate) entry: Uuid,
    pub(crate) record: String,
}

/// The oldest entries without a place, taken from the queue.
pub(crate) async fn take_waiting(tx: &mut sqlx::PgConnection, at_most: i64) -> Store<Vec<Waiting>> {
    let rows = sqlx::query_as!(
        Waiting,
        "select e.id as entry, e.record from audit_waiting w join audit_entry e on e.id = w.entry order by e.arrival limit $1",
        at_most
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|w| w.entry).collect();
    sqlx::query!("delete from audit_waiting where entry = any($1)", &ids).execute(tx).await?;
    Ok(rows)
}

pub(crate) async fn insert_leaves(tx: &mut sqlx::PgConnection, from: i64, entries: &[Uuid], hashes: &[Vec<u8>]) -> Store<()> {
    sqlx::query!(
        "insert into audit_leaf (index, entry, hash)
         select $1 + n - 1, e, h from unnest($2::uuid[], $3::bytea[]) with ordinality as x (e, h, n)",
        from,
        entries,
        hashes
    )
    .execute(tx)
    .await?;
    Ok(())
}

#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    pub(crate) size: i64,
    pub(crate) root: Vec<u8>,
    pub(crate) peaks: Vec<u8>,
    pub(crate) note: String,
}

pub(crate) async fn insert_checkpoint(db: impl PgExecutor<'_>, c: &Checkpoint, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into audit_checkpoint (size, root, peaks, note, at) values ($1, $2, $3, $4, $5)",
        c.size,
        c.root,
        c.peaks,
        c.note,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn latest_checkpoint(db: impl PgExecutor<'_>) -> Store<Option<Checkpoint>> {
    Ok(sqlx::query_as!(Checkpoint, "select size, root, peaks, note from audit_checkpoint order by size desc limit 1")
        .fetch_optional(db)
        .await?)
}

pub(crate) async fn checkpoint_of(db: impl PgExecutor<'_>, size: i64) -> Store<Option<Checkpoint>> {
    Ok(sqlx::query_as!(Checkpoint, "select size, root, peaks, note from audit_checkpoint where size = $1", size).fetch_optional(db).await?)
}

/// Checkpoints with a size above `after`, smallest first.
pub(crate) async fn checkpoints(db: impl PgExecutor<'_>, after: i64, at_most: i64) -> Store<Vec<Checkpoint>> {
    Ok(sqlx::query_as!(
        Checkpoint,
        "select size, root, peaks, note from audit_checkpoint where size > $1 order by size limit $2",
        after,
        at_most
    )
    .fetch_all(db)
    .await?)
}

pub(crate) struct Leaf {
    pub(crate) index: i64,
    pub(crate) entry: Uuid,
    pub(crate) hash: Vec<u8>,
    pub(crate) record: String,
    pub(crate) at: Moment,
    pub(crate) kind: String,
    pub(crate) people: Vec<Uuid>,
    pub(crate) session: Option<Uuid>,
    pub(crate) target: Option<Uuid>,
}

/// Leaves from `from` on, with the entries as they are now.
pub(crate) async fn leaves(db: impl PgExecutor<'_>, from: i64, at_most: i64) -> Store<Vec<Leaf>> {
    Ok(sqlx::query_as!(
        Leaf,
        "select l.index, l.entry, l.hash, e.record, e.at, e.kind, e.people, e.session, e.target
         from audit_leaf l join audit_entry e on e.id = l.entry where l.index >= $1 order by l.index limit $2",
        from,
        at_most
    )
    .fetch_all(db)
    .await?)
}

/// Leaf hashes of the first `size` leaves.
pub(crate) async fn leaf_hashes(db: impl PgExecutor<'_>, size: i64) -> Store<Vec<[u8; 32]>> {
    let rows = sqlx::query_scalar!("select hash from audit_leaf where index < $1 order by index", size).fetch_all(db).await?;
    rows.into_iter().map(|h| h.try_into().map_err(|_| StoreError::Damaged("audit_leaf"))).collect()
}

/// (entries, queued entries, entries that are neither queued nor in the tree)
pub(crate) async fn counts(db: impl PgExecutor<'_>) -> Store<(u64, u64, u64)> {
    let r = sqlx::query!(
        "select (select count(*) from audit_entry) as entries, (select count(*) from audit_waiting) as waiting,
         (select count(*) from audit_entry e where not exists (select from audit_waiting w where w.entry = e.id)
          and not exists (select from audit_leaf l where l.entry = e.id)) as lost"
    )
    .fetch_one(db)
    .await?;
    Ok((total(r.entries), total(r.waiting), total(r.lost)))
}

struct LineRow {
    index: Option<i64>,
    record: String,
}

fn line(r: LineRow) -> Store<AuditLine> {
    let record: AuditRecord = serde_json::from_str(&r.record).map_err(|_| StoreError::Damaged("audit_entry"))?;
    Ok(AuditLine { index: r.index.and_then(|i| u64::try_from(i).ok()), record })
}

/// Lines are full of ids and hashes: a few hexadecimal digits, as in the name Ada, stand in many of them by chance.
fn part_of_any_hash(text: &str) -> bool {
    text.len() < 8 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Newest first. A text is found in the line itself, and by names of the people and the target it is about.
pub(crate) async fn search(db: &PgPool, f: &AuditFilter, page: Page) -> Store<Listing<AuditLine>> {
    let like = (!f.text.trim().is_empty()).then(|| pattern(&f.text));
    let in_line = like.clone().filter(|_| !part_of_any_hash(f.text.trim()));
    let (person, session) = (f.person.map(|p| p.0), f.session.map(|s| s.0));
    let rows = sqlx::query_as!(
        LineRow,
        r#"select l.index as "index?", e.record from audit_entry e left join audit_leaf l on l.entry = e.id
           where ($1::text is null or e.record ilike $9::text
                  or e.people && array(select p.id from person p where p.handle ilike $1 or p.display_name ilike $1)
                  or e.target in (select t.id from target t where t.name ilike $1))
           and ($2::text is null or e.kind = $2) and ($3::uuid is null or $3 = any(e.people)) and ($4::uuid is null or e.session = $4)
           and ($5::timestamptz is null or e.at >= $5) and ($6::timestamptz is null or e.at < $6)
           order by e.at desc, e.arrival desc limit $7 offset $8"#,
        like,
        f.kind,
        person,
        session,
        f.from,
        f.until,
        page.limit(),
        page.offset(),
        in_line
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!(
        "select count(*) from audit_entry e
         where ($1::text is null or e.record ilike $7::text
                or e.people && array(select p.id from person p where p.handle ilike $1 or p.display_name ilike $1)
                or e.target in (select t.id from target t where t.name ilike $1))
         and ($2::text is null or e.kind = $2) and ($3::uuid is null or $3 = any(e.people)) and ($4::uuid is null or e.session = $4)
         and ($5::timestamptz is null or e.at >= $5) and ($6::timestamptz is null or e.at < $6)",
        like,
        f.kind,
        person,
        session,
        f.from,
        f.until,
        in_line
    )
    .fetch_one(db)
    .await?;
    Ok(Listing { rows: rows.into_iter().map(line).collect::<Store<_>>()?, total: total(n) })
}

/// Whose lines make the story of a session.
pub(crate) struct Story<'a> {
    pub(crate) session: SessionId,
    pub(crate) request: Uuid,
    pub(crate) grant: Uuid,
    /// Requester and approver: the lines of their passkeys belong to it, as do those of who saw the recording unmasked or allowed it.
    pub(crate) people: &'a [Uuid],
    /// Leaves of the tree to look at.
    pub(crate) size: i64,
}

/// The session's own lines in the tree, those of its request, grant and step-up or certificate, and those of the passkeys that signed.
pub(crate) async fn story(db: impl PgExecutor<'_>, s: Story<'_>) -> Store<Vec<(i64, String)>> {
    let rows = sqlx::query!(
        r#"select l.index, e.record from audit_entry e join audit_leaf l on l.entry = e.id
           where l.index < $5 and (e.session = $1
           or (e.kind in ('request_submitted', 'request_approved', 'grant_made', 'break_glass') and (e.record::jsonb ->> 'request')::uuid = $2)
           or (e.kind = 'card' and ((e.record::jsonb ->> 'request')::uuid = $2
               or (e.record::jsonb ->> 'what' in ('begun', 'countersigned', 'revoked')
                   and (e.record::jsonb ->> 'card')::uuid = (select b.card from break_glass b where b.request = $2))))
           or (e.kind = 'grant_revoked' and (e.record::jsonb ->> 'grant')::uuid = $3)
           or (e.kind in ('step_up_asked', 'step_up_passed')
               and (e.record::jsonb ->> 'step_up')::uuid in (select u.id from step_up u where u.used_by = $1))
           or (e.kind = 'certificate_issued' and e.record::jsonb ->> 'serial' = (select s.certificate::text from session s where s.id = $1))
           or (e.kind = 'passkey_enrolled' and (e.people && $4
               or e.people && array(select u.requester from unmask u where u.session = $1)
               or e.people && array(select a.holder from unmask_answer a join unmask u on u.id = a.unmask where u.session = $1)))
           or (e.kind = 'person_added' and (e.record::jsonb ->> 'person')::uuid in (
               select b.person from break_glass b where b.request = $2 and b.card is not null union
               select h.placed_by from legal_hold h where h.session = $1 union select h.lifted_by from legal_hold h where h.session = $1
               union select d.by_person from shredding d where d.session = $1)))
           order by l.index"#,
        s.session.0,
        s.request,
        s.grant,
        s.people,
        s.size
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.index, r.record)).collect())
}

/// Whether the connected role could change what is written: (role, can change).
pub(crate) async fn can_rewrite(db: impl PgExecutor<'_>) -> Store<(String, bool)> {
    let r = sqlx::query!(
        r#"select current_user::text as "role!", bool_or(has_table_privilege(t, p)) as "can!"
           from unnest(array['audit_entry', 'audit_leaf', 'audit_checkpoint', 'evidence']) t,
           unnest(array['update', 'delete', 'truncate']) p"#
    )
    .fetch_one(db)
    .await?;
    Ok((r.role, r.can))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_of_hexadecimal_letters_is_not_looked_for_in_hashes() {
        assert!(part_of_any_hash("Ada") && part_of_any_hash("beef") && part_of_any_hash("4700037"));
        assert!(!part_of_any_hash("ben") && !part_of_any_hash("01a2096c") && !part_of_any_hash("db-1"));
    }
}
