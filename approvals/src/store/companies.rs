//! Table `company`.
use super::Store;
use crate::StoreError;
use anteroom_domain::{Company, CompanyId, Moment, Person, TargetId};
use sqlx::PgExecutor;
use uuid::Uuid;

struct Row {
    id: Uuid,
    name: String,
    contract_ends: Moment,
    supervised: bool,
}

impl TryFrom<Row> for Company {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        let name = r.name.try_into().map_err(|_| StoreError::Damaged("company"))?;
        Ok(Self { id: r.id.into(), name, contract_ends: r.contract_ends, supervised: r.supervised })
    }
}

/// False if the name is taken.
pub(crate) async fn insert(db: impl PgExecutor<'_>, c: &Company, at: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "insert into company (id, name, contract_ends, supervised, created_at) values ($1, $2, $3, $4, $5) on conflict (name) do nothing",
        c.id.0,
        c.name.as_str(),
        c.contract_ends,
        c.supervised,
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn change(db: impl PgExecutor<'_>, c: &Company) -> Store<bool> {
    let done = sqlx::query!("update company set contract_ends = $2, supervised = $3 where id = $1", c.id.0, c.contract_ends, c.supervised)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Of a vendor's person; none: they are the hospital's own.
pub(crate) async fn of(db: impl PgExecutor<'_>, person: &Person) -> Store<Option<Company>> {
    match person.attributes.company {
        Some(id) => by_id(db, id).await,
        None => Ok(None),
    }
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: CompanyId) -> Store<Option<Company>> {
    let row =
        sqlx::query_as!(Row, "select id, name, contract_ends, supervised from company where id = $1", id.0).fetch_optional(db).await?;
    row.map(Company::try_from).transpose()
}

pub(crate) async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Store<Option<Company>> {
    let row = sqlx::query_as!(Row, "select id, name, contract_ends, supervised from company where lower(name) = lower($1)", name)
        .fetch_optional(db)
        .await?;
    row.map(Company::try_from).transpose()
}

pub(crate) async fn list(db: impl PgExecutor<'_>) -> Store<Vec<Company>> {
    let rows =
        sqlx::query_as!(Row, "select id, name, contract_ends, supervised from company order by name limit 1000").fetch_all(db).await?;
    rows.into_iter().map(Company::try_from).collect()
}

/// Makes who begins a session on this target wait for each other, and says how many of the same kind run there: of vendors' people or of our own.
pub(crate) async fn running_on(tx: &mut sqlx::PgConnection, target: TargetId, vendors: bool) -> Store<u64> {
    sqlx::query_scalar!("select id from target where id = $1 for no key update", target.0).fetch_optional(&mut *tx).await?;
    let n = sqlx::query_scalar!(
        "select count(*) from session s join person p on p.id = s.person
         where s.target = $1 and s.ended_at is null and (p.company is not null) = $2",
        target.0,
        vendors
    )
    .fetch_one(tx)
    .await?;
    Ok(super::total(n))
}
