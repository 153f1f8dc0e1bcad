//! Table `absence`: which approver is away until when, and who fills their place.
use super::Store;
use anteroom_domain::{Moment, PersonId};
use sqlx::PgExecutor;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct Absence {
    pub(crate) approver: PersonId,
    pub(crate) deputy: PersonId,
    pub(crate) from: Moment,
    pub(crate) until: Moment,
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, id: Uuid, a: &Absence, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into absence (id, approver, deputy, starts_at, ends_at, made_at) values ($1, $2, $3, $4, $5, $6)",
        id,
        a.approver.0,
        a.deputy.0,
        a.from,
        a.until,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends what this approver has set; false if there was nothing.
pub(crate) async fn end(db: impl PgExecutor<'_>, approver: PersonId, at: Moment) -> Store<bool> {
    let done =
        sqlx::query!("update absence set ended_at = $2 where approver = $1 and ended_at is null", approver.0, at).execute(db).await?;
    Ok(done.rows_affected() > 0)
}

/// What has not ended, of this approver.
pub(crate) async fn of(db: impl PgExecutor<'_>, approver: PersonId, now: Moment) -> Store<Option<Absence>> {
    let row = sqlx::query!(
        "select approver, deputy, starts_at, ends_at from absence where approver = $1 and ended_at is null and ends_at > $2",
        approver.0,
        now
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| Absence { approver: r.approver.into(), deputy: r.deputy.into(), from: r.starts_at, until: r.ends_at }))
}

/// Approvers who are away now and named this deputy; none of them is suspended or a vendor's.
pub(crate) async fn deputised(db: impl PgExecutor<'_>, deputy: PersonId, now: Moment) -> Store<Vec<PersonId>> {
    let ids = sqlx::query_scalar!(
        "select a.approver from absence a join person p on p.id = a.approver
         where a.deputy = $1 and a.ended_at is null and a.starts_at <= $2 and a.ends_at > $2
         and p.suspended_at is null and 'approver' = any(p.roles) and p.company is null order by a.made_at, a.id limit 50",
        deputy.0,
        now
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(PersonId).collect())
}
