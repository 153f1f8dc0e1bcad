//! Table `break_glass`.
use super::{Store, total};
use crate::{Listing, Page, StoreError, store::evidence::Stored};
use anteroom_domain::{BreakGlass, CardId, GrantId, Moment, PersonId, RequestId, SessionId, break_glass::Reviewed, content::Finding};
use sqlx::PgExecutor;
use uuid::Uuid;

struct Row {
    request: Uuid,
    grant: Uuid,
    person: Uuid,
    person_handle: String,
    target: Uuid,
    target_name: String,
    account: String,
    reason: String,
    source: String,
    card: Option<Uuid>,
    not_before: Moment,
    not_after: Moment,
    revoked_at: Option<Moment>,
    sessions: Vec<Uuid>,
    reviewer: Option<Uuid>,
    reviewed_at: Option<Moment>,
    finding: Option<String>,
    findings: Option<String>,
}

impl TryFrom<Row> for BreakGlass {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("break_glass");
        let review = match (r.reviewer, r.reviewed_at, r.finding, r.findings) {
            (Some(by), Some(at), Some(finding), Some(findings)) => Some(Reviewed {
                by: by.into(),
                at,
                finding: Finding::from_name(&finding).ok_or(WHERE)?,
                findings: findings.try_into().map_err(|_| WHERE)?,
            }),
            _ => None,
        };
        Ok(Self {
            request: r.request.into(),
            grant: r.grant.into(),
            person: r.person.into(),
            person_handle: r.person_handle.try_into().map_err(|_| WHERE)?,
            target: r.target.into(),
            target_name: r.target_name.try_into().map_err(|_| WHERE)?,
            account: r.account.try_into().map_err(|_| WHERE)?,
            reason: r.reason.try_into().map_err(|_| WHERE)?,
            source: r.source,
            card: r.card.map(CardId),
            from: r.not_before,
            until: r.not_after,
            revoked_at: r.revoked_at,
            sessions: r.sessions.into_iter().map(SessionId).collect(),
            review,
        })
    }
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, request: RequestId, person: PersonId, evidence: &Stored, at: Moment) -> Store<()> {
    sqlx::query!("insert into break_glass (request, person, evidence, at) values ($1, $2, $3, $4)", request.0, person.0, evidence.id, at)
        .execute(db)
        .await?;
    Ok(())
}

/// One that a card opened: `evidence` is what the card's first officer signed.
pub(crate) async fn insert_of_card(
    db: impl PgExecutor<'_>,
    request: RequestId,
    person: PersonId,
    (card, evidence): (CardId, Uuid),
    at: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into break_glass (request, person, evidence, at, card) values ($1, $2, $3, $4, $5)",
        request.0,
        person.0,
        evidence,
        at,
        card.0
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, request: RequestId) -> Store<Option<BreakGlass>> {
    let row = sqlx::query_as!(
        Row,
        r#"select b.request, g.id as "grant", b.person, p.handle as person_handle, g.target, t.name as target_name, a.name as account, r.reason,
           r.source, b.card, g.not_before, g.not_after, g.revoked_at,
           array(select s.id from session s where s.access_grant = g.id order by s.started_at) as "sessions!",
           b.reviewer, b.reviewed_at, b.finding, b.findings
           from break_glass b join access_request r on r.id = b.request join access_grant g on g.request = b.request
           join person p on p.id = b.person join target t on t.id = g.target join account a on a.id = g.account
           where b.request = $1"#,
        request.0
    )
    .fetch_optional(db)
    .await?;
    row.map(BreakGlass::try_from).transpose()
}

/// The same, and nobody can review it before our transaction ends.
pub(crate) async fn held(tx: &mut sqlx::PgConnection, request: RequestId) -> Store<Option<BreakGlass>> {
    sqlx::query_scalar!("select request from break_glass where request = $1 for update", request.0).fetch_optional(&mut *tx).await?;
    by_id(tx, request).await
}

/// Newest first; those that wait for a look before all others.
pub(crate) async fn list(db: &sqlx::PgPool, open_only: bool, page: Page) -> Store<Listing<BreakGlass>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select b.request, g.id as "grant", b.person, p.handle as person_handle, g.target, t.name as target_name, a.name as account, r.reason,
           r.source, b.card, g.not_before, g.not_after, g.revoked_at,
           array(select s.id from session s where s.access_grant = g.id order by s.started_at) as "sessions!",
           b.reviewer, b.reviewed_at, b.finding, b.findings
           from break_glass b join access_request r on r.id = b.request join access_grant g on g.request = b.request
           join person p on p.id = b.person join target t on t.id = g.target join account a on a.id = g.account
           where not $1 or b.reviewed_at is null
           order by b.reviewed_at is not null, b.at desc limit $2 offset $3"#,
        open_only,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!("select count(*) from break_glass where not $1 or reviewed_at is null", open_only).fetch_one(db).await?;
    Ok(Listing { rows: rows.into_iter().map(BreakGlass::try_from).collect::<Store<_>>()?, total: total(n) })
}

/// The grants that this person took in an emergency and that have not ended.
pub(crate) async fn live_of(db: impl PgExecutor<'_>, person: PersonId, now: Moment) -> Store<Vec<GrantId>> {
    let ids = sqlx::query_scalar!(
        "select g.id from break_glass b join access_grant g on g.request = b.request where b.person = $1 and g.not_after > $2",
        person.0,
        now
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(GrantId).collect())
}

/// Those of these grants that were taken in an emergency.
pub(crate) async fn among(db: impl PgExecutor<'_>, grants: &[Uuid]) -> Store<Vec<GrantId>> {
    let ids =
        sqlx::query_scalar!("select g.id from break_glass b join access_grant g on g.request = b.request where g.id = any($1)", grants)
            .fetch_all(db)
            .await?;
    Ok(ids.into_iter().map(GrantId).collect())
}

/// How often this person did it since then.
pub(crate) async fn count_since(db: impl PgExecutor<'_>, person: PersonId, since: Moment) -> Store<i64> {
    let n = sqlx::query_scalar!("select count(*) from break_glass where person = $1 and at > $2", person.0, since).fetch_one(db).await?;
    Ok(n.unwrap_or_default())
}

/// False if somebody has reviewed it already.
pub(crate) async fn close(db: impl PgExecutor<'_>, request: RequestId, review: &Reviewed, evidence: &Stored) -> Store<bool> {
    let done = sqlx::query!(
        "update break_glass set reviewer = $2, finding = $3, findings = $4, review_evidence = $5, reviewed_at = $6
         where request = $1 and reviewed_at is null",
        request.0,
        review.by.0,
        review.finding.as_str(),
        review.findings.as_str(),
        evidence.id,
        review.at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those that nobody has looked at.
pub(crate) async fn unreviewed(db: impl PgExecutor<'_>) -> Store<Vec<RequestId>> {
    let ids = sqlx::query_scalar!("select request from break_glass where reviewed_at is null").fetch_all(db).await?;
    Ok(ids.into_iter().map(RequestId::from).collect())
}

/// When somebody was reminded last that this one waits.
pub(crate) async fn reminded(db: impl PgExecutor<'_>, grant: GrantId) -> Store<Option<Moment>> {
    Ok(sqlx::query_scalar!(
        "select max(at) from notice where body ->> 'alarm' = 'break_glass_unreviewed' and body ->> 'grant' = $1::text",
        grant.to_string()
    )
    .fetch_one(db)
    .await?)
}

/// The emergency that this grant is of.
pub(crate) async fn of_grant(db: impl PgExecutor<'_>, grant: GrantId) -> Store<Option<RequestId>> {
    let id =
        sqlx::query_scalar!("select b.request from break_glass b join access_grant g on g.request = b.request where g.id = $1", grant.0)
            .fetch_optional(db)
            .await?;
    Ok(id.map(RequestId::from))
}

/// Somebody has to look again. What was signed stays in the evidence, and in the log.
pub(crate) async fn reopen(db: impl PgExecutor<'_>, request: RequestId) -> Store<()> {
    sqlx::query!(
        "update break_glass set reviewer = null, finding = null, findings = null, review_evidence = null, reviewed_at = null where request = $1",
        request.0
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What opened it: what the person signed, or a card and what its first officer signed.
pub(crate) async fn evidence(db: impl PgExecutor<'_>, request: RequestId) -> Store<Option<(Uuid, Option<CardId>)>> {
    let row = sqlx::query!("select evidence, card from break_glass where request = $1", request.0).fetch_optional(db).await?;
    Ok(row.map(|r| (r.evidence, r.card.map(CardId))))
}
