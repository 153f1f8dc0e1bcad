//! Table `access_grant`.
use super::{Store, json, total};
use crate::{GrantFilter, Listing, Page, StoreError, listing::pattern};
use anteroom_domain::{Capabilities, Grant, GrantId, Moment, PersonId, RequestId, TargetId};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

struct Row {
    id: Uuid,
    request: Uuid,
    person: Uuid,
    target: Uuid,
    target_name: String,
    account: Uuid,
    account_name: String,
    capabilities: Vec<String>,
    obligations: Value,
    not_before: Moment,
    not_after: Moment,
    revoked_at: Option<Moment>,
}

impl TryFrom<Row> for Grant {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("access_grant");
        Ok(Self {
            id: r.id.into(),
            request: r.request.into(),
            person: r.person.into(),
            target: r.target.into(),
            target_name: r.target_name.try_into().map_err(|_| WHERE)?,
            account: r.account.into(),
            account_name: r.account_name.try_into().map_err(|_| WHERE)?,
            capabilities: Capabilities::from_names(&r.capabilities).ok_or(WHERE)?,
            obligations: serde_json::from_value(r.obligations).map_err(|_| WHERE)?,
            not_before: r.not_before,
            not_after: r.not_after,
            revoked_at: r.revoked_at,
        })
    }
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, g: &Grant) -> Store<()> {
    sqlx::query!(
        "insert into access_grant (id, request, person, target, account, capabilities, obligations, not_before, not_after)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        g.id.0,
        g.request.0,
        g.person.0,
        g.target.0,
        g.account.0,
        &g.capabilities.names(),
        json(&g.obligations)?,
        g.not_before,
        g.not_after
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: GrantId) -> Store<Option<Grant>> {
    let row = sqlx::query_as!(
        Row,
        "select g.id, g.request, g.person, g.target, t.name as target_name, g.account, a.name as account_name, g.capabilities,
         g.obligations, g.not_before, g.not_after, g.revoked_at
         from access_grant g join target t on t.id = g.target join account a on a.id = g.account where g.id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Grant::try_from).transpose()
}

pub(crate) async fn by_ids(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Store<Vec<Grant>> {
    let rows = sqlx::query_as!(
        Row,
        "select g.id, g.request, g.person, g.target, t.name as target_name, g.account, a.name as account_name, g.capabilities,
         g.obligations, g.not_before, g.not_after, g.revoked_at
         from access_grant g join target t on t.id = g.target join account a on a.id = g.account where g.id = any($1)",
        ids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Grant::try_from).collect()
}

/// The same, and nobody can revoke it before our transaction ends.
pub(crate) async fn held(tx: &mut sqlx::PgConnection, id: GrantId) -> Store<Option<Grant>> {
    let row = sqlx::query_as!(
        Row,
        "select g.id, g.request, g.person, g.target, t.name as target_name, g.account, a.name as account_name, g.capabilities,
         g.obligations, g.not_before, g.not_after, g.revoked_at
         from access_grant g join target t on t.id = g.target join account a on a.id = g.account where g.id = $1 for share of g",
        id.0
    )
    .fetch_optional(tx)
    .await?;
    row.map(Grant::try_from).transpose()
}

/// Grants of this person that have not ended, on one target if `target` is given.
pub(crate) async fn unended(db: impl PgExecutor<'_>, person: PersonId, target: Option<TargetId>, now: Moment) -> Store<Vec<Grant>> {
    let rows = sqlx::query_as!(
        Row,
        "select g.id, g.request, g.person, g.target, t.name as target_name, g.account, a.name as account_name, g.capabilities,
         g.obligations, g.not_before, g.not_after, g.revoked_at
         from access_grant g join target t on t.id = g.target join account a on a.id = g.account
         where g.person = $1 and g.revoked_at is null and g.not_after > $3 and ($2::uuid is null or g.target = $2)
         order by t.name, a.name, g.not_after desc",
        person.0,
        target.map(|t| t.0),
        now
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Grant::try_from).collect()
}

pub(crate) async fn list(db: &PgPool, f: &GrantFilter, now: Moment, page: Page) -> Store<Listing<Grant>> {
    let (like, person) = (pattern(&f.search), f.person.map(|p| p.0));
    let rows = sqlx::query_as!(
        Row,
        "select g.id, g.request, g.person, g.target, t.name as target_name, g.account, a.name as account_name, g.capabilities,
         g.obligations, g.not_before, g.not_after, g.revoked_at
         from access_grant g join target t on t.id = g.target join account a on a.id = g.account join person p on p.id = g.person
         where ($1::uuid is null or g.person = $1)
         and (not $2 or (g.revoked_at is null and g.not_before <= $4 and g.not_after > $4 and p.suspended_at is null))
         and (t.name ilike $3 or a.name ilike $3 or p.handle ilike $3 or p.display_name ilike $3)
         order by g.not_after desc, g.id desc limit $5 offset $6",
        person,
        f.live_only,
        like,
        now,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!(
        "select count(*)
         from access_grant g join target t on t.id = g.target join account a on a.id = g.account join person p on p.id = g.person
         where ($1::uuid is null or g.person = $1)
         and (not $2 or (g.revoked_at is null and g.not_before <= $4 and g.not_after > $4 and p.suspended_at is null))
         and (t.name ilike $3 or a.name ilike $3 or p.handle ilike $3 or p.display_name ilike $3)",
        person,
        f.live_only,
        like,
        now
    )
    .fetch_one(db)
    .await?;
    Ok(Listing { rows: rows.into_iter().map(Grant::try_from).collect::<Store<_>>()?, total: total(n) })
}

/// What was made of a request, by login and time.
pub(crate) async fn of_request(db: impl PgExecutor<'_>, request: RequestId) -> Store<Vec<Grant>> {
    let rows = sqlx::query_as!(
        Row,
        "select g.id, g.request, g.person, g.target, t.name as target_name, g.account, a.name as account_name, g.capabilities,
         g.obligations, g.not_before, g.not_after, g.revoked_at
         from access_grant g join target t on t.id = g.target join account a on a.id = g.account
         where g.request = $1 order by g.not_before, t.name, a.name",
        request.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Grant::try_from).collect()
}

/// False if it was revoked before or never was.
pub(crate) async fn revoke(db: impl PgExecutor<'_>, id: GrantId, by: Option<PersonId>, at: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update access_grant set revoked_at = $2, revoked_by = $3 where id = $1 and revoked_at is null",
        id.0,
        at,
        by.map(|p| p.0)
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
