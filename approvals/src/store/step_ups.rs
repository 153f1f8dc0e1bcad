//! Table `step_up`: second factors of SSH connections.
use super::Store;
use crate::{StepUpState, StoreError, store::evidence::Stored};
use anteroom_domain::{AccountName, Moment, PersonId, SessionId, StepUpId, TargetName};
use sqlx::PgExecutor;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct StepUp {
    pub(crate) id: StepUpId,
    pub(crate) person: PersonId,
    pub(crate) ssh_session_id: Vec<u8>,
    pub(crate) fingerprint: String,
    pub(crate) target: TargetName,
    pub(crate) account: AccountName,
    pub(crate) source: String,
    pub(crate) number: String,
    pub(crate) asked_at: Moment,
    pub(crate) expires_at: Moment,
    state: Answer,
}

/// As the table has it; "expired" is a matter of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Pending,
    Passed,
    Refused,
}

impl StepUp {
    pub(crate) fn new(ask: crate::AskStepUp, id: StepUpId, number: String, asked_at: Moment, expires_at: Moment) -> Self {
        Self {
            id,
            person: ask.person,
            ssh_session_id: ask.ssh_session_id,
            fingerprint: ask.fingerprint,
            target: ask.target,
            account: ask.account,
            source: ask.source.to_string(),
            number,
            asked_at,
            expires_at,
            state: Answer::Pending,
        }
    }

    pub(crate) fn state(&self, now: Moment) -> StepUpState {
        match self.state {
            Answer::Passed => StepUpState::Passed,
            Answer::Refused => StepUpState::Refused,
            Answer::Pending if now >= self.expires_at => StepUpState::Expired,
            Answer::Pending => StepUpState::Pending,
        }
    }
}

struct Row {
    id: Uuid,
    person: Uuid,
    ssh_session_id: Vec<u8>,
    fingerprint: String,
    target_name: String,
    account: String,
    source: String,
    number: String,
    state: String,
    asked_at: Moment,
    expires_at: Moment,
}

impl TryFrom<Row> for StepUp {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        const WHERE: StoreError = StoreError::Damaged("step_up");
        Ok(Self {
            id: r.id.into(),
            person: r.person.into(),
            ssh_session_id: r.ssh_session_id,
            fingerprint: r.fingerprint,
            target: r.target_name.try_into().map_err(|_| WHERE)?,
            account: r.account.try_into().map_err(|_| WHERE)?,
            source: r.source,
            number: r.number,
            asked_at: r.asked_at,
            expires_at: r.expires_at,
            state: match r.state.as_str() {
                "pending" => Answer::Pending,
                "passed" => Answer::Passed,
                "refused" => Answer::Refused,
                _ => return Err(WHERE),
            },
        })
    }
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, s: &StepUp) -> Store<()> {
    sqlx::query!(
        "insert into step_up (id, person, ssh_session_id, fingerprint, target_name, account, source, number, state, asked_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10)",
        s.id.0,
        s.person.0,
        s.ssh_session_id,
        s.fingerprint,
        s.target.as_str(),
        s.account.as_str(),
        s.source,
        s.number,
        s.asked_at,
        s.expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn by_id(db: impl PgExecutor<'_>, id: StepUpId) -> Store<Option<StepUp>> {
    let row = sqlx::query_as!(
        Row,
        "select id, person, ssh_session_id, fingerprint, target_name, account, source, number, state, asked_at, expires_at
         from step_up where id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(StepUp::try_from).transpose()
}

pub(crate) async fn waiting_of(db: impl PgExecutor<'_>, person: PersonId, now: Moment) -> Store<i64> {
    let n = sqlx::query_scalar!("select count(*) from step_up where person = $1 and state = 'pending' and expires_at > $2", person.0, now)
        .fetch_one(db)
        .await?;
    Ok(n.unwrap_or_default())
}

/// Marks a pending one as passed; false if it is answered or too old.
pub(crate) async fn pass(db: impl PgExecutor<'_>, id: StepUpId, evidence: &Stored, now: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update step_up set state = 'passed', answered_at = $3, evidence = $2 where id = $1 and state = 'pending' and expires_at > $3",
        id.0,
        evidence.id,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn refuse(db: impl PgExecutor<'_>, id: StepUpId, person: PersonId, now: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update step_up set state = 'refused', answered_at = $3 where id = $1 and person = $2 and state = 'pending' and expires_at > $3",
        id.0,
        person.0,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Refuses whatever waits for this person.
pub(crate) async fn refuse_all(db: impl PgExecutor<'_>, person: PersonId, now: Moment) -> Store<Vec<StepUpId>> {
    let ids = sqlx::query_scalar!(
        "update step_up set state = 'refused', answered_at = $2 where person = $1 and state = 'pending' returning id",
        person.0,
        now
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(StepUpId).collect())
}

/// What a passed step-up must match to open a session.
pub(crate) struct Use<'a> {
    pub(crate) id: StepUpId,
    pub(crate) person: PersonId,
    pub(crate) target: &'a str,
    pub(crate) account: &'a str,
    pub(crate) source: &'a str,
    pub(crate) session: SessionId,
    pub(crate) answered_after: Moment,
}

/// Spends a passed step-up on one session; asking again for the same session is fine.
pub(crate) async fn spend(db: impl PgExecutor<'_>, u: Use<'_>) -> Store<bool> {
    let done = sqlx::query!(
        "update step_up set used_by = $6 where id = $1 and person = $2 and target_name = $3 and account = $4 and source = $5
         and state = 'passed' and answered_at > $7 and (used_by is null or used_by = $6)",
        u.id.0,
        u.person.0,
        u.target,
        u.account,
        u.source,
        u.session.0,
        u.answered_after
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether one was passed since `since` for this address and target, and with this key if `fingerprint` is given.
pub(crate) async fn passed_since(
    db: impl PgExecutor<'_>,
    person: PersonId,
    fingerprint: Option<&str>,
    source: &str,
    target: &str,
    since: Moment,
) -> Store<Option<Moment>> {
    let found = sqlx::query_scalar!(
        "select max(answered_at) from step_up where person = $1 and ($2::text is null or fingerprint = $2) and source = $3 and target_name = $4
         and state = 'passed' and answered_at > $5",
        person.0,
        fingerprint,
        source,
        target,
        since
    )
    .fetch_one(db)
    .await?;
    Ok(found)
}

/// The evidence of the step-up that opened this session.
pub(crate) async fn evidence_of(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<Uuid>> {
    let e = sqlx::query_scalar!("select evidence from step_up where used_by = $1 and state = 'passed' limit 1", session.0)
        .fetch_optional(db)
        .await?;
    Ok(e.flatten())
}

/// When this person's passkey confirmed exactly this connection; none if it did not, was too long ago, or opened a session already.
pub(crate) async fn confirmed_at(db: impl PgExecutor<'_>, u: Use<'_>, fingerprint: &str) -> Store<Option<Moment>> {
    let at = sqlx::query_scalar!(
        "select answered_at from step_up where id = $1 and person = $2 and target_name = $3 and account = $4 and source = $5
         and fingerprint = $6 and state = 'passed' and answered_at > $7 and used_by is null",
        u.id.0,
        u.person.0,
        u.target,
        u.account,
        u.source,
        fingerprint,
        u.answered_after
    )
    .fetch_optional(db)
    .await?;
    Ok(at.flatten())
}

/// Whether it was spent on exactly this session, however long ago.
pub(crate) async fn opened(db: impl PgExecutor<'_>, id: StepUpId, person: PersonId, session: SessionId) -> Store<bool> {
    let found = sqlx::query_scalar!(
        "select 1 from step_up where id = $1 and person = $2 and used_by = $3 and state = 'passed'",
        id.0,
        person.0,
        session.0
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}
