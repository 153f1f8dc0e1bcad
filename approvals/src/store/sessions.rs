//! Table `session`.
use super::{Store, total};
use crate::{Change, Listing, Page, SealedRecord, SessionFilter, StoreError, change::CHANNEL, listing::pattern};
use anteroom_domain::{AccountId, Grant, GrantId, Moment, PersonId, RecordingState, SessionId, SessionRecord, TargetId};
use anteroom_policy::Permit;
use serde::{Deserialize, Serialize};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

struct Row {
    id: Uuid,
    access_grant: Uuid,
    person: Uuid,
    person_handle: String,
    target: Uuid,
    target_name: String,
    account: String,
    source: String,
    started_at: Moment,
    ended_at: Option<Moment>,
    end_reason: Option<String>,
    recording: String,
    mask_incomplete: bool,
    mask_counts: serde_json::Value,
    held: bool,
    shredded_at: Option<Moment>,
}

impl TryFrom<Row> for SessionRecord {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("session");
        Ok(Self {
            id: r.id.into(),
            grant: r.access_grant.into(),
            person: r.person.into(),
            person_handle: r.person_handle,
            target: r.target.into(),
            target_name: r.target_name.try_into().map_err(|_| WHERE)?,
            account: r.account.try_into().map_err(|_| WHERE)?,
            source: r.source,
            started_at: r.started_at,
            ended_at: r.ended_at,
            end_reason: r.end_reason,
            recording: RecordingState::from_name(&r.recording).ok_or(WHERE)?,
            mask_incomplete: r.mask_incomplete,
            mask_counts: serde_json::from_value(r.mask_counts).map_err(|_| WHERE)?,
            held: r.held,
            shredded_at: r.shredded_at,
        })
    }
}

/// A session as it begins.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Begun {
    pub(crate) session: SessionId,
    pub(crate) grant: GrantId,
    person: PersonId,
    target: TargetId,
    account: AccountId,
    source: String,
    gateway: String,
    header_sha256: [u8; 32],
    /// Serial, decimal.
    certificate: Option<String>,
    supervised: bool,
    #[serde(with = "time::serde::rfc3339")]
    at: Moment,
}

impl Begun {
    pub(crate) fn of(
        permit: &Permit,
        grant: &Grant,
        header_sha256: &[u8; 32],
        gateway: &str,
        certificate: Option<&str>,
        at: Moment,
    ) -> Self {
        Self {
            session: permit.session(),
            grant: grant.id,
            person: grant.person,
            target: grant.target,
            account: grant.account,
            source: permit.source().to_string(),
            gateway: gateway.to_owned(),
            header_sha256: *header_sha256,
            certificate: certificate.map(str::to_owned),
            supervised: permit.obligations().supervise,
            at,
        }
    }
}

/// Adds it and tells; false if it is there already.
pub(crate) async fn insert(db: impl PgExecutor<'_>, b: &Begun) -> Store<bool> {
    let done = sqlx::query!(
        "with begun as (
             insert into session (id, access_grant, person, target, account, source, gateway, recording_header_sha256, started_at,
             recording, mask_incomplete, mask_counts, bytes, certificate, supervised)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'recording', false, '{}', 0, $10::text::numeric, $13)
             on conflict (id) do nothing returning id)
         select pg_notify($11, $12) from begun",
        b.session.0,
        b.grant.0,
        b.person.0,
        b.target.0,
        b.account.0,
        b.source,
        b.gateway,
        &b.header_sha256[..],
        b.at,
        b.certificate,
        CHANNEL,
        Change::Session(b.session).payload(),
        b.supervised
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: SessionId) -> Store<Option<SessionRecord>> {
    let row = sqlx::query_as!(
        Row,
        r#"select s.id, s.access_grant, s.person, p.handle as person_handle, s.target, t.name as target_name, a.name as account, s.source,
         s.started_at, s.ended_at, s.end_reason, s.recording, s.mask_incomplete, s.mask_counts,
         exists(select from legal_hold h where h.session = s.id and h.lifted_at is null) as "held!",
         (select d.at from shredding d where d.session = s.id) as shredded_at
         from session s join person p on p.id = s.person join target t on t.id = s.target join account a on a.id = s.account
         where s.id = $1"#,
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(SessionRecord::try_from).transpose()
}

pub(crate) async fn by_ids(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Store<Vec<SessionRecord>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select s.id, s.access_grant, s.person, p.handle as person_handle, s.target, t.name as target_name, a.name as account, s.source,
         s.started_at, s.ended_at, s.end_reason, s.recording, s.mask_incomplete, s.mask_counts,
         exists(select from legal_hold h where h.session = s.id and h.lifted_at is null) as "held!",
         (select d.at from shredding d where d.session = s.id) as shredded_at
         from session s join person p on p.id = s.person join target t on t.id = s.target join account a on a.id = s.account
         where s.id = any($1)"#,
        ids
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(SessionRecord::try_from).collect()
}

/// Makes who holds, lifts, shreds or asks to unmask its recording wait for each other, until our transaction ends; false if there is none.
/// Not "for update": that would stop those who only refer to it.
pub(crate) async fn lock(tx: &mut sqlx::PgConnection, id: SessionId) -> Store<bool> {
    Ok(sqlx::query_scalar!("select id from session where id = $1 for no key update", id.0).fetch_optional(tx).await?.is_some())
}

/// A recording whose time may be over.
pub(crate) struct Old {
    pub(crate) session: Uuid,
    pub(crate) ended_at: Moment,
}

/// Closed recordings of sessions that ended until `before`, on which nobody holds and whose keys are there; oldest first, after a place.
pub(crate) async fn ended_until(db: &PgPool, before: Moment, after: Option<(Moment, SessionId)>, at_most: i64) -> Store<Vec<Old>> {
    Ok(sqlx::query_as!(
        Old,
        r#"select s.id as session, s.ended_at as "ended_at!" from session s
         where s.ended_at <= $1 and s.recording <> 'recording'
         and ($2::timestamptz is null or (s.ended_at, s.id) > ($2, $3::uuid))
         and not exists(select from shredding d where d.session = s.id)
         and not exists(select from legal_hold h where h.session = s.id and h.lifted_at is null)
         order by s.ended_at, s.id limit $4"#,
        before,
        after.map(|a| a.0),
        after.map(|a| a.1.0),
        at_most
    )
    .fetch_all(db)
    .await?)
}

/// What the database takes for now, on its own clock.
pub(crate) async fn its_clock(db: impl PgExecutor<'_>) -> Store<Moment> {
    Ok(sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(db).await?)
}

pub(crate) async fn list(db: &PgPool, f: &SessionFilter, page: Page) -> Store<Listing<SessionRecord>> {
    let (like, person) = (pattern(&f.search), f.person.map(|p| p.0));
    let rows = sqlx::query_as!(
        Row,
        r#"select s.id, s.access_grant, s.person, p.handle as person_handle, s.target, t.name as target_name, a.name as account, s.source,
         s.started_at, s.ended_at, s.end_reason, s.recording, s.mask_incomplete, s.mask_counts,
         exists(select from legal_hold h where h.session = s.id and h.lifted_at is null) as "held!",
         (select d.at from shredding d where d.session = s.id) as shredded_at
         from session s join person p on p.id = s.person join target t on t.id = s.target join account a on a.id = s.account
         where ($1::uuid is null or s.person = $1) and (not $2 or s.ended_at is null)
         and (t.name ilike $3 or a.name ilike $3 or p.handle ilike $3 or p.display_name ilike $3 or s.source ilike $3 or s.id::text ilike $3)
         order by s.started_at desc, s.id desc limit $4 offset $5"#,
        person,
        f.live_only,
        like,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!(
        "select count(*)
         from session s join person p on p.id = s.person join target t on t.id = s.target join account a on a.id = s.account
         where ($1::uuid is null or s.person = $1) and (not $2 or s.ended_at is null)
         and (t.name ilike $3 or a.name ilike $3 or p.handle ilike $3 or p.display_name ilike $3 or s.source ilike $3 or s.id::text ilike $3)",
        person,
        f.live_only,
        like
    )
    .fetch_one(db)
    .await?;
    Ok(Listing { rows: rows.into_iter().map(SessionRecord::try_from).collect::<Store<_>>()?, total: total(n) })
}

/// The first end counts; ending again changes nothing. Tells.
pub(crate) async fn end(db: impl PgExecutor<'_>, id: SessionId, reason: &str, at: Moment) -> Store<()> {
    sqlx::query!(
        "with over as (update session set ended_at = $2, end_reason = $3 where id = $1 and ended_at is null)
         select pg_notify($4, $5)",
        id.0,
        at,
        reason,
        CHANNEL,
        Change::Session(id).payload()
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sets by whose order it is paused, or that nothing stops it any more; false if that changes nothing or the session is over.
pub(crate) async fn set_paused(db: impl PgExecutor<'_>, id: SessionId, by: Option<PersonId>) -> Store<bool> {
    let done = sqlx::query!(
        "update session set paused_by = $2, stopped_by_rule = stopped_by_rule and $2::uuid is not null
         where id = $1 and ended_at is null
         and ((paused_by is null) <> ($2::uuid is null) or ($2::uuid is null and stopped_by_rule))",
        id.0,
        by.map(|p| p.0)
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A rule stopped it.
pub(crate) async fn set_stopped(db: impl PgExecutor<'_>, id: SessionId) -> Store<()> {
    sqlx::query!("update session set stopped_by_rule = true where id = $1 and ended_at is null", id.0).execute(db).await?;
    Ok(())
}

pub(crate) struct Pausing {
    pub(crate) id: Uuid,
    pub(crate) paused_by: Option<Uuid>,
    pub(crate) stopped_by_rule: bool,
}

/// Of these the running ones.
pub(crate) async fn pausing(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Store<Vec<Pausing>> {
    Ok(sqlx::query_as!(
        Pausing,
        "select s.id, s.paused_by, s.stopped_by_rule from session s
         where s.id = any($1) and s.ended_at is null",
        ids
    )
    .fetch_all(db)
    .await?)
}

/// What its recording became. Tells.
pub(crate) async fn seal(db: impl PgExecutor<'_>, s: &SealedRecord) -> Store<()> {
    let counts = serde_json::to_value(&s.mask_counts).map_err(|_| StoreError::Damaged("session"))?;
    sqlx::query!(
        "with sealed as (
             update session set recording = $2, manifest = $3, manifest_sha256 = $4, mask_incomplete = $5, mask_counts = $6, bytes = $7
             where id = $1)
         select pg_notify($8, $9)",
        s.session.0,
        s.state.as_str(),
        s.manifest,
        &s.manifest_sha256[..],
        s.mask_incomplete,
        counts,
        i64::try_from(s.bytes).unwrap_or(i64::MAX),
        CHANNEL,
        Change::Session(s.session).payload()
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn manifest(db: impl PgExecutor<'_>, id: SessionId) -> Store<Option<serde_json::Value>> {
    Ok(sqlx::query_scalar!("select manifest from session where id = $1", id.0).fetch_optional(db).await?.flatten())
}
