//! Tables `target`, `account` and `credential`.
use super::{Store, json, total};
use crate::{Listing, Page, StoreError, listing::pattern};
use anteroom_domain::{
    AccountId, AccountName, CompanyId, Moment, Profile, Protocol, Target, TargetAttributes, TargetId, TargetKind, Via, target::Account,
};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

struct Row {
    id: Uuid,
    name: String,
    kind: String,
    protocol: String,
    host: String,
    port: i32,
    more_hosts: Vec<String>,
    profile: String,
    description: String,
    attributes: Value,
    pinned_host_keys: Vec<String>,
    pinned_host_cas: Vec<String>,
    pinned_certificates: Vec<String>,
    created_at: Moment,
    via_target: Option<Uuid>,
    via_target_name: Option<String>,
    via_account: Option<String>,
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
        let via = match (r.via_target, r.via_target_name, r.via_account) {
            (Some(target), Some(name), Some(account)) => Some(Via {
                target: target.into(),
                target_name: name.try_into().map_err(|_| WHERE)?,
                account: account.try_into().map_err(|_| WHERE)?,
            }),
            _ => None,
        };
        Ok(Self {
            id: r.id.into(),
            name: r.name.try_into().map_err(|_| WHERE)?,
            kind: TargetKind::from_name(&r.kind).ok_or(WHERE)?,
            protocol: Protocol::from_name(&r.protocol).ok_or(WHERE)?,
            host: r.host,
            port: r.port.try_into().map_err(|_| WHERE)?,
            more_hosts: r.more_hosts,
            profile: Profile::from_name(&r.profile).ok_or(WHERE)?,
            via,
            description: r.description,
            attributes: serde_json::from_value(r.attributes).map_err(|_| WHERE)?,
            accounts: accounts.collect::<Store<_>>()?,
            pinned_host_keys: r.pinned_host_keys,
            pinned_host_cas: r.pinned_host_cas,
            pinned_certificates: r.pinned_certificates.iter().map(|c| c.parse().map_err(|_| WHERE)).collect::<Store<_>>()?,
            created_at: r.created_at,
        })
    }
}

/// False if the name is taken.
pub(crate) async fn insert(db: impl PgExecutor<'_>, t: &Target, via: Option<AccountId>) -> Store<bool> {
    let done = sqlx::query!(
        "insert into target (id, name, kind, protocol, host, port, more_hosts, profile, via, description, pinned_host_keys, pinned_host_cas, pinned_certificates, created_at,
         attributes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict (name) do nothing",
        t.id.0,
        t.name.as_str(),
        t.kind.as_str(),
        t.protocol.as_str(),
        t.host,
        i32::from(t.port),
        &t.more_hosts,
        t.profile.as_str(),
        via.map(|a| a.0),
        t.description,
        &t.pinned_host_keys,
        &t.pinned_host_cas,
        &t.pinned_certificates.iter().map(ToString::to_string).collect::<Vec<_>>(),
        t.created_at,
        json(&t.attributes)?
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: TargetId) -> Store<Option<Target>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id!", name as "name!", kind as "kind!", protocol as "protocol!", host as "host!", port as "port!",
           more_hosts as "more_hosts!", profile as "profile!", description as "description!", attributes as "attributes!", pinned_host_keys as "pinned_host_keys!",
           pinned_host_cas as "pinned_host_cas!", pinned_certificates as "pinned_certificates!", created_at as "created_at!", via_target, via_target_name, via_account,
           account_ids as "account_ids!", account_names as "account_names!"
           from target_row where id = $1"#,
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Target::try_from).transpose()
}

pub(crate) async fn by_ids(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Store<Vec<Target>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id!", name as "name!", kind as "kind!", protocol as "protocol!", host as "host!", port as "port!",
           more_hosts as "more_hosts!", profile as "profile!", description as "description!", attributes as "attributes!", pinned_host_keys as "pinned_host_keys!",
           pinned_host_cas as "pinned_host_cas!", pinned_certificates as "pinned_certificates!", created_at as "created_at!", via_target, via_target_name, via_account,
           account_ids as "account_ids!", account_names as "account_names!"
           from target_row where id = any($1)"#,
        ids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Target::try_from).collect()
}

/// Takes any text: a name that can't exist takes the same road as one that doesn't.
pub(crate) async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Store<Option<Target>> {
    let row = sqlx::query_as!(
        Row,
        r#"select id as "id!", name as "name!", kind as "kind!", protocol as "protocol!", host as "host!", port as "port!",
           more_hosts as "more_hosts!", profile as "profile!", description as "description!", attributes as "attributes!", pinned_host_keys as "pinned_host_keys!",
           pinned_host_cas as "pinned_host_cas!", pinned_certificates as "pinned_certificates!", created_at as "created_at!", via_target, via_target_name, via_account,
           account_ids as "account_ids!", account_names as "account_names!"
           from target_row where name = $1"#,
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
        r#"select id as "id!", name as "name!", kind as "kind!", protocol as "protocol!", host as "host!", port as "port!",
           more_hosts as "more_hosts!", profile as "profile!", description as "description!", attributes as "attributes!", pinned_host_keys as "pinned_host_keys!",
           pinned_host_cas as "pinned_host_cas!", pinned_certificates as "pinned_certificates!", created_at as "created_at!", via_target, via_target_name, via_account,
           account_ids as "account_ids!", account_names as "account_names!"
           from target_row where name ilike $1 or description ilike $1 or host ilike $1
           order by name limit $2 offset $3"#,
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

/// For whoever asks for access, or for one company's people what it keeps; by name, and the one that is exactly meant first. Addresses are not
/// searched: they are for whoever keeps targets.
pub(crate) async fn offered(db: &PgPool, search: &str, kept_by: Option<CompanyId>, page: Page) -> Store<Listing<Target>> {
    let (like, company) = (pattern(search), kept_by.map(|c| c.0));
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id!", name as "name!", kind as "kind!", protocol as "protocol!", host as "host!", port as "port!",
           more_hosts as "more_hosts!", profile as "profile!", description as "description!", attributes as "attributes!", pinned_host_keys as "pinned_host_keys!",
           pinned_host_cas as "pinned_host_cas!", pinned_certificates as "pinned_certificates!", created_at as "created_at!", via_target, via_target_name, via_account,
           account_ids as "account_ids!", account_names as "account_names!"
           from target_row where (name ilike $1 or description ilike $1)
           and ($2::uuid is null or id in (select id from target where vendor = $2))
           order by name <> $3, name limit $4 offset $5"#,
        like,
        company,
        search.trim(),
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!(
        "select count(*) from target where (name ilike $1 or description ilike $1) and ($2::uuid is null or vendor = $2)",
        like,
        company
    )
    .fetch_one(db)
    .await?;
    Ok(Listing { rows: rows.into_iter().map(Target::try_from).collect::<Store<_>>()?, total: total(n) })
}

/// That a company keeps, by name.
pub(crate) async fn of_company(db: impl PgExecutor<'_>, company: CompanyId, at_most: i64) -> Store<Vec<Target>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id as "id!", name as "name!", kind as "kind!", protocol as "protocol!", host as "host!", port as "port!",
           more_hosts as "more_hosts!", profile as "profile!", description as "description!", attributes as "attributes!", pinned_host_keys as "pinned_host_keys!",
           pinned_host_cas as "pinned_host_cas!", pinned_certificates as "pinned_certificates!", created_at as "created_at!", via_target, via_target_name, via_account,
           account_ids as "account_ids!", account_names as "account_names!"
           from target_row where id in (select id from target where vendor = $1) order by name limit $2"#,
        company.0,
        at_most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Target::try_from).collect()
}

/// False if there is no such target, or it has no host keys.
pub(crate) async fn pin(db: impl PgExecutor<'_>, id: TargetId, lines: &[String]) -> Store<bool> {
    let done = sqlx::query!("update target set pinned_host_keys = $2 where id = $1 and protocol <> 'rdp'", id.0, lines).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// False if there is no such RDP target.
pub(crate) async fn pin_certificates(db: impl PgExecutor<'_>, id: TargetId, certificates: &[String]) -> Store<bool> {
    let done = sqlx::query!("update target set pinned_certificates = $2 where id = $1 and protocol = 'rdp'", id.0, certificates)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// What may be changed later, all at once. False if there is no such target.
pub(crate) async fn update(db: impl PgExecutor<'_>, t: &Target, via: Option<AccountId>) -> Store<bool> {
    let done = sqlx::query!(
        "update target set host = $2, port = $3, more_hosts = $4, profile = $5, via = $6, pinned_host_cas = $7 where id = $1",
        t.id.0,
        t.host,
        i32::from(t.port),
        &t.more_hosts,
        t.profile.as_str(),
        via.map(|a| a.0),
        &t.pinned_host_cas
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How many targets in a row stand behind this one, each reached through the one before. Stops counting at eight.
pub(crate) async fn rows_behind(db: impl PgExecutor<'_>, id: TargetId) -> Store<usize> {
    let n = sqlx::query_scalar!(
        "with recursive behind(id, n) as (
             select $1::uuid, 0
             union all
             select t.id, b.n + 1 from target t join account a on a.id = t.via join behind b on b.id = a.target where b.n < 8)
         select max(n) from behind",
        id.0
    )
    .fetch_one(db)
    .await?;
    Ok(n.and_then(|n| usize::try_from(n).ok()).unwrap_or_default())
}

/// Host, port and further hosts of every target.
pub(crate) async fn addresses(db: impl PgExecutor<'_>) -> Store<Vec<(String, i32, Vec<String>)>> {
    let rows = sqlx::query!("select host, port, more_hosts from target").fetch_all(db).await?;
    Ok(rows.into_iter().map(|r| (r.host, r.port, r.more_hosts)).collect())
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
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
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

/// The database refuses a company that does not exist.
pub(crate) async fn set_attributes(db: impl PgExecutor<'_>, id: TargetId, a: &TargetAttributes) -> Store<()> {
    sqlx::query!("update target set attributes = $2 where id = $1", id.0, json(a)?).execute(db).await?;
    Ok(())
}
