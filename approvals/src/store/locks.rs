//! Table `lock`.
use super::Store;
use crate::StoreError;
use anteroom_domain::{CompanyId, Lock, LockId, Lockable, Moment, Person, PersonId, TargetId};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

struct Row {
    id: Uuid,
    person: Option<Uuid>,
    target: Option<Uuid>,
    company: Option<Uuid>,
    reason: String,
    by_person: Option<Uuid>,
    at: Moment,
    lifted_at: Option<Moment>,
}

impl TryFrom<Row> for Lock {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("lock");
        let on = match (r.person, r.target, r.company) {
            (Some(p), None, None) => Lockable::Person(p.into()),
            (None, Some(t), None) => Lockable::Target(t.into()),
            (None, None, Some(c)) => Lockable::Company(c.into()),
            _ => return Err(WHERE),
        };
        let reason = r.reason.try_into().map_err(|_| WHERE)?;
        Ok(Self { id: r.id.into(), on, reason, by: r.by_person.map(Into::into), at: r.at, lifted_at: r.lifted_at })
    }
}

fn columns(on: Lockable) -> (Option<Uuid>, Option<Uuid>, Option<Uuid>) {
    match on {
        Lockable::Person(p) => (Some(p.0), None, None),
        Lockable::Target(t) => (None, Some(t.0), None),
        Lockable::Company(c) => (None, None, Some(c.0)),
    }
}

/// What a lock of it counts by until our transaction ends: whoever starts a session meanwhile waits, and then sees the lock. False if there
/// is no such thing.
pub(crate) async fn hold(tx: &mut PgConnection, on: Lockable) -> Store<bool> {
    let found = match on {
        Lockable::Person(p) => sqlx::query_scalar!("select id from person where id = $1 for no key update", p.0).fetch_optional(tx).await?,
        Lockable::Target(t) => sqlx::query_scalar!("select id from target where id = $1 for no key update", t.0).fetch_optional(tx).await?,
        Lockable::Company(c) => {
            sqlx::query_scalar!("select id from company where id = $1 for no key update", c.0).fetch_optional(tx).await?
        }
    };
    Ok(found.is_some())
}

/// The other side of [`hold`]: nobody locks or changes this target or company before our transaction ends.
pub(crate) async fn share(tx: &mut PgConnection, target: TargetId, company: Option<CompanyId>) -> Store<()> {
    sqlx::query_scalar!("select id from target where id = $1 for share", target.0).fetch_optional(&mut *tx).await?;
    if let Some(c) = company {
        sqlx::query_scalar!("select id from company where id = $1 for share", c.0).fetch_optional(tx).await?;
    }
    Ok(())
}

/// False if it is locked already.
pub(crate) async fn insert(db: impl PgExecutor<'_>, l: &Lock) -> Store<bool> {
    let (person, target, company) = columns(l.on);
    let done = sqlx::query!(
        "insert into lock (id, person, target, company, reason, by_person, at) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        l.id.0,
        person,
        target,
        company,
        l.reason.as_str(),
        l.by.map(|p| p.0),
        l.at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The lock that was lifted; none if there was none.
pub(crate) async fn lift(db: impl PgExecutor<'_>, on: Lockable, by: Option<PersonId>, at: Moment) -> Store<Option<LockId>> {
    let (person, target, company) = columns(on);
    let id = sqlx::query_scalar!(
        "update lock set lifted_by = $4, lifted_at = $5
         where lifted_at is null and (person = $1 or target = $2 or company = $3) returning id",
        person,
        target,
        company,
        by.map(|p| p.0),
        at
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(LockId))
}

/// Of those that count, the ones on any of these, or on a company.
pub(crate) async fn counting(db: impl PgExecutor<'_>) -> Store<Vec<Lock>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, person, target, company, reason, by_person, at, lifted_at from lock where lifted_at is null order by at, id"
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Lock::try_from).collect()
}

pub(crate) async fn of(db: impl PgExecutor<'_>, people: &[Uuid], targets: &[Uuid]) -> Store<Vec<Lock>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, person, target, company, reason, by_person, at, lifted_at from lock
         where lifted_at is null and (person = any($1) or target = any($2) or company is not null) order by at, id",
        people,
        targets
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Lock::try_from).collect()
}

/// Those that keep this person from this target.
pub(crate) async fn between(db: impl PgExecutor<'_>, person: &Person, target: TargetId) -> Store<Vec<Lock>> {
    let company = person.attributes.company.map(|c| c.0);
    let rows = sqlx::query_as!(
        Row,
        "select id, person, target, company, reason, by_person, at, lifted_at from lock
         where lifted_at is null and (person = $1 or target = $2 or company = $3) order by at, id",
        person.id.0,
        target.0,
        company
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Lock::try_from).collect()
}

/// Whether a lock on them or on their company keeps them out.
pub(crate) async fn keeps_out(db: impl PgExecutor<'_>, person: PersonId) -> Store<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists(select from lock l where l.lifted_at is null and (l.person = $1 or l.company = (select company from person where id = $1)))
         as "locked!""#,
        person.0
    )
    .fetch_one(db)
    .await?)
}

/// A lock as people read it.
pub(crate) struct Named {
    pub(crate) lock: Lock,
    pub(crate) name: String,
    pub(crate) by: Option<String>,
}

/// Those that count, newest first.
pub(crate) async fn all(db: impl PgExecutor<'_>, at_most: i64) -> Store<Vec<Named>> {
    let rows = sqlx::query!(
        r#"select l.id, l.person, l.target, l.company, l.reason, l.by_person, l.at, coalesce(p.handle, t.name, c.name) as "name!",
         b.handle as "by?"
         from lock l left join person p on p.id = l.person left join target t on t.id = l.target left join company c on c.id = l.company
         left join person b on b.id = l.by_person
         where l.lifted_at is null order by l.at desc, l.id limit $1"#,
        at_most
    )
    .fetch_all(db)
    .await?;
    let read = |r: Row, name, by| Ok(Named { lock: Lock::try_from(r)?, name, by });
    rows.into_iter()
        .map(|r| {
            let row = Row {
                id: r.id,
                person: r.person,
                target: r.target,
                company: r.company,
                reason: r.reason,
                by_person: r.by_person,
                at: r.at,
                lifted_at: None,
            };
            read(row, r.name, r.by)
        })
        .collect()
}
