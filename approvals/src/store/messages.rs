//! Table `session_message`: words on their way to the gateway that runs the session. A row lives for seconds.
use super::Store;
use anteroom_domain::{MessageId, Moment, PersonId, SessionId};
use sqlx::PgExecutor;
use uuid::Uuid;

pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    id: MessageId,
    session: SessionId,
    author: PersonId,
    text: &str,
    at: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into session_message (id, session, author, text, written_at) values ($1, $2, $3, $4, $5)",
        id.0,
        session.0,
        author.0,
        text,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) struct Taken {
    pub(crate) author: Uuid,
    pub(crate) author_name: String,
    pub(crate) text: String,
}

/// Once: after this the text is here no longer.
pub(crate) async fn take(db: impl PgExecutor<'_>, id: MessageId) -> Store<Option<Taken>> {
    let row = sqlx::query_as!(
        Taken,
        r#"with taken as (select id, author, text from session_message where id = $1 and text is not null for update)
           update session_message m set text = null from taken join person p on p.id = taken.author
           where m.id = taken.id returning taken.author, p.display_name as author_name, taken.text as "text!""#,
        id.0
    )
    .fetch_optional(db)
    .await?;
    Ok(row)
}

pub(crate) async fn answer(db: impl PgExecutor<'_>, id: MessageId, shown: bool) -> Store<()> {
    sqlx::query!("update session_message set shown = $2 where id = $1 and text is null", id.0, shown).execute(db).await?;
    Ok(())
}

/// Whether it was shown, once somebody has said so.
pub(crate) async fn answered(db: impl PgExecutor<'_>, id: MessageId) -> Store<Option<bool>> {
    Ok(sqlx::query_scalar!("select shown from session_message where id = $1", id.0).fetch_optional(db).await?.flatten())
}

pub(crate) async fn remove(db: impl PgExecutor<'_>, id: MessageId) -> Store<()> {
    sqlx::query!("delete from session_message where id = $1", id.0).execute(db).await?;
    Ok(())
}

/// What a program that died has left.
pub(crate) async fn sweep(db: impl PgExecutor<'_>, before: Moment) -> Store<()> {
    sqlx::query!("delete from session_message where written_at < $1", before).execute(db).await?;
    Ok(())
}
