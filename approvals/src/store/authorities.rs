//! Table `authority`: our certificate authorities.
use super::{Store, targets::Sealed};
use crate::{AuthorityInfo, Purpose, StoreError};
use anteroom_domain::{AuthorityId, Moment};
use sqlx::PgExecutor;
use uuid::Uuid;

struct Row {
    id: Uuid,
    purpose: String,
    public_key: String,
    fingerprint: String,
    made_at: Moment,
    retired_at: Option<Moment>,
}

impl TryFrom<Row> for AuthorityInfo {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        Ok(Self {
            id: r.id.into(),
            purpose: Purpose::from_name(&r.purpose).ok_or(StoreError::Damaged("authority"))?,
            public_key: r.public_key,
            fingerprint: r.fingerprint,
            made_at: r.made_at,
            retired_at: r.retired_at,
        })
    }
}

/// Until our transaction ends nobody else makes or retires one.
pub(crate) async fn hold_all(db: impl PgExecutor<'_>) -> Store<()> {
    // Any number will do, as long as nothing else in this database uses it: "authorit" in ASCII.
    sqlx::query!("select pg_advisory_xact_lock($1)", 0x6175_7468_6f72_6974_i64).execute(db).await?;
    Ok(())
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, a: &AuthorityInfo, s: &Sealed) -> Store<()> {
    sqlx::query!(
        "insert into authority (id, purpose, public_key, fingerprint, key_version, nonce, sealed, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        a.id.0,
        a.purpose.as_str(),
        a.public_key,
        a.fingerprint,
        s.key_version,
        s.nonce,
        s.sealed,
        a.made_at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// All of a purpose, the newest first.
pub(crate) async fn of(db: impl PgExecutor<'_>, purpose: Purpose) -> Store<Vec<AuthorityInfo>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, purpose, public_key, fingerprint, made_at, retired_at from authority where purpose = $1 order by made_at desc, id desc",
        purpose.as_str()
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(AuthorityInfo::try_from).collect()
}

/// The one that signs now, with its sealed private half.
pub(crate) async fn current(db: impl PgExecutor<'_>, purpose: Purpose) -> Store<Option<(AuthorityId, Sealed)>> {
    let row = sqlx::query!(
        "select id, key_version, nonce, sealed from authority where purpose = $1 and retired_at is null
         order by made_at desc, id desc limit 1",
        purpose.as_str()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|r| {
        let sealed = Sealed { kind: purpose.as_str().into(), key_version: r.key_version, nonce: r.nonce, sealed: r.sealed };
        (r.id.into(), sealed)
    }))
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: AuthorityId) -> Store<Option<AuthorityInfo>> {
    let row = sqlx::query_as!(Row, "select id, purpose, public_key, fingerprint, made_at, retired_at from authority where id = $1", id.0)
        .fetch_optional(db)
        .await?;
    row.map(AuthorityInfo::try_from).transpose()
}

/// Whether certificates of this one count for this purpose.
pub(crate) async fn counts(db: impl PgExecutor<'_>, purpose: Purpose, fingerprint: &str) -> Store<bool> {
    let found = sqlx::query_scalar!(
        "select 1 from authority where purpose = $1 and fingerprint = $2 and retired_at is null",
        purpose.as_str(),
        fingerprint
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

pub(crate) async fn retire(db: impl PgExecutor<'_>, id: AuthorityId, at: Moment) -> Store<bool> {
    let done = sqlx::query!("update authority set retired_at = $2 where id = $1 and retired_at is null", id.0, at).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Authorities of a purpose that one made before `before` has replaced.
pub(crate) async fn replaced(db: impl PgExecutor<'_>, purpose: Purpose, before: Moment) -> Store<Vec<AuthorityInfo>> {
    let rows = sqlx::query_as!(
        Row,
        "select id, purpose, public_key, fingerprint, made_at, retired_at from authority a where purpose = $1 and retired_at is null
         and exists (select from authority n where n.purpose = $1 and n.retired_at is null
                     and (n.made_at, n.id) > (a.made_at, a.id) and n.made_at < $2)",
        purpose.as_str(),
        before
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(AuthorityInfo::try_from).collect()
}
