//! Tables `target`, `account` and `credential`.
use super::{Store, total};
use crate::{Listing, Page, StoreError, listing::pattern};
use anteroom_domain::{AccountId, AccountName, Moment, Target, TargetId, TargetKind, target::Account};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

struct Row {
    id: Uuid,
    name: String,
    kind: String,
    host: String,
    port: i32,
    description: String,
    pinned_host_keys: Vec<String>,
    created_at: Moment,
    /// In the order of `account_names`.
    account_ids: Vec<Uuid>,
    account_names: Vec<String>,
}

impl TryFrom<Row> for Target {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("target");
        let accounts = r
            .account_ids
            .into_iter()
            .zip(r.account_names)
            .map(|(id, name)| Ok(Account { id: id.into(), name: name.try_into().map_err(|_| WHERE)? }));
        Ok(Self {
            id: r.id.into(),
            name: r.name.try_into().map_err(|_| WHERE)?,
            kind: TargetKind::from_name(&r.kind).ok_or(WHERE)?,
            host: r.host,
            port: r.port.try_into().map_err(|_| WHERE)?,
            description: r.description,
            accounts: accounts.collect::<Store<_>>()?,
            pinned_host_keys: r.pinned_host_keys,
            created_at: r.created_at,
        })
    }
}

/// False if the name is taken.
pub(crate) async fn insert(db: impl PgExecutor<'_>, t: &Target) -> Store<bool> {
    let done = sqlx::query!(
        "insert into target (id, name, kind, host, port, description, pinned_host_keys, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (name) do nothing",
        t.id.0,
        t.name.as_str(),
        t.kind.as_str(),
        t.host,
        i32::from(t.port),
        t.description,
        &t.pinned_host_keys,
        t.created_at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: TargetId) -> Store<Option<Target>> {
    let row = sqlx::query_as!(
        Row,
        r#"select t.id, t.name, t.kind, t.host, t.port, t.description, t.pinned_host_keys, t.created_at,
           array(select a.id from account a where a.target = t.id order by a.name) as "account_ids!",
           array(select a.name from account a where a.target = t.id order by a.name) as "account_names!"
           from target t where t.id = $1"#,
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Target::try_from).transpose()
}

/// Takes any text: a name that can't exist takes the same road as one that doesn't.
pub(crate) async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Store<Option<Target>> {
    let row = sqlx::query_as!(
        Row,
        r#"select t.id, t.name, t.kind, t.host, t.port, t.description, t.pinned_host_keys, t.created_at,
           array(select a.id from account a where a.target = t.id order by a.name) as "account_ids!",
           array(select a.name from account a where a.target = t.id order by a.name) as "account_names!"
           from target t where t.name = $1"#,
        name
    )
    .fetch_optional(db)
    .await?;
    row.map(Target::try_from).transpose()
}

pub(crate) async fn list(db: &PgPool, search: &str, page: Page) -> Store<Listing<Target>> {
    let like = pattern(search);
    let rows = sqlx::query_as!(
        Row,
        r#"select t.id, t.name, t.kind, t.host, t.port, t.description, t.pinned_host_keys, t.created_at,
           array(select a.id from account a where a.target = t.id order by a.name) as "account_ids!",
           array(select a.name from account a where a.target = t.id order by a.name) as "account_names!"
           from target t where t.name ilike $1 or t.description ilike $1 or t.host ilike $1
           order by t.name limit $2 offset $3"#,
        like,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!("select count(*) from target where name ilike $1 or description ilike $1 or host ilike $1", like)
        .fetch_one(db)
        .await?;
    Ok(Listing { rows: rows.into_iter().map(Target::try_from).collect::<Store<_>>()?, total: total(n) })
}

/// False if there is no such target.
pub(crate) async fn pin(db: impl PgExecutor<'_>, id: TargetId, lines: &[String]) -> Store<bool> {
    let done = sqlx::query!("update target set pinned_host_keys = $2 where id = $1", id.0, lines).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// The account of this name; it is made if there is none.
pub(crate) async fn account(
    tx: &mut sqlx::PgConnection,
    target: TargetId,
    name: &AccountName,
    new: AccountId,
    at: Moment,
) -> Store<Account> {
    sqlx::query!(
        "insert into account (id, target, name, created_at) values ($1, $2, $3, $4) on conflict (target, name) do nothing",
        new.0,
        target.0,
        name.as_str(),
        at
    )
    .execute(&mut *tx)
    .await?;
    let id = sqlx::query_scalar!("select id from account where target = $1 and name = $2", target.0, name.as_str()).fetch_one(tx).await?;
    Ok(Account { id: id.into(), name: name.clone() })
}

/// A credential as the database sees it: closed.
pub(crate) struct Sealed {
    pub(crate) kind: String,
    pub(crate) key_version: i32,
    pub(crate) nonce: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

pub(crate) async fn put_credential(db: impl PgExecutor<'_>, account: AccountId, s: &Sealed, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into credential (account, kind, key_version, nonce, sealed, stored_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (account) do update set kind = excluded.kind, key_version = excluded.key_version, nonce = excluded.nonce,
         sealed = excluded.sealed, stored_at = excluded.stored_at",
        account.0,
        s.kind,
        s.key_version,
        s.nonce,
        s.sealed,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn credential(db: impl PgExecutor<'_>, account: AccountId) -> Store<Option<Sealed>> {
    Ok(sqlx::query_as!(Sealed, "select kind, key_version, nonce, sealed from credential where account = $1", account.0)
        .fetch_optional(db)
        .await?)
}
