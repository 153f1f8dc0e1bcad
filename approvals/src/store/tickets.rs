//! Table `rdp_ticket`: what opens one RDP session each.
use super::Store;
use crate::store::targets::Sealed;
use anteroom_domain::{GrantId, Moment, PersonId, SessionId, StepUpId, TicketId};
use sqlx::PgExecutor;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) id: TicketId,
    pub(crate) name: String,
    pub(crate) person: PersonId,
    pub(crate) grant: GrantId,
    pub(crate) step_up: StepUpId,
    pub(crate) source: String,
    pub(crate) issued_at: Moment,
    pub(crate) expires_at: Moment,
    pub(crate) voided: bool,
    pub(crate) session: Option<SessionId>,
    pub(crate) reopens_until: Option<Moment>,
}

/// A ticket with all that its use is judged by.
pub(crate) struct Found {
    pub(crate) ticket: Ticket,
    /// Of its grant.
    pub(crate) target: String,
    pub(crate) account: String,
    /// Whether its session has begun and not ended.
    pub(crate) open: bool,
    pub(crate) sealed: Sealed,
}

struct Row {
    id: Uuid,
    name: String,
    person: Uuid,
    access_grant: Uuid,
    step_up: Uuid,
    source: String,
    key_version: i32,
    nonce: Vec<u8>,
    sealed: Vec<u8>,
    issued_at: Moment,
    expires_at: Moment,
    voided_at: Option<Moment>,
    session: Option<Uuid>,
    reopens_until: Option<Moment>,
    target_name: String,
    account_name: String,
    open: bool,
}

impl From<Row> for Found {
    fn from(r: Row) -> Self {
        Self {
            ticket: Ticket {
                id: r.id.into(),
                name: r.name,
                person: r.person.into(),
                grant: r.access_grant.into(),
                step_up: r.step_up.into(),
                source: r.source,
                issued_at: r.issued_at,
                expires_at: r.expires_at,
                voided: r.voided_at.is_some(),
                session: r.session.map(Into::into),
                reopens_until: r.reopens_until,
            },
            target: r.target_name,
            account: r.account_name,
            open: r.open,
            sealed: Sealed { kind: "ticket".into(), key_version: r.key_version, nonce: r.nonce, sealed: r.sealed },
        }
    }
}

/// False if its step-up has made a ticket already.
pub(crate) async fn insert(db: impl PgExecutor<'_>, t: &Ticket, s: &Sealed) -> Store<bool> {
    let done = sqlx::query!(
        "insert into rdp_ticket (id, name, person, access_grant, step_up, source, key_version, nonce, sealed, issued_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
        t.id.0,
        t.name,
        t.person.0,
        t.grant.0,
        t.step_up.0,
        t.source,
        s.key_version,
        s.nonce,
        s.sealed,
        t.issued_at,
        t.expires_at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes any text: a name that can't exist takes the same road as one that doesn't.
pub(crate) async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Store<Option<Found>> {
    let row = sqlx::query_as!(
        Row,
        r#"select r.id, r.name, r.person, r.access_grant, r.step_up, r.source, r.key_version, r.nonce, r.sealed, r.issued_at, r.expires_at,
           r.voided_at, r.session, r.reopens_until, t.name as target_name, a.name as account_name,
           exists(select from session s where s.id = r.session and s.ended_at is null) as "open!"
           from rdp_ticket r join access_grant g on g.id = r.access_grant join target t on t.id = g.target join account a on a.id = g.account
           where r.name = $1"#,
        name
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Found::from))
}

/// The same; whoever else uses it waits until our transaction ends.
pub(crate) async fn held(tx: &mut sqlx::PgConnection, id: TicketId) -> Store<Option<Found>> {
    let row = sqlx::query_as!(
        Row,
        r#"select r.id, r.name, r.person, r.access_grant, r.step_up, r.source, r.key_version, r.nonce, r.sealed, r.issued_at, r.expires_at,
           r.voided_at, r.session, r.reopens_until, t.name as target_name, a.name as account_name,
           exists(select from session s where s.id = r.session and s.ended_at is null) as "open!"
           from rdp_ticket r join access_grant g on g.id = r.access_grant join target t on t.id = g.target join account a on a.id = g.account
           where r.id = $1 for update of r"#,
        id.0
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(Found::from))
}

/// Tickets of this person that are good for a first use.
pub(crate) async fn unused_of(db: impl PgExecutor<'_>, person: PersonId, now: Moment) -> Store<i64> {
    let n = sqlx::query_scalar!(
        "select count(*) from rdp_ticket where person = $1 and session is null and voided_at is null and expires_at > $2",
        person.0,
        now
    )
    .fetch_one(db)
    .await?;
    Ok(n.unwrap_or_default())
}

/// Gives it to a session, its first or the same again.
pub(crate) async fn spend(db: impl PgExecutor<'_>, id: TicketId, session: SessionId) -> Store<bool> {
    let done = sqlx::query!(
        "update rdp_ticket set session = $2, reopens_until = null where id = $1 and (session is null or session = $2)",
        id.0,
        session.0
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whoever has its secret may open its session again until then.
pub(crate) async fn reopens(db: impl PgExecutor<'_>, session: SessionId, until: Moment) -> Store<()> {
    sqlx::query!("update rdp_ticket set reopens_until = $2 where session = $1", session.0, until).execute(db).await?;
    Ok(())
}

/// Counts a wrong secret; from `most` on it is void.
pub(crate) async fn failed(db: impl PgExecutor<'_>, id: TicketId, most: i32, now: Moment) -> Store<()> {
    sqlx::query!(
        "update rdp_ticket set failures = failures + 1, voided_at = coalesce(voided_at, case when failures + 1 >= $2 then $3::timestamptz end)
         where id = $1",
        id.0,
        most,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets those that expired before a moment and whose session, if one began, is over.
pub(crate) async fn sweep(db: impl PgExecutor<'_>, before: Moment) -> Store<()> {
    sqlx::query!(
        "delete from rdp_ticket r where r.expires_at < $1
         and not exists(select from session s where s.id = r.session and s.ended_at is null)",
        before
    )
    .execute(db)
    .await?;
    Ok(())
}
