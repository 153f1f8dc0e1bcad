//! Tables `notice` and `notice_delivery`: what is to be told, and how far that came.
use super::{Store, json};
use crate::notify::Notice;
use anteroom_domain::Moment;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(crate) async fn insert(db: impl PgExecutor<'_>, id: Uuid, notice: &Notice, at: Moment) -> Store<()> {
    sqlx::query!("insert into notice (id, body, at) values ($1, $2, $3)", id, json(notice)?, at).execute(db).await?;
    Ok(())
}
