//! Table `shredding`.
use super::Store;
use crate::StoreError;
use anteroom_domain::{Moment, SessionId, Shredding};
use sqlx::PgExecutor;
use uuid::Uuid;

struct Row {
    session: Uuid,
    at: Moment,
    by_person: Option<Uuid>,
    by_handle: Option<String>,
    reason: String,
    envelopes: serde_json::Value,
}

impl TryFrom<Row> for Shredding {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("shredding");
        Ok(Self {
            session: r.session.into(),
            at: r.at,
            by: r.by_person.map(Into::into),
            by_handle: r.by_handle.map(TryInto::try_into).transpose().map_err(|_| WHERE)?,
            reason: r.reason.try_into().map_err(|_| WHERE)?,
            envelopes: serde_json::from_value(r.envelopes).map_err(|_| WHERE)?,
        })
    }
}

pub(crate) async fn of(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<Shredding>> {
    let row = sqlx::query_as!(
        Row,
        r#"select d.session, d.at, d.by_person, p.handle as "by_handle?", d.reason, d.envelopes
         from shredding d left join person p on p.id = d.by_person where d.session = $1"#,
        session.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Shredding::try_from).transpose()
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, d: &Shredding) -> Store<()> {
    let envelopes = serde_json::to_value(&d.envelopes).map_err(|_| StoreError::Damaged("shredding"))?;
    sqlx::query!(
        "insert into shredding (session, at, by_person, reason, envelopes) values ($1, $2, $3, $4, $5)",
        d.session.0,
        d.at,
        d.by.map(|p| p.0),
        d.reason.as_str(),
        envelopes
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Decided, and nobody said that the keys are gone; oldest first, after a place.
pub(crate) async fn to_do(db: impl PgExecutor<'_>, after: Option<(Moment, SessionId)>, at_most: i64) -> Store<Vec<(Moment, SessionId)>> {
    let rows = sqlx::query!(
        "select session, at from shredding where done_at is null and ($1::timestamptz is null or (at, session) > ($1, $2::uuid))
         order by at, session limit $3",
        after.map(|a| a.0),
        after.map(|a| a.1.0),
        at_most
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.at, r.session.into())).collect())
}

pub(crate) async fn done(db: impl PgExecutor<'_>, session: SessionId, at: Moment) -> Store<()> {
    sqlx::query!("update shredding set done_at = $2 where session = $1 and done_at is null", session.0, at).execute(db).await?;
    Ok(())
}
