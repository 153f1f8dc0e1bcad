//! Tables `certificate_ask` and `certificate`: short-lived certificates of people.
use super::Store;
use crate::{CertificateInfo, CertificateState, StoreError, store::evidence::Stored};
use anteroom_domain::{CertificateAskId, Moment, PersonId, SessionId};
use sqlx::PgExecutor;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) id: CertificateAskId,
    pub(crate) public_key: String,
    pub(crate) fingerprint: String,
    pub(crate) source: String,
    pub(crate) number: String,
    /// Who answered.
    pub(crate) person: Option<PersonId>,
    pub(crate) asked_at: Moment,
    pub(crate) expires_at: Moment,
    answer: Answer,
}

/// As the table has it; "expired" is a matter of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Pending,
    Signed,
    Refused,
    Fetched,
}

impl Ask {
    pub(crate) fn new(
        id: CertificateAskId,
        public_key: String,
        fingerprint: String,
        source: String,
        number: String,
        asked_at: Moment,
        expires_at: Moment,
    ) -> Self {
        Self { id, public_key, fingerprint, source, number, person: None, asked_at, expires_at, answer: Answer::Pending }
    }

    pub(crate) fn state(&self, now: Moment) -> CertificateState {
        match self.answer {
            Answer::Signed | Answer::Fetched => CertificateState::Signed,
            Answer::Refused => CertificateState::Refused,
            Answer::Pending if now >= self.expires_at => CertificateState::Expired,
            Answer::Pending => CertificateState::Pending,
        }
    }
}

struct Row {
    id: Uuid,
    public_key: String,
    fingerprint: String,
    source: String,
    number: String,
    state: String,
    person: Option<Uuid>,
    asked_at: Moment,
    expires_at: Moment,
}

impl TryFrom<Row> for Ask {
    type Error = StoreError;
    fn try_from(r: Row) -> Store<Self> {
        Ok(Self {
            id: r.id.into(),
            public_key: r.public_key,
            fingerprint: r.fingerprint,
            source: r.source,
            number: r.number,
            person: r.person.map(PersonId),
            asked_at: r.asked_at,
            expires_at: r.expires_at,
            answer: match r.state.as_str() {
                "pending" => Answer::Pending,
                "signed" => Answer::Signed,
                "refused" => Answer::Refused,
                "fetched" => Answer::Fetched,
                _ => return Err(StoreError::Damaged("certificate_ask")),
            },
        })
    }
}

/// Until our transaction ends nobody else asks: what is counted stays counted.
pub(crate) async fn hold_asks(db: impl PgExecutor<'_>) -> Store<()> {
    // As for the authorities; "certask" in ASCII.
    sqlx::query!("select pg_advisory_xact_lock($1)", 0x63_6572_7461_736b_i64).execute(db).await?;
    Ok(())
}

/// How many wait for an answer: from this network (CIDR), and from anywhere.
pub(crate) async fn waiting(db: impl PgExecutor<'_>, network: &str, now: Moment) -> Store<(i64, i64)> {
    let row = sqlx::query!(
        r#"select count(*) filter (where source::inet <<= $1::text::inet) as "near!", count(*) as "all!"
           from certificate_ask where state = 'pending' and expires_at > $2"#,
        network,
        now
    )
    .fetch_one(db)
    .await?;
    Ok((row.near, row.all))
}

pub(crate) async fn insert_ask(db: impl PgExecutor<'_>, a: &Ask, token_hash: &[u8]) -> Store<()> {
    sqlx::query!(
        "insert into certificate_ask (id, public_key, fingerprint, source, number, poll_token_sha256, state, asked_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, 'pending', $7, $8)",
        a.id.0,
        a.public_key,
        a.fingerprint,
        a.source,
        a.number,
        token_hash,
        a.asked_at,
        a.expires_at
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn ask(db: impl PgExecutor<'_>, id: CertificateAskId) -> Store<Option<Ask>> {
    let row = sqlx::query_as!(
        Row,
        "select id, public_key, fingerprint, source, number, state, person, asked_at, expires_at from certificate_ask where id = $1",
        id.0
    )
    .fetch_optional(db)
    .await?;
    row.map(Ask::try_from).transpose()
}

/// The same, for the one who has the token.
pub(crate) async fn ask_with(db: impl PgExecutor<'_>, id: CertificateAskId, token_hash: &[u8]) -> Store<Option<Ask>> {
    let row = sqlx::query_as!(
        Row,
        "select id, public_key, fingerprint, source, number, state, person, asked_at, expires_at
         from certificate_ask where id = $1 and poll_token_sha256 = $2",
        id.0,
        token_hash
    )
    .fetch_optional(db)
    .await?;
    row.map(Ask::try_from).transpose()
}

/// Puts the certificate where it is fetched; false if it was answered before or is too old.
pub(crate) async fn sign(
    db: impl PgExecutor<'_>,
    id: CertificateAskId,
    person: PersonId,
    evidence: &Stored,
    certificate: &str,
    now: Moment,
) -> Store<bool> {
    let done = sqlx::query!(
        "update certificate_ask set state = 'signed', person = $2, evidence = $3, certificate = $4
         where id = $1 and state = 'pending' and expires_at > $5",
        id.0,
        person.0,
        evidence.id,
        certificate,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn refuse(db: impl PgExecutor<'_>, id: CertificateAskId, person: PersonId, now: Moment) -> Store<bool> {
    let done = sqlx::query!(
        "update certificate_ask set state = 'refused', person = $2 where id = $1 and state = 'pending' and expires_at > $3",
        id.0,
        person.0,
        now
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Hands the certificate out: after this it is here no longer.
pub(crate) async fn fetch(db: impl PgExecutor<'_>, id: CertificateAskId, token_hash: &[u8], asked_after: Moment) -> Store<Option<String>> {
    let found = sqlx::query_scalar!(
        "with taken as (select id, certificate from certificate_ask
                        where id = $1 and poll_token_sha256 = $2 and state = 'signed' and expires_at > $3 for update)
         update certificate_ask a set state = 'fetched', certificate = null from taken where a.id = taken.id returning taken.certificate",
        id.0,
        token_hash,
        asked_after
    )
    .fetch_optional(db)
    .await?;
    Ok(found.flatten())
}

pub(crate) async fn sweep(db: impl PgExecutor<'_>, before: Moment) -> Store<()> {
    sqlx::query!("delete from certificate_ask where expires_at < $1", before).execute(db).await?;
    Ok(())
}

pub(crate) async fn insert(db: impl PgExecutor<'_>, person: PersonId, c: &CertificateInfo, evidence: &Stored) -> Store<()> {
    sqlx::query!(
        "insert into certificate (serial, person, fingerprint, source, issued_at, expires_at, evidence)
         values ($1::text::numeric, $2, $3, $4, $5, $6, $7)",
        c.serial,
        person.0,
        c.fingerprint,
        c.source,
        c.issued_at,
        c.expires_at,
        evidence.id
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether we issued this to this person for this key, and nobody took it back.
pub(crate) async fn counts(db: impl PgExecutor<'_>, serial: &str, person: PersonId, fingerprint: &str, now: Moment) -> Store<bool> {
    let found = sqlx::query_scalar!(
        "select 1 from certificate where serial = $1::text::numeric and person = $2 and fingerprint = $3 and expires_at > $4
         and revoked_at is null",
        serial,
        person.0,
        fingerprint,
        now
    )
    .fetch_optional(db)
    .await?;
    Ok(found.is_some())
}

/// Whether this one of theirs has neither ended nor been taken back; it stays so until our transaction ends.
pub(crate) async fn held(db: impl PgExecutor<'_>, serial: &str, person: PersonId, now: Moment) -> Store<bool> {
    Ok(signed_at(db, serial, person, now).await?.is_some())
}

/// The same, and when a passkey let it be signed.
pub(crate) async fn signed_at(db: impl PgExecutor<'_>, serial: &str, person: PersonId, now: Moment) -> Store<Option<Moment>> {
    Ok(sqlx::query_scalar!(
        "select issued_at from certificate where serial = $1::text::numeric and person = $2 and expires_at > $3 and revoked_at is null for share",
        serial,
        person.0,
        now
    )
    .fetch_optional(db)
    .await?)
}

/// What the passkey signed when the certificate was given out that let this session in.
pub(crate) async fn evidence_of(db: impl PgExecutor<'_>, session: SessionId) -> Store<Option<Uuid>> {
    let e =
        sqlx::query_scalar!("select c.evidence from certificate c join session s on s.certificate = c.serial where s.id = $1", session.0)
            .fetch_optional(db)
            .await?;
    Ok(e.flatten())
}

/// Those that have not ended, the newest first.
pub(crate) async fn of(db: impl PgExecutor<'_>, person: PersonId, now: Moment) -> Store<Vec<CertificateInfo>> {
    let rows = sqlx::query_as!(
        CertificateInfo,
        r#"select serial::text as "serial!", fingerprint, source, issued_at, expires_at, revoked_at
           from certificate where person = $1 and expires_at > $2 order by issued_at desc limit 100"#,
        person.0,
        now
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// How many were taken back; one that nobody fetched yet is gone for good.
pub(crate) async fn revoke_all(tx: &mut sqlx::PgConnection, person: PersonId, now: Moment) -> Store<u64> {
    sqlx::query!("update certificate_ask set state = 'refused', certificate = null where person = $1 and state = 'signed'", person.0)
        .execute(&mut *tx)
        .await?;
    let done =
        sqlx::query!("update certificate set revoked_at = $2 where person = $1 and revoked_at is null and expires_at > $2", person.0, now)
            .execute(tx)
            .await?;
    Ok(done.rows_affected())
}
