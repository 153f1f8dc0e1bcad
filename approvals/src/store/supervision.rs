//! Tables `supervision` and `supervision_note`.
use super::Store;
use anteroom_domain::{Moment, PersonId, SessionId, SupervisionId};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(crate) async fn join(db: impl PgExecutor<'_>, id: SupervisionId, session: SessionId, by: PersonId, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into supervision (id, session, supervisor, joined_at, renewed_at) values ($1, $2, $3, $4, clock_timestamp())",
        id.0,
        session.0,
        by.0,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// On the database's own clock, which every gateway shares. False if it is over, or its person may not any more.
pub(crate) async fn renew(db: impl PgExecutor<'_>, id: SupervisionId, by: PersonId) -> Store<bool> {
    let done = sqlx::query!(
        "update supervision v set renewed_at = clock_timestamp() from person p
         where v.id = $1 and v.supervisor = $2 and v.left_at is null and v.renewed_at > clock_timestamp() - interval '4 seconds'
         and p.id = v.supervisor and p.suspended_at is null",
        id.0,
        by.0
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Which session somebody's seat is at, if it was not given up.
pub(crate) async fn seat(db: impl PgExecutor<'_>, id: SupervisionId, by: PersonId) -> Store<Option<SessionId>> {
    let session = sqlx::query_scalar!("select session from supervision where id = $1 and supervisor = $2 and left_at is null", id.0, by.0)
        .fetch_optional(db)
        .await?;
    Ok(session.map(Into::into))
}

/// Which session it was about, if it was not over already.
pub(crate) async fn leave(db: impl PgExecutor<'_>, id: SupervisionId, by: PersonId, at: Moment) -> Store<Option<SessionId>> {
    let session = sqlx::query_scalar!(
        "update supervision set left_at = $3 where id = $1 and supervisor = $2 and left_at is null returning session",
        id.0,
        by.0,
        at
    )
    .fetch_optional(db)
    .await?;
    Ok(session.map(Into::into))
}

/// Ends those of a session that were not heard of for a lease, or whose session is over; whose they were.
pub(crate) async fn lapse(db: impl PgExecutor<'_>, session: SessionId, over: bool, at: Moment) -> Store<Vec<PersonId>> {
    let rows = sqlx::query_scalar!(
        "update supervision set left_at = $3, lapsed = not $2
         where session = $1 and left_at is null and ($2 or renewed_at < clock_timestamp() - interval '4 seconds') returning supervisor",
        session.0,
        over,
        at
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Milliseconds since the newest of the open leases was renewed, of those who may watch still.
pub(crate) async fn age_ms(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<i64>> {
    let age = sqlx::query_scalar!(
        "select (extract(epoch from clock_timestamp() - max(v.renewed_at)) * 1000)::bigint
         from supervision v join person p on p.id = v.supervisor
         where v.session = $1 and v.left_at is null and p.suspended_at is null and 'approver' = any(p.roles)
         and p.company is null",
        session.0
    )
    .fetch_one(db)
    .await?;
    Ok(age)
}

pub(crate) async fn watchers(db: impl PgExecutor<'_>, session: SessionId) -> Store<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select p.display_name from supervision v join person p on p.id = v.supervisor
         where v.session = $1 and v.left_at is null and v.renewed_at > clock_timestamp() - interval '4 seconds'
         group by p.id, p.display_name order by min(v.joined_at)",
        session.0
    )
    .fetch_all(db)
    .await?)
}

pub(crate) async fn watches(db: impl PgExecutor<'_>, session: SessionId, by: PersonId) -> Store<bool> {
    let held = sqlx::query_scalar!(
        r#"select exists(select from supervision where session = $1 and supervisor = $2 and left_at is null
           and renewed_at > clock_timestamp() - interval '4 seconds') as "watches!""#,
        session.0,
        by.0
    )
    .fetch_one(db)
    .await?;
    Ok(held)
}

/// Once a session: false if somebody did before.
pub(crate) async fn prolong(db: impl PgExecutor<'_>, session: SessionId, by: PersonId, at: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update session set prolonged_by = $2, prolonged_at = $3 where id = $1 and ended_at is null and prolonged_at is null",
        session.0,
        by.0,
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those of them that may go on after their grant's end.
pub(crate) async fn prolonged(db: impl PgExecutor<'_>, sessions: &[Uuid]) -> Store<Vec<SessionId>> {
    let ids = sqlx::query_scalar!("select id from session where id = any($1) and prolonged_at is not null", sessions).fetch_all(db).await?;
    Ok(ids.into_iter().map(SessionId::from).collect())
}

/// The name of whoever let this one go on.
pub(crate) async fn prolonged_by(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<String>> {
    Ok(sqlx::query_scalar!("select p.display_name from session s join person p on p.id = s.prolonged_by where s.id = $1", session.0)
        .fetch_optional(db)
        .await?)
}

pub(crate) struct Row {
    pub(crate) supervisor: Uuid,
    pub(crate) name: String,
    pub(crate) joined_at: Moment,
    pub(crate) left_at: Option<Moment>,
    pub(crate) lapsed: bool,
}

pub(crate) async fn of(db: impl PgExecutor<'_>, session: SessionId) -> Store<Vec<Row>> {
    Ok(sqlx::query_as!(
        Row,
        "select v.supervisor, p.display_name as name, v.joined_at, v.left_at, v.lapsed
         from supervision v join person p on p.id = v.supervisor where v.session = $1 order by v.joined_at limit 200",
        session.0
    )
    .fetch_all(db)
    .await?)
}

pub(crate) async fn note(db: impl PgExecutor<'_>, id: Uuid, session: SessionId, by: PersonId, text: &str, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into supervision_note (id, session, supervisor, written_at, text) values ($1, $2, $3, $4, $5)",
        id,
        session.0,
        by.0,
        at,
        text
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) struct Note {
    pub(crate) name: String,
    pub(crate) written_at: Moment,
    pub(crate) text: String,
}

pub(crate) async fn notes(db: impl PgExecutor<'_>, session: SessionId) -> Store<Vec<Note>> {
    Ok(sqlx::query_as!(
        Note,
        "select p.display_name as name, n.written_at, n.text from supervision_note n join person p on p.id = n.supervisor
         where n.session = $1 order by n.written_at limit 200",
        session.0
    )
    .fetch_all(db)
    .await?)
}

/// For the gateway that records the session: what it has not taken yet, once.
pub(crate) async fn take_notes(db: impl PgExecutor<'_>, session: SessionId, at: Moment) -> Store<Vec<(String, String)>> {
    let rows = sqlx::query!(
        r#"update supervision_note n set recorded_at = $2 from person p
           where n.session = $1 and n.recorded_at is null and p.id = n.supervisor returning p.display_name as name, n.text"#,
        session.0,
        at
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.name, r.text)).collect())
}

/// A running session may not run unwatched any more. Whether that is new; none: there is no such session.
pub(crate) async fn require(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<bool>> {
    Ok(sqlx::query_scalar!(
        r#"update session s set supervised = true
           from (select id, supervised from session where id = $1 and ended_at is null for update) before
           where s.id = before.id returning not before.supervised as "new!""#,
        session.0
    )
    .fetch_optional(db)
    .await?)
}

pub(crate) async fn supervised(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<bool>> {
    Ok(sqlx::query_scalar!("select supervised from session where id = $1 and ended_at is null", session.0).fetch_optional(db).await?)
}

pub(crate) struct Waiting {
    pub(crate) id: Uuid,
    pub(crate) ever: bool,
    pub(crate) watched: bool,
}

/// Running sessions that may not run unwatched, and whether somebody watches them now, or ever did.
pub(crate) async fn running(db: impl PgExecutor<'_>) -> Store<Vec<Waiting>> {
    Ok(sqlx::query_as!(
        Waiting,
        r#"select s.id, exists(select from supervision v where v.session = s.id) as "ever!",
           exists(select from supervision v where v.session = s.id and v.left_at is null
                  and v.renewed_at > clock_timestamp() - interval '4 seconds') as "watched!"
           from session s where s.ended_at is null and s.supervised order by s.started_at limit 200"#
    )
    .fetch_all(db)
    .await?)
}
