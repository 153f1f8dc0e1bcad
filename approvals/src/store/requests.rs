//! Table `access_request`.
use super::{Store, json, total};
use crate::{Listing, Page, RequestFilter, StoreError, listing::pattern};
use anteroom_domain::{AccessRequest, AccountId, Capabilities, Moment, PersonId, RequestId, RequestState};
use serde_json::Value;
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

struct Row {
    id: Uuid,
    requester: Uuid,
    target: Uuid,
    target_name: String,
    account: String,
    reason: String,
    starts_at: Moment,
    ends_at: Moment,
    capabilities: Vec<String>,
    obligations: Value,
    asks: Value,
    state: String,
    source: String,
    created_at: Moment,
    expires_at: Moment,
}

impl TryFrom<Row> for AccessRequest {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("access_request");
        Ok(Self {
            id: r.id.into(),
            requester: r.requester.into(),
            target: r.target.into(),
            target_name: r.target_name.try_into().map_err(|_| WHERE)?,
            account: r.account.try_into().map_err(|_| WHERE)?,
            reason: r.reason.try_into().map_err(|_| WHERE)?,
            from: r.starts_at,
            until: r.ends_at,
            capabilities: Capabilities::from_names(&r.capabilities).ok_or(WHERE)?,
            obligations: serde_json::from_value(r.obligations).map_err(|_| WHERE)?,
            asks: serde_json::from_value(r.asks).map_err(|_| WHERE)?,
            state: RequestState::from_name(&r.state).ok_or(WHERE)?,
            source: r.source,
            created_at: r.created_at,
            expires_at: Some(r.expires_at),
        })
    }
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, r: &AccessRequest, account: AccountId) -> Store<()> {
    sqlx::query!(
        "insert into access_request
         (id, requester, target, account, reason, starts_at, ends_at, capabilities, obligations, state, source, created_at, asks, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        r.id.0,
        r.requester.0,
        r.target.0,
        account.0,
        r.reason.as_str(),
        r.from,
        r.until,
        &r.capabilities.names(),
        json(&r.obligations)?,
        r.state.as_str(),
        r.source,
        r.created_at,
        json(&r.asks)?,
        r.expires_at.unwrap_or(r.until)
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: RequestId) -> Store<Option<AccessRequest>> {
    let row = sqlx::query_as!(
        Row,
        "select r.id, r.requester, r.target, t.name as target_name, a.name as account, r.reason, r.starts_at, r.ends_at,
         r.capabilities, r.obligations, r.asks, r.state, r.source, r.created_at, r.expires_at
         from access_request r join target t on t.id = r.target join account a on a.id = r.account where r.id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(AccessRequest::try_from).transpose()
}

/// The same with its account, and nobody else can answer it before our transaction ends.
pub(crate) async fn held(tx: &mut sqlx::PgConnection, id: RequestId) -> Store<Option<(AccessRequest, AccountId)>> {
    let account = sqlx::query_scalar!("select account from access_request where id = $1 for update", id.0).fetch_optional(&mut *tx).await?;
    let Some(account) = account else { return Ok(None) };
    Ok(by_id(tx, id).await?.map(|r| (r, AccountId(account))))
}

pub(crate) async fn list(db: &PgPool, f: &RequestFilter, page: Page) -> Store<Listing<AccessRequest>> {
    let (like, state, requester) = (pattern(&f.search), f.state.map(RequestState::as_str), f.requester.map(|p| p.0));
    let rows = sqlx::query_as!(
        Row,
        "select r.id, r.requester, r.target, t.name as target_name, a.name as account, r.reason, r.starts_at, r.ends_at,
         r.capabilities, r.obligations, r.asks, r.state, r.source, r.created_at, r.expires_at
         from access_request r join target t on t.id = r.target join account a on a.id = r.account join person p on p.id = r.requester
         where ($1::text is null or r.state = $1) and ($2::uuid is null or r.requester = $2)
         and (t.name ilike $3 or a.name ilike $3 or p.handle ilike $3 or p.display_name ilike $3 or r.reason ilike $3)
         order by r.created_at desc, r.id desc limit $4 offset $5",
        state,
        requester,
        like,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!(
        "select count(*)
         from access_request r join target t on t.id = r.target join account a on a.id = r.account join person p on p.id = r.requester
         where ($1::text is null or r.state = $1) and ($2::uuid is null or r.requester = $2)
         and (t.name ilike $3 or a.name ilike $3 or p.handle ilike $3 or p.display_name ilike $3 or r.reason ilike $3)",
        state,
        requester,
        like
    )
    .fetch_one(db)
    .await?;
    Ok(Listing { rows: rows.into_iter().map(AccessRequest::try_from).collect::<Store<_>>()?, total: total(n) })
}

pub(crate) async fn pending_of(db: impl PgExecutor<'_>, person: PersonId) -> Store<i64> {
    let n = sqlx::query_scalar!("select count(*) from access_request where requester = $1 and state = 'pending'", person.0)
        .fetch_one(db)
        .await?;
    Ok(n.unwrap_or_default())
}

/// Moves a pending request on; false if it is no longer pending.
pub(crate) async fn answer(db: impl PgExecutor<'_>, id: RequestId, state: RequestState) -> Store<bool> {
    let done =
        sqlx::query!("update access_request set state = $2 where id = $1 and state = 'pending'", id.0, state.as_str()).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Where each was asked from.
pub(crate) async fn sources(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Store<Vec<(RequestId, String)>> {
    let rows = sqlx::query!("select id, source from access_request where id = any($1)", ids).fetch_all(db).await?;
    Ok(rows.into_iter().map(|r| (RequestId(r.id), r.source)).collect())
}

/// How many this person made since then, answered or not.
pub(crate) async fn made_since(db: impl PgExecutor<'_>, person: PersonId, since: Moment) -> Store<i64> {
    let n = sqlx::query_scalar!("select count(*) from access_request where requester = $1 and created_at > $2", person.0, since)
        .fetch_one(db)
        .await?;
    Ok(n.unwrap_or_default())
}

/// Those that nobody answered in time, at most `most`, held by our transaction.
pub(crate) async fn overdue(db: impl PgExecutor<'_>, now: Moment, most: i64) -> Store<Vec<RequestId>> {
    let ids = sqlx::query_scalar!(
        "select id from access_request where state = 'pending' and expires_at <= $1 order by expires_at limit $2 for update skip locked",
        now,
        most
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(RequestId).collect())
}
