//! Tables `break_glass_card` and `card_gateway`.
use super::{Store, total};
use crate::{Listing, Page, StoreError, listing::pattern, store::evidence::Stored};
use anteroom_domain::{
    Card, CardId, GatewayName, Handle, Moment, PersonId, RequestId,
    card::{CardSignature, CardUsed},
    content::CardTerms,
};
use anteroom_policy::cards::Life;
use sqlx::PgExecutor;
use uuid::Uuid;

const WHERE: StoreError = StoreError::Damaged("break_glass_card");

struct Row {
    terms: String,
    begun_by: Uuid,
    begun_handle: String,
    begun_at: Moment,
    countersigned_by: Option<Uuid>,
    countersigned_handle: Option<String>,
    countersigned_at: Option<Moment>,
    revoked_at: Option<Moment>,
    revoked_handle: Option<String>,
    used_by: Option<Uuid>,
    used_handle: Option<String>,
    used_request: Option<Uuid>,
    used_at: Option<Moment>,
    fetched_at: Moment,
}

/// A card, and its life as the rules see it.
pub(crate) struct Found {
    pub(crate) card: Card,
    pub(crate) life: Life,
}

impl Row {
    fn read(self, now: Moment) -> Store<Found> {
        let name = |h: String| Handle::try_from(h).map_err(|_| WHERE);
        let terms: CardTerms = serde_json::from_str(&self.terms).map_err(|_| WHERE)?;
        let countersigned = match (self.countersigned_by, self.countersigned_handle, self.countersigned_at) {
            (Some(by), Some(handle), Some(at)) => Some(CardSignature { officer: by.into(), handle: name(handle)?, at }),
            _ => None,
        };
        let used = match (self.used_request, self.used_by, self.used_handle, self.used_at) {
            (Some(request), Some(by), Some(handle), Some(at)) => {
                Some(CardUsed { request: request.into(), by: by.into(), handle: name(handle)?, at })
            }
            _ => None,
        };
        let begun = CardSignature { officer: self.begun_by.into(), handle: name(self.begun_handle)?, at: self.begun_at };
        let second = countersigned.as_ref().map(|c| c.officer);
        let life = Life::of(begun.officer, second, terms.until, self.revoked_at, used.as_ref().map(|u| (u.request, u.at)));
        let kept = countersigned.as_ref().is_some_and(|c| self.fetched_at >= c.at);
        let card = Card {
            state: life.state(now),
            terms,
            begun,
            countersigned,
            kept,
            fetched_at: self.fetched_at,
            revoked_at: self.revoked_at,
            revoked_by: self.revoked_handle.map(name).transpose()?,
            used,
        };
        Ok(Found { card, life })
    }
}

/// A card that one officer signed. `terms` are the canonical bytes.
pub(crate) async fn insert(
    db: impl PgExecutor<'_>,
    terms: &CardTerms,
    text: &str,
    officer: PersonId,
    evidence: &Stored,
    at: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into break_glass_card (id, gateway, target, terms, until, begun_by, begun_evidence, begun_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        terms.card.0,
        terms.gateway.as_str(),
        terms.target.0,
        text,
        terms.until,
        officer.0,
        evidence.id,
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: CardId, now: Moment) -> Store<Option<Found>> {
    let row = sqlx::query_as!(
        Row,
        r#"select c.terms, c.begun_by, b.handle as begun_handle, c.begun_at, c.countersigned_by, s.handle as "countersigned_handle?",
           c.countersigned_at, c.revoked_at, r.handle as "revoked_handle?", c.used_by, u.handle as "used_handle?", c.used_request, c.used_at,
           g.fetched_at
           from break_glass_card c join person b on b.id = c.begun_by join card_gateway g on g.name = c.gateway
           left join person s on s.id = c.countersigned_by left join person r on r.id = c.revoked_by left join person u on u.id = c.used_by
           where c.id = $1"#,
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(|r| r.read(now)).transpose()
}

/// The same, and nobody signs, revokes or uses it before our transaction ends.
pub(crate) async fn held(tx: &mut sqlx::PgConnection, id: CardId, now: Moment) -> Store<Option<Found>> {
    sqlx::query_scalar!("select id from break_glass_card where id = $1 for update", id.0).fetch_optional(&mut *tx).await?;
    by_id(tx, id, now).await
}

/// Newest first, searched by gateway, target and officers; `open_only`: those that somebody may still sign or use.
pub(crate) async fn list(db: &sqlx::PgPool, search: &str, open_only: bool, now: Moment, page: Page) -> Store<Listing<Card>> {
    let like = pattern(search);
    let rows = sqlx::query_as!(
        Row,
        r#"select c.terms, c.begun_by, b.handle as begun_handle, c.begun_at, c.countersigned_by, s.handle as "countersigned_handle?",
           c.countersigned_at, c.revoked_at, r.handle as "revoked_handle?", c.used_by, u.handle as "used_handle?", c.used_request, c.used_at,
           g.fetched_at
           from break_glass_card c join person b on b.id = c.begun_by join card_gateway g on g.name = c.gateway join target t on t.id = c.target
           left join person s on s.id = c.countersigned_by left join person r on r.id = c.revoked_by left join person u on u.id = c.used_by
           where (not $1 or (c.revoked_at is null and c.used_at is null and c.until > $2))
           and (t.name ilike $3 or c.gateway ilike $3 or b.handle ilike $3 or s.handle ilike $3)
           order by c.begun_at desc, c.id desc limit $4 offset $5"#,
        open_only,
        now,
        like,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!(
        "select count(*)
         from break_glass_card c join person b on b.id = c.begun_by join target t on t.id = c.target
         left join person s on s.id = c.countersigned_by
         where (not $1 or (c.revoked_at is null and c.used_at is null and c.until > $2))
         and (t.name ilike $3 or c.gateway ilike $3 or b.handle ilike $3 or s.handle ilike $3)",
        open_only,
        now,
        like
    )
    .fetch_one(db)
    .await?;
    let rows = rows.into_iter().map(|r| r.read(now).map(|f| f.card)).collect::<Store<_>>()?;
    Ok(Listing { rows, total: total(n) })
}

/// How many wait for this officer's signature.
pub(crate) async fn waiting_for(db: impl PgExecutor<'_>, officer: PersonId, now: Moment) -> Store<u64> {
    let n = sqlx::query_scalar!(
        "select count(*) from break_glass_card
         where countersigned_at is null and revoked_at is null and used_at is null and until > $2 and begun_by <> $1",
        officer.0,
        now
    )
    .fetch_one(db)
    .await?;
    Ok(total(n))
}

/// Cards of this gateway that are not over.
pub(crate) async fn count_open(db: impl PgExecutor<'_>, gateway: &GatewayName, now: Moment) -> Store<u64> {
    let n = sqlx::query_scalar!(
        "select count(*) from break_glass_card where gateway = $1 and revoked_at is null and used_at is null and until > $2",
        gateway.as_str(),
        now
    )
    .fetch_one(db)
    .await?;
    Ok(total(n))
}

/// False if it was countersigned, revoked or used already.
pub(crate) async fn countersign(db: impl PgExecutor<'_>, id: CardId, officer: PersonId, evidence: &Stored, at: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update break_glass_card set countersigned_by = $2, countersigned_evidence = $3, countersigned_at = $4
         where id = $1 and countersigned_at is null and revoked_at is null and used_at is null",
        id.0,
        officer.0,
        evidence.id,
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False if it was revoked already.
pub(crate) async fn revoke(db: impl PgExecutor<'_>, id: CardId, by: Option<PersonId>, at: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update break_glass_card set revoked_by = $2, revoked_at = $3 where id = $1 and revoked_at is null",
        id.0,
        by.map(|p| p.0),
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The first use. False if there was one.
pub(crate) async fn used(db: impl PgExecutor<'_>, id: CardId, request: RequestId, by: PersonId, at: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update break_glass_card set used_request = $2, used_by = $3, used_at = $4 where id = $1 and used_at is null",
        id.0,
        request.0,
        by.0,
        at
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Both signatures: who gave them, and the evidence.
pub(crate) struct Signatures {
    pub(crate) terms: CardTerms,
    pub(crate) signatures: [(PersonId, Uuid); 2],
}

/// Of the cards that this gateway may have to take: countersigned, not revoked, not used, not over. Oldest first.
pub(crate) async fn valid_of(db: impl PgExecutor<'_>, gateway: &GatewayName, now: Moment) -> Store<Vec<Signatures>> {
    let rows = sqlx::query!(
        r#"select terms, begun_by, begun_evidence, countersigned_by as "countersigned_by!", countersigned_evidence as "countersigned_evidence!"
           from break_glass_card
           where gateway = $1 and countersigned_at is not null and revoked_at is null and used_at is null and until > $2
           order by begun_at, id"#,
        gateway.as_str(),
        now
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Signatures {
                terms: serde_json::from_str(&r.terms).map_err(|_| WHERE)?,
                signatures: [(r.begun_by.into(), r.begun_evidence), (r.countersigned_by.into(), r.countersigned_evidence)],
            })
        })
        .collect()
}

/// Of one card, if two have signed it.
pub(crate) async fn signatures(db: impl PgExecutor<'_>, id: CardId) -> Store<Option<Signatures>> {
    let row = sqlx::query!(
        "select terms, begun_by, begun_evidence, countersigned_by, countersigned_evidence from break_glass_card where id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?;
    let Some(r) = row else { return Ok(None) };
    let (Some(by), Some(evidence)) = (r.countersigned_by, r.countersigned_evidence) else { return Ok(None) };
    let terms = serde_json::from_str(&r.terms).map_err(|_| WHERE)?;
    Ok(Some(Signatures { terms, signatures: [(r.begun_by.into(), r.begun_evidence), (by.into(), evidence)] }))
}

/// What the first officer signed.
pub(crate) async fn begun_evidence(db: impl PgExecutor<'_>, id: CardId) -> Store<Option<Uuid>> {
    Ok(sqlx::query_scalar!("select begun_evidence from break_glass_card where id = $1", id.0).fetch_optional(db).await?)
}

/// This gateway keeps cards, and has fetched them now.
pub(crate) async fn fetched(db: impl PgExecutor<'_>, gateway: &GatewayName, at: Moment) -> Store<()> {
    sqlx::query!(
        "insert into card_gateway (name, fetched_at) values ($1, $2)
         on conflict (name) do update set fetched_at = greatest(card_gateway.fetched_at, excluded.fetched_at)",
        gateway.as_str(),
        at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Those that keep cards, by name.
pub(crate) async fn gateways(db: impl PgExecutor<'_>) -> Store<Vec<GatewayName>> {
    let names = sqlx::query_scalar!("select name from card_gateway order by name limit 500").fetch_all(db).await?;
    names.into_iter().map(|n| n.try_into().map_err(|_| StoreError::Damaged("card_gateway"))).collect()
}
