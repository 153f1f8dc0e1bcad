//! Table `patients_seen`.
use super::{Store, json, total};
use crate::StoreError;
use anteroom_domain::{Moment, PatientsSeen, PersonId, SessionId};
use anteroom_policy::Reaction;
use sqlx::{PgExecutor, PgPool};

/// What is kept of one session.
pub(crate) struct Kept {
    pub(crate) seen: PatientsSeen,
    pub(crate) reaction: Reaction,
}

fn kept(identifiers: serde_json::Value, reaction: &str) -> Store<Kept> {
    const WHERE: StoreError = StoreError::Damaged("patients_seen");
    let identifiers = serde_json::from_value(identifiers).map_err(|_| WHERE)?;
    Ok(Kept { seen: PatientsSeen::new(identifiers), reaction: Reaction::from_name(reaction).ok_or(WHERE)? })
}

/// What counts of this session; its row is ours until the transaction ends.
pub(crate) async fn held(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<Kept>> {
    let row =
        sqlx::query!("select identifiers, reaction from patients_seen where session = $1 for update", session.0).fetch_optional(db).await?;
    row.map(|r| kept(r.identifiers, &r.reaction)).transpose()
}

pub(crate) async fn put(
    db: impl PgExecutor<'_>,
    session: SessionId,
    person: PersonId,
    seen: &PatientsSeen,
    reaction: Reaction,
    at: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into patients_seen (session, person, patients, identifiers, reaction, at) values ($1, $2, $3, $4, $5, $6)
         on conflict (session) do update set patients = $3, identifiers = $4, reaction = $5, at = $6",
        session.0,
        person.0,
        i64::try_from(seen.patients()).unwrap_or(i64::MAX),
        json(&seen.identifiers)?,
        reaction.as_str(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many patients the newest other sessions of this person showed that showed any.
pub(crate) async fn earlier(db: impl PgExecutor<'_>, person: PersonId, but: SessionId, at_most: i64) -> Store<Vec<u64>> {
    let rows = sqlx::query_scalar!(
        "select patients from patients_seen where person = $1 and session <> $2 and patients > 0 order by at desc limit $3",
        person.0,
        but.0,
        at_most
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|n| total(Some(n))).collect())
}

pub(crate) async fn of_sessions(db: &PgPool, sessions: &[uuid::Uuid]) -> Store<Vec<(SessionId, Kept)>> {
    let rows =
        sqlx::query!("select session, identifiers, reaction from patients_seen where session = any($1)", sessions).fetch_all(db).await?;
    rows.into_iter().map(|r| Ok((r.session.into(), kept(r.identifiers, &r.reaction)?))).collect()
}

pub(crate) async fn of_person(db: &PgPool, person: PersonId, at_most: i64) -> Store<Vec<(SessionId, Moment, Kept)>> {
    let rows = sqlx::query!(
        "select session, at, identifiers, reaction from patients_seen where person = $1 and patients > 0 order by at desc limit $2",
        person.0,
        at_most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|r| Ok((r.session.into(), r.at, kept(r.identifiers, &r.reaction)?))).collect()
}
