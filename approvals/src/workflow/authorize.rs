//! Connecting: facts are gathered here, judged by the policy, and a refusal is remembered.
use super::{posture::posture_of, ruling::Connecting};
use crate::{Approvals, StoreError, audit::record, clock, safe::Meanwhile, store};
use anteroom_domain::{AccountName, AuditEvent, Grant, GrantId, Moment, Person, SessionId, Target, TargetId, TargetName};
use anteroom_policy::{Decision, Facts, Refusal, SecondFactor, judge};
use anteroom_posture::Comes;
use std::{net::IpAddr, sync::atomic::Ordering};
use uuid::Uuid;

/// A passed step-up opens its session within this time or not at all.
pub(super) const STEP_UP_FRESH: time::Duration = time::Duration::minutes(5);

/// What somebody has beside their name. Nothing of it is believed before it was looked up.
#[derive(Debug, Clone, Copy)]
pub enum Claim<'a> {
    Factor(SecondFactor),
    /// The key of this fingerprint signed the connection: an earlier step-up with it counts, if policy remembers them.
    Key(&'a str),
}

/// How somebody comes: their address, and the SSH key that signed this connection, if one did.
#[derive(Debug, Clone, Copy)]
pub struct Whence<'a> {
    pub source: IpAddr,
    /// SHA-256 fingerprint.
    pub key: Option<&'a str>,
}

impl From<IpAddr> for Whence<'_> {
    fn from(source: IpAddr) -> Self {
        Self { source, key: None }
    }
}

impl<'a> From<(IpAddr, &'a str)> for Whence<'a> {
    fn from((source, key): (IpAddr, &'a str)) -> Self {
        Self { source, key: Some(key) }
    }
}

impl From<SecondFactor> for Claim<'_> {
    fn from(f: SecondFactor) -> Self {
        Self::Factor(f)
    }
}

impl Approvals {
    /// May this person reach this account of this target now? Unknown and forbidden take the same road to the same answer.
    /// `claim` is not believed: a passed step-up is looked up, matched and spent on this session. While the database is away, what is
    /// known decides (see `safe`).
    pub async fn authorize(
        &self,
        person: &Person,
        session: SessionId,
        target: &str,
        account: &str,
        whence: impl Into<Whence<'_>>,
        claim: impl Into<Claim<'_>>,
    ) -> Result<Decision, StoreError> {
        let (whence, claim) = (whence.into(), claim.into());
        let known = match self.meanwhile() {
            Some(known) => known,
            None => match self.authorize_asking(person, session, target, account, whence, claim).await {
                Err(StoreError::Away) => self.enter_safe_mode().await.ok_or(StoreError::Away)?,
                decision => return decision,
            },
        };
        let Whence { source, key } = whence;
        let m = Meanwhile { known: &known, person, session, target, account, source, key, now: clock::now() };
        self.authorize_meanwhile(&m, claim).await
    }

    async fn authorize_asking(
        &self,
        person: &Person,
        session: SessionId,
        target: &str,
        account: &str,
        Whence { source, key }: Whence<'_>,
        claim: Claim<'_>,
    ) -> Result<Decision, StoreError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let Some(fresh) = store::people::by_id(&mut *tx, person.id).await? else { return Ok(Decision::Deny(Refusal::NoSuchAccess)) };
        let (factor, factor_at) = self.proven(&mut tx, &fresh, session, target, account, source, claim, now).await?;
        let question = Question { session, person: &fresh, target, account, grant: None, source, key, now };
        let decision = decide(self, &mut tx, &question, factor, factor_at).await?;
        match &decision {
            Decision::Permit(permit) => {
                if factor == SecondFactor::Remembered {
                    let event = AuditEvent::StepUpRemembered {
                        person: fresh.id,
                        target: permit.target().name.clone(),
                        source: source.to_string(),
                        session,
                    };
                    record::write(&mut tx, event, Some(fresh.id), now).await?;
                }
                self.commit(tx).await?;
            }
            // Nothing is spent on what was not permitted.
            Decision::NeedsSecondFactor(_) => drop(tx),
            Decision::Deny(refusal) => {
                drop(tx);
                let event = AuditEvent::AccessRefused {
                    person: Some(fresh.id),
                    target: loggable(target),
                    source: source.to_string(),
                    why: refusal.to_string(),
                };
                self.note(event, Some(fresh.id)).await;
            }
        }
        Ok(decision)
    }

    /// What of the claimed second factor the database confirms, and when it was proven.
    #[allow(clippy::too_many_arguments)] // a struct would only repeat the names
    pub(super) async fn proven(
        &self,
        tx: &mut sqlx::PgConnection,
        person: &Person,
        session: SessionId,
        target: &str,
        account: &str,
        source: IpAddr,
        claim: Claim<'_>,
        now: Moment,
    ) -> Result<(SecondFactor, Moment), StoreError> {
        let source = source.to_string();
        let (claimed, key) = match claim {
            Claim::Factor(claimed) => (claimed, None),
            Claim::Key(fingerprint) => (SecondFactor::Remembered, Some(fingerprint)),
        };
        let confirmed = match claimed {
            SecondFactor::Missing => None,
            // Only `authorize_by_card` believes a card, while there is no database to ask.
            SecondFactor::Card(_) => None,
            // Proven on the connection itself, by the gateway: a security key that verified its person.
            SecondFactor::SecurityKey => Some(now),
            // The gateway has judged it when it signed. A menu may stand open for longer than it counts.
            SecondFactor::Certificate { serial } => store::certificates::signed_at(&mut *tx, &serial.to_string(), person.id, now).await?,
            SecondFactor::Passed(id) => {
                let u = store::step_ups::Use {
                    id,
                    person: person.id,
                    target,
                    account,
                    source: &source,
                    session,
                    answered_after: now - STEP_UP_FRESH,
                };
                // At most five minutes ago: the connection was waiting for it.
                store::step_ups::spend(tx, u).await?.then_some(now)
            }
            SecondFactor::Remembered => match self.remembered_since(now) {
                // Without a key, `step_up_remembered` has compared it; this is the second lock on the same door.
                Some(since) => store::step_ups::passed_since(tx, person.id, key, &source, target, since).await?,
                None => None,
            },
        };
        Ok(confirmed.map_or((SecondFactor::Missing, now), |at| (claimed, at)))
    }

    /// Step-ups passed after this moment are remembered; none are if policy says so.
    pub(crate) fn remembered_since(&self, now: Moment) -> Option<Moment> {
        let seconds = self.inner.remember.load(Ordering::Relaxed);
        (seconds > 0).then(|| now.saturating_sub(time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX))))
    }
}

/// Who wants to go where.
pub(super) struct Question<'a> {
    pub(super) session: SessionId,
    pub(super) person: &'a Person,
    pub(super) target: &'a str,
    pub(super) account: &'a str,
    /// Under this grant and no other.
    pub(super) grant: Option<GrantId>,
    pub(super) source: IpAddr,
    /// SHA-256 fingerprint of the SSH key that signed this connection.
    pub(super) key: Option<&'a str>,
    pub(super) now: Moment,
}

/// Gathers the facts and has them judged.
pub(super) async fn decide(
    approvals: &Approvals,
    tx: &mut sqlx::PgConnection,
    q: &Question<'_>,
    second_factor: SecondFactor,
    factor_at: Moment,
) -> Result<Decision, StoreError> {
    let found = store::targets::by_name(&mut *tx, q.target).await?;
    // An unknown target has no grants; looking for them all the same takes the time a known one takes.
    let id = found.as_ref().map_or(TargetId(Uuid::nil()), |t| t.id);
    let mut grants = store::grants::unended(&mut *tx, q.person.id, Some(id), q.now).await?;
    grants.retain(|g| q.grant.is_none_or(|only| g.id == only));
    let emergencies = store::break_glass::live_of(&mut *tx, q.person.id, q.now).await?;
    let company = store::companies::of(&mut *tx, q.person).await?;
    let mut locks = store::locks::between(&mut *tx, q.person, id).await?;
    locks.extend(approvals.local_locks());
    let posture = posture_of(tx, q.person.id, Comes { from: Some(q.source), key: q.key }).await?;
    let Ok(account) = AccountName::new(q.account) else { return Ok(Decision::Deny(Refusal::NoSuchAccess)) };
    let ruling = |target: &Target, grant: &Grant| {
        approvals.connect_ruling(&Connecting {
            person: q.person,
            target,
            grant,
            source: q.source,
            posture: posture.as_ref(),
            factor: second_factor,
            factor_at,
            break_glass: emergencies.contains(&grant.id),
            now: q.now,
        })
    };
    let facts = Facts {
        session: q.session,
        person: q.person,
        target: found.as_ref(),
        company: company.as_ref(),
        account: &account,
        grants: &grants,
        emergencies: &emergencies,
        locks: &locks,
        source: q.source,
        key: q.key,
        posture: posture.as_ref(),
        second_factor,
        factor_at,
        alone: false,
        now: q.now,
    };
    Ok(judge(&facts, ruling))
}

/// Only what could be a target's name goes into the log: people type all kinds of things before an "@".
pub(crate) fn loggable(target: &str) -> String {
    TargetName::new(target).map_or_else(|_| "(not a target name)".into(), String::from)
}
