//! Table `request_comment`: what people wrote below a request.
use super::Store;
use crate::{StoreError, types::RequestComment};
use anteroom_domain::{Comment, Moment, PersonId, RequestId};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(crate) async fn insert(db: impl PgExecutor<'_>, id: Uuid, request: RequestId, by: PersonId, text: &Comment, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into request_comment (id, request, person, text, at) values ($1, $2, $3, $4, $5)",
        id,
        request.0,
        by.0,
        text.as_str(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn count(db: impl PgExecutor<'_>, request: RequestId) -> Store<i64> {
    let n = sqlx::query_scalar!("select count(*) from request_comment where request = $1", request.0).fetch_one(db).await?;
    Ok(n.unwrap_or_default())
}

/// Oldest first.
pub(crate) async fn of(db: impl PgExecutor<'_>, request: RequestId) -> Store<Vec<RequestComment>> {
    let rows = sqlx::query!(
        "select c.person, p.display_name, c.text, c.at from request_comment c join person p on p.id = c.person
         where c.request = $1 order by c.at, c.id",
        request.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let text = Comment::new(r.text).map_err(|_| StoreError::Damaged("request_comment"))?;
            Ok(RequestComment { by: r.person.into(), name: r.display_name, text, at: r.at })
        })
        .collect()
}
