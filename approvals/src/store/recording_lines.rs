//! Tables `recording_index` and `recording_line`: what can be searched of recordings.
use super::Store;
use crate::{
    StoreError,
    search::{IndexLine, Indexed, Place, SearchFilter, vector},
};
use anteroom_domain::{AccountName, LineKind, Moment, SessionId, TargetName};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

/// Rows of one statement.
const BATCH: usize = 1_000;
/// Bytes of a line (the table's own bound).
const MAX_BODY: usize = 4_096;

struct Row {
    session: Uuid,
    n: i32,
    channel: i64,
    at_us: i64,
    kind: String,
    body: String,
    started_at: Moment,
    person_handle: String,
    target_name: String,
    account: String,
}

pub(crate) struct Line {
    pub(crate) place: Place,
    pub(crate) channel: u32,
    pub(crate) at_us: u64,
    pub(crate) kind: LineKind,
    pub(crate) body: String,
    pub(crate) person_handle: String,
    pub(crate) target_name: TargetName,
    pub(crate) account: AccountName,
}

impl TryFrom<Row> for Line {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("recording_line");
        Ok(Self {
            place: Place { started_at: r.started_at, session: r.session, n: r.n },
            channel: u32::try_from(r.channel).map_err(|_| WHERE)?,
            at_us: u64::try_from(r.at_us).map_err(|_| WHERE)?,
            kind: LineKind::from_name(&r.kind).ok_or(WHERE)?,
            body: r.body,
            person_handle: r.person_handle,
            target_name: r.target_name.try_into().map_err(|_| WHERE)?,
            account: r.account.try_into().map_err(|_| WHERE)?,
        })
    }
}

/// None when it takes longer than somebody should wait: then too many lines hold it.
pub(crate) async fn search(db: &PgPool, tsquery: &str, f: &SearchFilter, after: Option<Place>, at_most: i64) -> Store<Option<Vec<Line>>> {
    let mut tx = db.begin().await?;
    sqlx::query_scalar!("select set_config('statement_timeout', '5s', true)").fetch_one(&mut *tx).await?;
    let rows = sqlx::query_as!(
        Row,
        "select l.session, l.n, l.channel, l.at_us, l.kind, l.body, s.started_at,
         p.handle as person_handle, t.name as target_name, a.name as account
         from recording_line l join session s on s.id = l.session
         join person p on p.id = s.person join target t on t.id = s.target join account a on a.id = s.account
         where l.words @@ $1::text::tsquery and not s.mask_incomplete
         and ($2::uuid is null or s.person = $2) and ($3::uuid is null or s.target = $3) and ($4::uuid is null or l.session = $4)
         and ($5::text is null or l.kind = $5)
         and ($6::timestamptz is null or s.started_at >= $6) and ($7::timestamptz is null or s.started_at < $7)
         and ($8::timestamptz is null or (s.started_at, s.id, -l.n) < ($8, $9::uuid, -$10::int))
         order by s.started_at desc, s.id desc, l.n limit $11",
        tsquery,
        f.person.map(|p| p.0),
        f.target.map(|t| t.0),
        f.session.map(|s| s.0),
        f.kind.map(LineKind::as_str),
        f.from,
        f.until,
        after.map(|p| p.started_at),
        after.map(|p| p.session),
        after.map(|p| p.n),
        at_most
    )
    .fetch_all(&mut *tx)
    .await;
    let rows = match rows {
        // query_canceled: by its own time limit.
        Err(sqlx::Error::Database(d)) if d.code().as_deref() == Some("57014") => return Ok(None),
        rows => rows?,
    };
    rows.into_iter().map(Line::try_from).collect::<Store<_>>().map(Some)
}

pub(crate) async fn unindexed(db: impl PgExecutor<'_>, version: i32, now: Moment, at_most: i64) -> Store<Vec<SessionId>> {
    let rows = sqlx::query_scalar!(
        "select s.id from session s left join recording_index i on i.session = s.id
         where s.recording <> 'recording' and not s.mask_incomplete
         and (i.session is null
              or i.state <> 'forgotten' and (i.version < $1 or i.state <> 'done' and i.next_at <= $2))
         order by s.started_at desc limit $3",
        version,
        now,
        at_most
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(SessionId::from).collect())
}

pub(crate) async fn begin(db: impl PgExecutor<'_>, session: SessionId, version: i32, now: Moment, until: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "insert into recording_index as i (session, state, version, tries, next_at)
         select s.id, 'working', $2, 1, $4 from session s where s.id = $1 and s.recording <> 'recording' and not s.mask_incomplete
         on conflict (session) do update set state = 'working', version = excluded.version, next_at = excluded.next_at,
         tries = case when i.version < excluded.version then 1 else i.tries + 1 end
         where i.state <> 'forgotten' and (i.version < excluded.version or i.state <> 'done' and i.next_at <= $3)",
        session.0,
        version,
        now,
        until
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False if nobody is at it any more.
pub(crate) async fn finish(tx: &mut PgConnection, session: SessionId, lines: &[IndexLine], indexed: &Indexed) -> Store<bool> {
    // Holds the row: who forgets comes before or after all of this.
    let done = sqlx::query!(
        "update recording_index set state = 'done', cut = $2, timeline = $3 where session = $1 and state = 'working'",
        session.0,
        indexed.cut,
        indexed.timeline
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!("delete from recording_line where session = $1", session.0).execute(&mut *tx).await?;
    for (batch, lines) in lines.chunks(BATCH).enumerate() {
        let first = i32::try_from(batch * BATCH).unwrap_or(i32::MAX);
        let channels: Vec<i64> = lines.iter().map(|l| l.channel.into()).collect();
        let times: Vec<i64> = lines.iter().map(|l| i64::try_from(l.at_us).unwrap_or(i64::MAX)).collect();
        let kinds: Vec<String> = lines.iter().map(|l| l.kind.as_str().to_owned()).collect();
        let bodies: Vec<String> = lines.iter().map(|l| body(&l.text)).collect();
        let words: Vec<String> = bodies.iter().map(|b| vector(b)).collect();
        sqlx::query!(
            "insert into recording_line (session, n, channel, at_us, kind, body, words)
             select $1, $2 + x.n::int - 1, x.channel, x.at_us, x.kind, x.body, x.words::tsvector
             from unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[])
             with ordinality as x (channel, at_us, kind, body, words, n)",
            session.0,
            first,
            &channels,
            &times,
            &kinds,
            &bodies,
            &words
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(true)
}

/// Postgres takes no NUL, and the table no endless lines.
fn body(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_BODY)].replace('\0', " ")
}

pub(crate) async fn failed(db: impl PgExecutor<'_>, session: SessionId, now: Moment) -> Store<()> {
    sqlx::query!(
        "update recording_index set state = 'unreadable',
         next_at = $2::timestamptz + least(interval '1 minute' * (2 ^ least(tries, 11)), interval '1 day')
         where session = $1 and state = 'working'",
        session.0,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn forget(tx: &mut PgConnection, session: SessionId) -> Store<()> {
    sqlx::query!(
        "insert into recording_index (session, state, version, tries, next_at)
         select s.id, 'forgotten', 0, 0, s.started_at from session s where s.id = $1
         on conflict (session) do update set state = 'forgotten', timeline = null, cut = false",
        session.0
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from recording_line where session = $1", session.0).execute(tx).await?;
    Ok(())
}

pub(crate) async fn indexed(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<Indexed>> {
    let row =
        sqlx::query!(r#"select timeline as "timeline!", cut from recording_index where session = $1 and timeline is not null"#, session.0)
            .fetch_optional(db)
            .await?;
    Ok(row.map(|r| Indexed { timeline: r.timeline, cut: r.cut }))
}
