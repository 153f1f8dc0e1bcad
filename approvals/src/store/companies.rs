//! Tables `company` and `company_term`.
use super::{Store, total};
use crate::{CompanyRow, CompanyTerm, Listing, Page, StoreError, listing::pattern};
use anteroom_domain::{Company, CompanyId, GroupName, Handle, Moment, Person, PersonId, Reason, TargetId};
use sqlx::PgExecutor;
use uuid::Uuid;

struct Row {
    id: Uuid,
    name: String,
    contract_ends: Moment,
    supervised: bool,
    sponsors: Option<String>,
}

impl TryFrom<Row> for Company {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        let name = r.name.try_into().map_err(|_| StoreError::Damaged("company"))?;
        let sponsors = r.sponsors.map(GroupName::new).transpose().map_err(|_| StoreError::Damaged("company"))?;
        Ok(Self { id: r.id.into(), name, contract_ends: r.contract_ends, supervised: r.supervised, sponsors })
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
    let done = sqlx::query!(
        "update company set contract_ends = $2, supervised = $3, sponsors = $4 where id = $1",
        c.id.0,
        c.contract_ends,
        c.supervised,
        c.sponsors.as_ref().map(GroupName::as_str)
    )
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
    let row = sqlx::query_as!(Row, "select id, name, contract_ends, supervised, sponsors from company where id = $1", id.0)
        .fetch_optional(db)
        .await?;
    row.map(Company::try_from).transpose()
}

pub(crate) async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Store<Option<Company>> {
    let row = sqlx::query_as!(Row, "select id, name, contract_ends, supervised, sponsors from company where lower(name) = lower($1)", name)
        .fetch_optional(db)
        .await?;
    row.map(Company::try_from).transpose()
}

pub(crate) async fn list(db: impl PgExecutor<'_>) -> Store<Vec<Company>> {
    let rows = sqlx::query_as!(Row, "select id, name, contract_ends, supervised, sponsors from company order by name limit 1000")
        .fetch_all(db)
        .await?;
    rows.into_iter().map(Company::try_from).collect()
}

/// With what belongs to each.
struct Counted {
    id: Uuid,
    name: String,
    contract_ends: Moment,
    supervised: bool,
    sponsors: Option<String>,
    people: Option<i64>,
    targets: Option<i64>,
    sessions: Option<i64>,
    locked: bool,
}

impl TryFrom<Counted> for CompanyRow {
    type Error = StoreError;
    fn try_from(r: Counted) -> Store<Self> {
        let Counted { id, name, contract_ends, supervised, sponsors, .. } = r;
        let company = Row { id, name, contract_ends, supervised, sponsors }.try_into()?;
        Ok(Self { company, people: total(r.people), targets: total(r.targets), sessions: total(r.sessions), locked: r.locked })
    }
}

pub(crate) async fn rows(db: &sqlx::PgPool, search: &str, page: Page) -> Store<Listing<CompanyRow>> {
    let like = pattern(search);
    let n = sqlx::query_scalar!("select count(*) from company where name ilike $1", like).fetch_one(db).await?;
    Ok(Listing { rows: counted(db, None, &like, page).await?, total: total(n) })
}

pub(crate) async fn row(db: impl PgExecutor<'_>, id: CompanyId) -> Store<Option<CompanyRow>> {
    Ok(counted(db, Some(id), "%", Page { number: 0, size: 1 }).await?.pop())
}

async fn counted(db: impl PgExecutor<'_>, only: Option<CompanyId>, like: &str, page: Page) -> Store<Vec<CompanyRow>> {
    let rows = sqlx::query_as!(
        Counted,
        r#"select c.id, c.name, c.contract_ends, c.supervised, c.sponsors,
           (select count(*) from person p where p.company = c.id) as people,
           (select count(*) from target t where t.vendor = c.id) as targets,
           (select count(*) from session s join person p on p.id = s.person where p.company = c.id and s.ended_at is null) as sessions,
           exists(select from lock l where l.company = c.id and l.lifted_at is null) as "locked!"
           from company c where ($1::uuid is null or c.id = $1) and c.name ilike $2 order by c.name, c.id limit $3 offset $4"#,
        only.map(|c| c.0),
        like,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(CompanyRow::try_from).collect()
}

/// What its contract is from now on.
pub(crate) async fn add_term(db: impl PgExecutor<'_>, c: &Company, reason: Option<&Reason>, by: Option<PersonId>, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into company_term (id, company, contract_ends, supervised, reason, by_person, at, sponsors)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        Uuid::now_v7(),
        c.id.0,
        c.contract_ends,
        c.supervised,
        reason.map(Reason::as_str),
        by.map(|p| p.0),
        at,
        c.sponsors.as_ref().map(GroupName::as_str)
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether there is anybody in this group who can approve for the hospital.
pub(crate) async fn anybody_in(db: impl PgExecutor<'_>, group: &GroupName) -> Store<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists(select from person where suspended_at is null and company is null and 'approver' = any(roles)
           and attributes -> 'groups' ? $1) as "there!""#,
        group.as_str()
    )
    .fetch_one(db)
    .await?)
}

/// Newest first.
pub(crate) async fn terms(db: impl PgExecutor<'_>, id: CompanyId, at_most: i64) -> Store<Vec<CompanyTerm>> {
    const WHERE: StoreError = StoreError::Damaged("company_term");
    let rows = sqlx::query!(
        r#"select t.contract_ends, t.supervised, t.sponsors, t.reason, t.at, p.handle as "by?" from company_term t
           left join person p on p.id = t.by_person where t.company = $1 order by t.at desc, t.id desc limit $2"#,
        id.0,
        at_most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let reason = r.reason.map(Reason::new).transpose().map_err(|_| WHERE)?;
            let by = r.by.map(Handle::new).transpose().map_err(|_| WHERE)?;
            let sponsors = r.sponsors.map(GroupName::new).transpose().map_err(|_| WHERE)?;
            Ok(CompanyTerm { contract_ends: r.contract_ends, supervised: r.supervised, sponsors, reason, by, at: r.at })
        })
        .collect()
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
    Ok(total(n))
}
