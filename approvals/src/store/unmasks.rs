//! Tables `unmask`, `unmask_answer` and `unmask_opening`: seeing an interval of a recording as it was.
use super::{Store, total};
use crate::{
    Listing, Page, StoreError, UnmaskAnswer, UnmaskFilter,
    clock::{hex, new_id},
    listing::pattern,
    store::evidence::Stored,
};
use anteroom_domain::{Moment, PersonId, SessionId, UnmaskId, UnmaskRequest, UnmaskState, content::Verdict, unmask::HOLDERS_NEEDED};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

struct Row {
    id: Uuid,
    session: Uuid,
    header_sha256: Vec<u8>,
    session_person: String,
    session_target: String,
    session_account: String,
    session_started_at: Moment,
    from_us: i64,
    until_us: i64,
    requester: Uuid,
    requester_handle: String,
    reason: String,
    state: String,
    created_at: Moment,
    expires_at: Moment,
}

impl TryFrom<Row> for UnmaskRequest {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("unmask");
        Ok(Self {
            id: r.id.into(),
            session: r.session.into(),
            header_sha256: hex(&r.header_sha256),
            session_person: r.session_person.try_into().map_err(|_| WHERE)?,
            session_target: format!("{}@{}", r.session_account, r.session_target),
            session_started_at: r.session_started_at,
            from_us: r.from_us.try_into().map_err(|_| WHERE)?,
            until_us: r.until_us.try_into().map_err(|_| WHERE)?,
            requester: r.requester.into(),
            requester_handle: r.requester_handle.try_into().map_err(|_| WHERE)?,
            reason: r.reason.try_into().map_err(|_| WHERE)?,
            state: UnmaskState::from_name(&r.state).ok_or(WHERE)?,
            created_at: r.created_at,
            expires_at: r.expires_at,
        })
    }
}

pub(crate) struct New<'a> {
    pub(crate) id: UnmaskId,
    pub(crate) session: SessionId,
    pub(crate) requester: PersonId,
    pub(crate) reason: &'a str,
    pub(crate) from_us: u64,
    pub(crate) until_us: u64,
    pub(crate) created_at: Moment,
    pub(crate) expires_at: Moment,
}

fn whole(us: u64) -> Store<i64> {
    us.try_into().map_err(|_| StoreError::Damaged("unmask"))
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, n: New<'_>) -> Store<()> {
    sqlx::query!(
        "insert into unmask (id, session, requester, reason, from_us, until_us, state, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, 'pending', $7, $8)",
        n.id.0,
        n.session.0,
        n.requester.0,
        n.reason,
        whole(n.from_us)?,
        whole(n.until_us)?,
        n.created_at,
        n.expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: UnmaskId) -> Store<Option<UnmaskRequest>> {
    let row = sqlx::query_as!(
        Row,
        "select u.id, u.session, s.recording_header_sha256 as header_sha256, o.handle as session_person, t.name as session_target,
         a.name as session_account, s.started_at as session_started_at, u.from_us, u.until_us, u.requester, p.handle as requester_handle,
         u.reason, u.state, u.created_at, u.expires_at
         from unmask u join session s on s.id = u.session join person o on o.id = s.person join target t on t.id = s.target
         join account a on a.id = s.account join person p on p.id = u.requester where u.id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(UnmaskRequest::try_from).transpose()
}

/// The same, and nobody else can answer, withdraw or open it before our transaction ends.
pub(crate) async fn held(tx: &mut sqlx::PgConnection, id: UnmaskId) -> Store<Option<UnmaskRequest>> {
    let there = sqlx::query_scalar!("select id from unmask where id = $1 for update", id.0).fetch_optional(&mut *tx).await?;
    if there.is_none() { Ok(None) } else { by_id(tx, id).await }
}

/// All of a session, oldest first.
pub(crate) async fn of_session(db: impl PgExecutor<'_>, session: SessionId) -> Store<Vec<UnmaskRequest>> {
    let rows = sqlx::query_as!(
        Row,
        "select u.id, u.session, s.recording_header_sha256 as header_sha256, o.handle as session_person, t.name as session_target,
         a.name as session_account, s.started_at as session_started_at, u.from_us, u.until_us, u.requester, p.handle as requester_handle,
         u.reason, u.state, u.created_at, u.expires_at
         from unmask u join session s on s.id = u.session join person o on o.id = s.person join target t on t.id = s.target
         join account a on a.id = s.account join person p on p.id = u.requester where u.session = $1 order by u.created_at, u.id",
        session.0
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(UnmaskRequest::try_from).collect()
}

pub(crate) async fn list(db: &PgPool, f: &UnmaskFilter, page: Page, now: Moment) -> Store<Listing<UnmaskRequest>> {
    let (like, state) = (pattern(&f.search), f.state.map(UnmaskState::as_str));
    let (requester, waits_for) = (f.requester.map(|p| p.0), f.waits_for.map(|p| p.0));
    let rows = sqlx::query_as!(
        Row,
        "select u.id, u.session, s.recording_header_sha256 as header_sha256, o.handle as session_person, t.name as session_target,
         a.name as session_account, s.started_at as session_started_at, u.from_us, u.until_us, u.requester, p.handle as requester_handle,
         u.reason, u.state, u.created_at, u.expires_at
         from unmask u join session s on s.id = u.session join person o on o.id = s.person join target t on t.id = s.target
         join account a on a.id = s.account join person p on p.id = u.requester
         where ($1::text is null or u.state = $1) and ($2::uuid is null or u.requester = $2)
         and ($3::uuid is null or (u.state = 'pending' and u.expires_at > $4 and u.requester <> $3
              and not exists (select from unmask_answer w where w.unmask = u.id and w.holder = $3)))
         and (t.name ilike $5 or o.handle ilike $5 or p.handle ilike $5 or p.display_name ilike $5 or u.reason ilike $5)
         order by u.created_at desc, u.id desc limit $6 offset $7",
        state,
        requester,
        waits_for,
        now,
        like,
        page.limit(),
        page.offset()
    )
    .fetch_all(db)
    .await?;
    let n = sqlx::query_scalar!(
        "select count(*)
         from unmask u join session s on s.id = u.session join person o on o.id = s.person join target t on t.id = s.target
         join person p on p.id = u.requester
         where ($1::text is null or u.state = $1) and ($2::uuid is null or u.requester = $2)
         and ($3::uuid is null or (u.state = 'pending' and u.expires_at > $4 and u.requester <> $3
              and not exists (select from unmask_answer w where w.unmask = u.id and w.holder = $3)))
         and (t.name ilike $5 or o.handle ilike $5 or p.handle ilike $5 or p.display_name ilike $5 or u.reason ilike $5)",
        state,
        requester,
        waits_for,
        now,
        like
    )
    .fetch_one(db)
    .await?;
    Ok(Listing { rows: rows.into_iter().map(UnmaskRequest::try_from).collect::<Store<_>>()?, total: total(n) })
}

/// A person's requests that wait for an answer and still could get one.
pub(crate) async fn waiting_of(db: impl PgExecutor<'_>, person: PersonId, now: Moment) -> Store<i64> {
    let n =
        sqlx::query_scalar!("select count(*) from unmask where requester = $1 and state = 'pending' and expires_at > $2", person.0, now)
            .fetch_one(db)
            .await?;
    Ok(n.unwrap_or_default())
}

pub(crate) async fn set_state(db: impl PgExecutor<'_>, id: UnmaskId, state: UnmaskState) -> Store<()> {
    sqlx::query!("update unmask set state = $2 where id = $1", id.0, state.as_str()).execute(db).await?;
    Ok(())
}

pub(crate) struct NewAnswer {
    pub(crate) unmask: UnmaskId,
    pub(crate) requester: PersonId,
    pub(crate) holder: PersonId,
    pub(crate) verdict: Verdict,
    pub(crate) at: Moment,
}

pub(crate) async fn insert_answer(db: impl PgExecutor<'_>, a: &NewAnswer, evidence: &Stored) -> Store<()> {
    let verdict = match a.verdict {
        Verdict::Approve => "approve",
        Verdict::Deny => "deny",
    };
    sqlx::query!(
        "insert into unmask_answer (id, unmask, requester, holder, verdict, evidence, at) values ($1, $2, $3, $4, $5, $6, $7)",
        new_id::<Uuid>(),
        a.unmask.0,
        a.requester.0,
        a.holder.0,
        verdict,
        evidence.id,
        a.at
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An answer and where its evidence is, in the order they were given.
pub(crate) async fn answers(db: impl PgExecutor<'_>, id: UnmaskId) -> Store<Vec<(UnmaskAnswer, Uuid)>> {
    let rows = sqlx::query!("select holder, verdict, evidence, at from unmask_answer where unmask = $1 order by at, id", id.0)
        .fetch_all(db)
        .await?;
    let answer = |r: Uuid, verdict: &str, at| {
        let verdict = match verdict {
            "approve" => Verdict::Approve,
            "deny" => Verdict::Deny,
            _ => return Err(StoreError::Damaged("unmask_answer")),
        };
        Ok(UnmaskAnswer { holder: PersonId(r), verdict, at })
    };
    // Two approvals or one denial end it: more rows than that nobody wrote.
    if rows.len() > HOLDERS_NEEDED {
        return Err(StoreError::Damaged("unmask_answer"));
    }
    rows.into_iter().map(|r| Ok((answer(r.holder, &r.verdict, r.at)?, r.evidence))).collect()
}

pub(crate) async fn insert_opening(db: impl PgExecutor<'_>, id: UnmaskId, evidence: &Stored, at: Moment) -> Store<()> {
    sqlx::query!("insert into unmask_opening (id, unmask, evidence, at) values ($1, $2, $3, $4)", new_id::<Uuid>(), id.0, evidence.id, at)
        .execute(db)
        .await?;
    Ok(())
}

/// When it was opened and where the evidence is, oldest first.
pub(crate) async fn openings(db: impl PgExecutor<'_>, id: UnmaskId) -> Store<Vec<(Moment, Uuid)>> {
    let rows = sqlx::query!("select at, evidence from unmask_opening where unmask = $1 order by at, id", id.0).fetch_all(db).await?;
    Ok(rows.into_iter().map(|r| (r.at, r.evidence)).collect())
}
