//! Table `legal_hold`.
use super::Store;
use crate::StoreError;
use anteroom_domain::{HoldId, HoldLifted, LegalHold, Moment, PersonId, SessionId};
use sqlx::PgExecutor;
use uuid::Uuid;

struct Row {
    id: Uuid,
    session: Uuid,
    reason: String,
    placed_by: Uuid,
    placed_by_handle: String,
    placed_at: Moment,
    lifted_by: Option<Uuid>,
    lifted_by_handle: Option<String>,
    lifted_at: Option<Moment>,
    lift_reason: Option<String>,
}

impl TryFrom<Row> for LegalHold {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("legal_hold");
        let lifted = match (r.lifted_by, r.lifted_by_handle, r.lifted_at, r.lift_reason) {
            (Some(by), Some(handle), Some(at), Some(reason)) => Some(HoldLifted {
                by: by.into(),
                by_handle: handle.try_into().map_err(|_| WHERE)?,
                at,
                reason: reason.try_into().map_err(|_| WHERE)?,
            }),
            (None, None, None, None) => None,
            _ => return Err(WHERE),
        };
        Ok(Self {
            id: r.id.into(),
            session: r.session.into(),
            reason: r.reason.try_into().map_err(|_| WHERE)?,
            placed_by: r.placed_by.into(),
            placed_by_handle: r.placed_by_handle.try_into().map_err(|_| WHERE)?,
            placed_at: r.placed_at,
            lifted,
        })
    }
}

/// All of a session, oldest first.
pub(crate) async fn of(db: impl PgExecutor<'_>, session: SessionId) -> Store<Vec<LegalHold>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select h.id, h.session, h.reason, h.placed_by, p.handle as placed_by_handle, h.placed_at, h.lifted_by,
         l.handle as "lifted_by_handle?", h.lifted_at, h.lift_reason
         from legal_hold h join person p on p.id = h.placed_by left join person l on l.id = h.lifted_by
         where h.session = $1 order by h.placed_at, h.id"#,
        session.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(LegalHold::try_from).collect()
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, hold: &LegalHold) -> Store<()> {
    sqlx::query!(
        "insert into legal_hold (id, session, reason, placed_by, placed_at) values ($1, $2, $3, $4, $5)",
        hold.id.0,
        hold.session.0,
        hold.reason.as_str(),
        hold.placed_by.0,
        hold.placed_at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn lift(db: impl PgExecutor<'_>, hold: HoldId, by: PersonId, reason: &str, at: Moment) -> Store<()> {
    sqlx::query!(
        "update legal_hold set lifted_by = $2, lifted_at = $3, lift_reason = $4 where id = $1 and lifted_at is null",
        hold.0,
        by.0,
        at,
        reason
    )
    .execute(db)
    .await?;
    Ok(())
}
