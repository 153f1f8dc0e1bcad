//! Tables `notice` and `notice_delivery`: what is to be told, and how far that came.
use super::{Store, json};
use crate::{
    StoreError,
    notify::{Notice, TroubledNotice},
};
use anteroom_domain::{Moment, PersonId, Roles};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(crate) async fn insert(db: impl PgExecutor<'_>, id: Uuid, notice: &Notice, at: Moment) -> Store<()> {
    sqlx::query!("insert into notice (id, body, at) values ($1, $2, $3)", id, json(notice)?, at).execute(db).await?;
    Ok(())
}

/// One delivery that is ours to try now.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) id: Uuid,
    pub(crate) notice: Uuid,
    pub(crate) body: Notice,
    /// When it happened.
    pub(crate) at: Moment,
    pub(crate) channel: String,
    pub(crate) recipient: String,
    /// This one included.
    pub(crate) attempts: i32,
}

/// Oldest first, held by our transaction.
pub(crate) async fn unspread(db: impl PgExecutor<'_>, most: i64) -> Store<Vec<(Uuid, Notice)>> {
    let rows = sqlx::query!("select id, body from notice where spread_at is null order by at, id limit $1 for update skip locked", most)
        .fetch_all(db)
        .await?;
    rows.into_iter().map(|r| Ok((r.id, read(r.body)?))).collect()
}

fn read(body: serde_json::Value) -> Store<Notice> {
    serde_json::from_value(body).map_err(|_| StoreError::Damaged("notice"))
}

pub(crate) async fn spread(db: impl PgExecutor<'_>, id: Uuid, now: Moment) -> Store<()> {
    sqlx::query!("update notice set spread_at = $2 where id = $1", id, now).execute(db).await?;
    Ok(())
}

pub(crate) async fn insert_delivery(
    db: impl PgExecutor<'_>,
    id: Uuid,
    notice: Uuid,
    channel: &str,
    recipient: &str,
    now: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into notice_delivery (id, notice, channel, recipient, next_at) values ($1, $2, $3, $4, $5) on conflict do nothing",
        id,
        notice,
        channel,
        recipient,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// People who can be written to; with those who are away their deputies. A role but admin counts for the hospital's own people only.
pub(crate) async fn readers(
    db: impl PgExecutor<'_>,
    person: Option<PersonId>,
    role: Option<&str>,
    group: Option<&str>,
    now: Moment,
) -> Store<Vec<PersonId>> {
    let ids = sqlx::query_scalar!(
        r#"with wanted as (
             select p.id from person p
             where p.suspended_at is null and ($1::uuid is null or p.id = $1) and ($2::text is null or $2 = any(p.roles))
             and ($2 is null or $2 = 'admin' or p.company is null)
             and ($3::text is null or p.attributes -> 'groups' ? $3)
           )
           select m.person as "person!" from mail_address m join person p on p.id = m.person
           where p.suspended_at is null and (m.person in (select id from wanted)
             or ($2 = 'approver' and p.company is null and m.person in (select a.deputy from absence a where a.approver in (select id from wanted)
                 and a.ended_at is null and a.starts_at <= $4 and a.ends_at > $4)))"#,
        person.map(|p| p.0),
        role,
        group,
        now
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(PersonId).collect())
}

/// Takes what is due: it is counted as tried, and nobody else's until `leased`.
pub(crate) async fn take_due(db: impl PgExecutor<'_>, now: Moment, leased: Moment, most: i64) -> Store<Vec<Due>> {
    let rows = sqlx::query!(
        "update notice_delivery d set attempts = d.attempts + 1, next_at = $2
         from notice n where n.id = d.notice and d.id in (
             select id from notice_delivery where delivered_at is null and dead_at is null and next_at <= $1
             order by next_at, id limit $3 for update skip locked)
         returning d.id, d.notice, n.body, n.at, d.channel, d.recipient, d.attempts",
        now,
        leased,
        most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let (id, notice, body, at) = (r.id, r.notice, read(r.body)?, r.at);
            Ok(Due { id, notice, body, at, channel: r.channel, recipient: r.recipient, attempts: r.attempts })
        })
        .collect()
}

pub(crate) async fn delivered(db: impl PgExecutor<'_>, id: Uuid, now: Moment) -> Store<()> {
    sqlx::query!("update notice_delivery set delivered_at = $2, last_error = null where id = $1", id, now).execute(db).await?;
    Ok(())
}

pub(crate) async fn later(db: impl PgExecutor<'_>, id: Uuid, why: &str, at: Moment) -> Store<()> {
    sqlx::query!("update notice_delivery set next_at = $3, last_error = $2 where id = $1", id, why, at).execute(db).await?;
    Ok(())
}

pub(crate) async fn give_up(db: impl PgExecutor<'_>, id: Uuid, why: &str, now: Moment) -> Store<()> {
    sqlx::query!("update notice_delivery set dead_at = $3, last_error = $2 where id = $1", id, why, now).execute(db).await?;
    Ok(())
}

/// False if it was not given up.
pub(crate) async fn again(db: impl PgExecutor<'_>, id: Uuid, now: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update notice_delivery set dead_at = null, attempts = 0, next_at = $2 where id = $1 and dead_at is not null",
        id,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deliveries go with their notice.
pub(crate) async fn sweep(db: impl PgExecutor<'_>, before: Moment) -> Store<()> {
    sqlx::query!("delete from notice where at < $1", before).execute(db).await?;
    Ok(())
}

/// What was given up, or failed and is tried again; newest first.
pub(crate) async fn troubled(db: impl PgExecutor<'_>, most: i64) -> Store<Vec<TroubledNotice>> {
    let rows = sqlx::query!(
        r#"select d.id, n.body, n.at, d.channel, d.recipient, p.handle as "handle?", d.attempts, d.next_at, d.dead_at, d.last_error
           from notice_delivery d join notice n on n.id = d.notice left join person p on d.channel = 'mail' and p.id::text = d.recipient
           where d.delivered_at is null and (d.dead_at is not null or d.last_error is not null) order by n.at desc, d.id limit $1"#,
        most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(TroubledNotice {
                id: r.id,
                title: read(r.body)?.what.title(),
                at: r.at,
                channel: r.channel,
                recipient: r.handle.unwrap_or(r.recipient),
                attempts: r.attempts,
                next_at: r.next_at,
                dead_at: r.dead_at,
                last_error: r.last_error.unwrap_or_default(),
            })
        })
        .collect()
}

/// Of a person by id, if they are not suspended.
pub(crate) async fn mail_of(db: impl PgExecutor<'_>, person: &str) -> Store<Option<String>> {
    let address = sqlx::query_scalar!(
        "select m.address from mail_address m join person p on p.id = m.person where p.id::text = $1 and p.suspended_at is null",
        person
    )
    .fetch_optional(db)
    .await?;
    Ok(address)
}

/// Where somebody is written to, and what they may see there; none if they are suspended or have no address.
pub(crate) async fn reader(db: impl PgExecutor<'_>, person: &str) -> Store<Option<(String, Roles)>> {
    let row = sqlx::query!(
        "select m.address, p.roles from mail_address m join person p on p.id = m.person where p.id::text = $1 and p.suspended_at is null",
        person
    )
    .fetch_optional(db)
    .await?;
    row.map(|r| Ok((r.address, Roles::from_names(&r.roles).map_err(|_| StoreError::Damaged("person"))?))).transpose()
}

pub(crate) async fn set_mail(db: impl PgExecutor<'_>, person: PersonId, address: Option<&str>) -> Store<()> {
    match address {
        Some(a) => {
            sqlx::query!(
                "insert into mail_address (person, address) values ($1, $2) on conflict (person) do update set address = excluded.address",
                person.0,
                a
            )
            .execute(db)
            .await?
        }
        None => sqlx::query!("delete from mail_address where person = $1", person.0).execute(db).await?,
    };
    Ok(())
}
