//! Table `person` and the links that enrol one.
use super::{Store, json, total};
use crate::{Listing, Page, StoreError, listing::pattern};
use anteroom_domain::{CompanyId, Moment, Person, PersonAttributes, PersonId, Role, Roles};
use serde_json::Value;
use sqlx::PgExecutor;
use uuid::Uuid;

pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) handle: String,
    pub(super) display_name: String,
    pub(super) roles: Vec<String>,
    pub(super) attributes: Value,
    pub(super) suspended_at: Option<Moment>,
    pub(super) created_at: Moment,
}

impl TryFrom<Row> for Person {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("person");
        Ok(Self {
            id: r.id.into(),
            handle: r.handle.try_into().map_err(|_| WHERE)?,
            display_name: r.display_name.try_into().map_err(|_| WHERE)?,
            roles: Roles::from_names(&r.roles).map_err(|_| WHERE)?,
            attributes: serde_json::from_value(r.attributes).map_err(|_| WHERE)?,
            suspended_at: r.suspended_at,
            created_at: r.created_at,
        })
    }
}

/// False if the handle is taken.
pub(crate) async fn insert(db: impl PgExecutor<'_>, p: &Person) -> Store<bool> {
    let done = sqlx::query!(
        "insert into person (id, handle, display_name, roles, attributes, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (handle) do nothing",
        p.id.0,
        p.handle.as_str(),
        p.display_name.as_str(),
        &p.roles.names(),
        json(&p.attributes)?,
        p.created_at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: PersonId) -> Store<Option<Person>> {
    let row = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person where id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Person::try_from).transpose()
}

pub(crate) async fn by_ids(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Store<Vec<Person>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person where id = any($1)",
        ids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Person::try_from).collect()
}

/// Those of the hospital who have a role and are not suspended; of more than five hundred the first.
pub(crate) async fn with_role(db: impl PgExecutor<'_>, role: Role) -> Store<Vec<Person>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person
         where $1 = any(roles) and suspended_at is null and company is null order by handle limit 500",
        role.as_str()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Person::try_from).collect()
}

/// The same as `by_id`, and nobody can suspend this person before our transaction ends.
pub(crate) async fn held(db: impl PgExecutor<'_>, id: PersonId) -> Store<Option<Person>> {
    let row = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person where id = $1 for share",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Person::try_from).transpose()
}

pub(crate) async fn by_handle(db: impl PgExecutor<'_>, handle: &str) -> Store<Option<Person>> {
    let row = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person where handle = $1",
        handle
    )
    .fetch_optional(db)
    .await?;
    row.map(Person::try_from).transpose()
}

pub(crate) async fn list(db: &sqlx::PgPool, search: &str, page: Page) -> Store<Listing<Person>> {
    let like = pattern(search);
    let rows = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person
         where handle ilike $1 or display_name ilike $1 order by handle limit $2 offset $3",
        like,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!("select count(*) from person where handle ilike $1 or display_name ilike $1", like).fetch_one(db).await?;
    Ok(Listing { rows: rows.into_iter().map(Person::try_from).collect::<Store<_>>()?, total: total(n) })
}

/// By handle.
pub(crate) async fn of_company(db: impl PgExecutor<'_>, company: CompanyId, at_most: i64) -> Store<Vec<Person>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person where company = $1 order by handle limit $2",
        company.0,
        at_most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Person::try_from).collect()
}

/// The hospital's own people who connect; by handle, a thousand at most.
pub(crate) async fn own_admins(db: impl PgExecutor<'_>) -> Store<Vec<Person>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person
         where suspended_at is null and company is null and 'admin' = any(roles) order by handle limit 1000"
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Person::try_from).collect()
}

/// False if it was so already.
pub(crate) async fn set_suspended(db: impl PgExecutor<'_>, id: PersonId, at: Option<Moment>) -> Store<bool> {
    let done =
        sqlx::query!("update person set suspended_at = $2 where id = $1 and (suspended_at is null) <> ($2::timestamptz is null)", id.0, at)
            .execute(db)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// One link a person: making one ends the earlier ones.
pub(crate) async fn insert_link(tx: &mut sqlx::PgConnection, hash: &[u8], person: PersonId, expires_at: Moment, now: Moment) -> Store<()> {
    delete_links(&mut *tx, person).await?;
    sqlx::query!(
        "insert into enrol_link (token_sha256, person, expires_at, created_at) values ($1, $2, $3, $4)",
        hash,
        person.0,
        expires_at,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn delete_links(db: impl PgExecutor<'_>, person: PersonId) -> Store<()> {
    sqlx::query!("delete from enrol_link where person = $1", person.0).execute(db).await?;
    Ok(())
}

/// Whom a link enrols, while it is good.
pub(crate) async fn link_person(db: impl PgExecutor<'_>, hash: &[u8], now: Moment) -> Store<Option<PersonId>> {
    let id =
        sqlx::query_scalar!("select person from enrol_link where token_sha256 = $1 and used_at is null and expires_at > $2", hash, now)
            .fetch_optional(db)
            .await?;
    Ok(id.map(PersonId))
}

/// Takes the link; false if somebody did before or it has expired.
pub(crate) async fn use_link(db: impl PgExecutor<'_>, hash: &[u8], person: PersonId, now: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update enrol_link set used_at = $3 where token_sha256 = $1 and person = $2 and used_at is null and expires_at > $3",
        hash,
        person.0,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn sweep_links(db: impl PgExecutor<'_>, now: Moment) -> Store<()> {
    sqlx::query!("delete from enrol_link where expires_at < $1", now).execute(db).await?;
    Ok(())
}

/// To be changed: nobody else changes or acts as this person before our transaction ends.
pub(crate) async fn taken(db: impl PgExecutor<'_>, id: PersonId) -> Store<Option<Person>> {
    let row = sqlx::query_as!(
        Row,
        "select id, handle, display_name, roles, attributes, suspended_at, created_at from person where id = $1 for no key update",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Person::try_from).transpose()
}

/// The database refuses a company that does not exist.
pub(crate) async fn set_attributes(db: impl PgExecutor<'_>, id: PersonId, a: &PersonAttributes) -> Store<()> {
    sqlx::query!("update person set attributes = $2 where id = $1", id.0, json(a)?).execute(db).await?;
    Ok(())
}

pub(crate) async fn set_roles(db: impl PgExecutor<'_>, id: PersonId, roles: &Roles) -> Store<()> {
    sqlx::query!("update person set roles = $2 where id = $1", id.0, &roles.names()).execute(db).await?;
    Ok(())
}
