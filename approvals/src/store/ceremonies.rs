//! Table `ceremony`: exchanges with a passkey that are under way.
use super::Store;
use crate::StoreError;
use anteroom_domain::{CeremonyId, Moment, PersonId};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::PgExecutor;

/// What a ceremony is for; one can't be finished as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Enrol,
    AddPasskey,
    Login,
    Review,
    StepUp,
    SshKey,
    Certificate,
    UnmaskReview,
    UnmaskOpen,
    BreakGlass,
    BreakGlassReview,
    CardBegin,
    CardCountersign,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::AddPasskey => "add_passkey",
            Self::Login => "login",
            Self::Review => "review",
            Self::StepUp => "step_up",
            Self::SshKey => "ssh_key",
            Self::Certificate => "certificate",
            Self::UnmaskReview => "unmask_review",
            Self::UnmaskOpen => "unmask_open",
            Self::BreakGlass => "break_glass",
            Self::BreakGlassReview => "break_glass_review",
            Self::CardBegin => "card_begin",
            Self::CardCountersign => "card_countersign",
        }
    }
}

/// A ceremony that is now ours alone: its row is gone.
#[derive(Debug)]
pub(crate) struct Taken<T, S> {
    pub(crate) person: Option<PersonId>,
    pub(crate) subject: T,
    pub(crate) state: S,
    pub(crate) content: Option<String>,
}

/// One that begins.
pub(crate) struct New<'a, T, S> {
    pub(crate) id: CeremonyId,
    pub(crate) kind: Kind,
    pub(crate) person: Option<PersonId>,
    pub(crate) subject: &'a T,
    pub(crate) state: &'a S,
    pub(crate) content: Option<&'a str>,
    pub(crate) expires_at: Moment,
}

pub(crate) async fn insert<T: Serialize, S: Serialize>(db: impl PgExecutor<'_>, c: New<'_, T, S>) -> Store<()> {
    const WHERE: StoreError = StoreError::Damaged("ceremony");
    sqlx::query!(
        "insert into ceremony (id, kind, person, subject, state, content, expires_at) values ($1, $2, $3, $4, $5, $6, $7)",
        c.id.0,
        c.kind.as_str(),
        c.person.map(|p| p.0),
        serde_json::to_value(c.subject).map_err(|_| WHERE)?,
        serde_json::to_value(c.state).map_err(|_| WHERE)?,
        c.content,
        c.expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes it, once. None if it is unknown, of another kind, used or too old.
pub(crate) async fn take<T: DeserializeOwned, S: DeserializeOwned>(
    db: impl PgExecutor<'_>,
    id: CeremonyId,
    kind: Kind,
    now: Moment,
) -> Store<Option<Taken<T, S>>> {
    const WHERE: StoreError = StoreError::Damaged("ceremony");
    let row = sqlx::query!(
        "delete from ceremony where id = $1 and kind = $2 returning person, subject, state, content, expires_at",
        id.0,
        kind.as_str()
    )
    .fetch_optional(db)
    .await?;
    let Some(r) = row.filter(|r| r.expires_at > now) else { return Ok(None) };
    Ok(Some(Taken {
        person: r.person.map(PersonId),
        subject: serde_json::from_value(r.subject).map_err(|_| WHERE)?,
        state: serde_json::from_value(r.state).map_err(|_| WHERE)?,
        content: r.content,
    }))
}

pub(crate) async fn delete_of(db: impl PgExecutor<'_>, person: PersonId) -> Store<()> {
    sqlx::query!("delete from ceremony where person = $1", person.0).execute(db).await?;
    Ok(())
}

pub(crate) async fn sweep(db: impl PgExecutor<'_>, now: Moment) -> Store<()> {
    sqlx::query!("delete from ceremony where expires_at < $1", now).execute(db).await?;
    Ok(())
}
