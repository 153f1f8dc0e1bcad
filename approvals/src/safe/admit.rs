//! Letting somebody in by what is known.
use super::{Known, cards};
use crate::{
    Approvals, CardUse, Claim, StartError, StoreError,
    audit::{
        record,
        spool::{Spooled, Work},
    },
    clock::{self, hex, text},
    store::sessions::Begun,
    workflow::{Asked, Connecting, factor_used, loggable},
};
use anteroom_assertion::{CardRefused, OfflineCard};
use anteroom_domain::{
    AccountName, AuditEvent, CardCode, EndReason, Grant, GrantId, Moment, Person, Reason, SessionId, Target,
    audit::{CardEvent, SafeModeEvent},
    content::CardTerms,
};
use anteroom_policy::{
    Action, Ask, Circumstances, Decision, Facts, Permit, Refusal, SecondFactor, break_glass, judge, may, needs_the_database,
};
use anteroom_posture::Comes;
use std::net::IpAddr;

/// Who wants to go where, while the database is away.
pub(crate) struct Meanwhile<'a> {
    pub(crate) known: &'a Known,
    pub(crate) person: &'a Person,
    pub(crate) session: SessionId,
    pub(crate) target: &'a str,
    pub(crate) account: &'a str,
    pub(crate) source: IpAddr,
    /// SHA-256 fingerprint of the SSH key that signed this connection.
    pub(crate) key: Option<&'a str>,
    pub(crate) now: Moment,
}

/// What somebody types who has a card.
#[derive(Debug)]
pub struct ShownCard<'a> {
    pub code: &'a CardCode,
    /// Why it is needed now.
    pub reason: Reason,
}

impl Approvals {
    /// The same rules as ever. Of second factors only what the gateway itself has seen counts: a security key that verified its person.
    pub(crate) async fn authorize_meanwhile(&self, m: &Meanwhile<'_>, claim: Claim<'_>) -> Result<Decision, StoreError> {
        let factor = match claim {
            Claim::Factor(SecondFactor::SecurityKey) => SecondFactor::SecurityKey,
            Claim::Factor(_) | Claim::Key(_) => SecondFactor::Missing,
        };
        let decision = match m.known.person(m.person.id) {
            Some(fresh) => {
                let target = m.known.target(m.target);
                let grants = target.map(|t| m.known.grants_of(fresh.id, t.id)).unwrap_or_default();
                self.judged_meanwhile(m, fresh, target, &grants, &m.known.emergencies, factor)
            }
            None => Decision::Deny(Refusal::NoSuchAccess),
        };
        match &decision {
            Decision::Permit(permit) => self.keep_permitted(m, permit, Work::Nothing).await?,
            Decision::NeedsSecondFactor(_) => {}
            Decision::Deny(why) => self.note_refused(m, why.to_string()).await,
        }
        Ok(decision)
    }

    fn judged_meanwhile(
        &self,
        m: &Meanwhile<'_>,
        person: &Person,
        target: Option<&Target>,
        grants: &[Grant],
        emergencies: &[GrantId],
        factor: SecondFactor,
    ) -> Decision {
        let Ok(account) = AccountName::new(m.account) else { return Decision::Deny(Refusal::NoSuchAccess) };
        let posture = m.known.posture(person.id, Comes { from: Some(m.source), key: m.key });
        let ruling = |target: &Target, grant: &Grant| {
            self.connect_ruling(&Connecting {
                person,
                target,
                grant,
                source: m.source,
                posture,
                factor,
                factor_at: m.now,
                break_glass: emergencies.contains(&grant.id),
                now: m.now,
            })
        };
        let mut locks = m.known.locks.clone();
        locks.extend(self.local_locks());
        let facts = Facts {
            session: m.session,
            person,
            target,
            company: None,
            account: &account,
            grants,
            emergencies,
            locks: &locks,
            source: m.source,
            key: m.key,
            posture,
            second_factor: factor,
            factor_at: m.now,
            alone: true,
            now: m.now,
        };
        judge(&facts, ruling)
    }

    /// Whether somebody who may not enter by a grant could by a card.
    pub fn may_use_cards(&self, person: &Person) -> bool {
        self.meanwhile().is_some_and(|k| !k.cards.is_empty()) && may(person, Action::BreakGlass)
    }

    /// A break-glass card opens its target for this person, once. What is asked of every emergency is asked here too; it counts before the
    /// permit is given out, and is written down before that.
    pub async fn authorize_by_card(
        &self,
        person: &Person,
        session: SessionId,
        target: &str,
        account: &str,
        source: IpAddr,
        shown: ShownCard<'_>,
    ) -> Result<Decision, StoreError> {
        let Some(known) = self.meanwhile() else { return Err(StoreError::Away) };
        let m = Meanwhile { known: &known, person, session, target, account, source, key: None, now: clock::now() };
        let (card, decided) = match self.by_card(&m, shown.code, shown.reason).await {
            Ok(permit) => return Ok(Decision::Permit(permit)),
            Err(refused) => refused,
        };
        let event = CardEvent::Refused { card, person: Some(person.id), source: Some(source.to_string()), why: decided.to_string() };
        self.note(AuditEvent::Card(event), Some(person.id)).await;
        Ok(Decision::Deny(decided))
    }

    async fn by_card(
        &self,
        m: &Meanwhile<'_>,
        code: &CardCode,
        reason: Reason,
    ) -> Result<Permit, (Option<anteroom_domain::CardId>, Refusal)> {
        let no = |why: &str| (None, Refusal::Card(why.to_owned()));
        let gateway = self.inner.safe.gateway().ok_or_else(|| no("safe mode is off"))?;
        let person = m.known.person(m.person.id).filter(|p| may(p, Action::BreakGlass)).ok_or_else(|| no("you may not use a card"))?;
        let terms = self.fitting_card(m, code, &gateway).map_err(|e| no(&e.to_string()))?;
        let refused = |why: String| (Some(terms.card), Refusal::Card(why));
        let target = m.known.target(terms.target_name.as_str()).filter(|t| t.id == terms.target);
        let target = target.ok_or_else(|| refused("its target is not known any more".into()))?;
        let account = target.accounts.iter().find(|a| a.name == terms.account);
        let account = account.ok_or_else(|| refused("its account is not known any more".into()))?;
        let asked = Asked {
            ask: Ask::BreakGlass,
            person,
            target,
            account: &account.name,
            capabilities: &terms.capabilities,
            lasts: time::Duration::minutes(terms.minutes.into()),
            source: Some(m.source),
            posture: m.known.posture(person.id, Comes { from: Some(m.source), key: m.key }),
            now: m.now,
        };
        let ruling = self.asked_ruling(&asked);
        // How often somebody did it cannot be counted now; each card can be used once.
        let wish = break_glass::Wish { length: asked.lasts, before: 0, ruling: &ruling };
        let obligations = break_glass::judge(&wish).map_err(|e| refused(e.to_string()))?;
        let grant = Grant {
            id: clock::new_id(),
            request: clock::new_id(),
            person: person.id,
            target: target.id,
            target_name: target.name.clone(),
            account: account.id,
            account_name: account.name.clone(),
            capabilities: terms.capabilities.clone(),
            obligations,
            not_before: m.now,
            not_after: m.now + asked.lasts,
            revoked_at: None,
        };
        let factor = SecondFactor::Card(terms.card);
        let decision = self.judged_meanwhile(m, person, Some(target), std::slice::from_ref(&grant), &[grant.id], factor);
        let permit = match decision {
            Decision::Permit(permit) => permit,
            Decision::Deny(why) => return Err((Some(terms.card), why)),
            Decision::NeedsSecondFactor(_) => return Err(refused("policy asks for more than a card".into())),
        };
        let used = CardUse {
            card: terms.card,
            gateway: terms.gateway.clone(),
            request: grant.request,
            grant: grant.id,
            person: person.id,
            source: m.source.to_string(),
            reason,
            capabilities: grant.capabilities.clone(),
            obligations: grant.obligations.clone(),
            from: grant.not_before,
            until: grant.not_after,
        };
        // Used first: a card that was written down and let nobody in is a loss, one that lets two in is a breach.
        self.use_card(terms.card).await.map_err(|why| refused(why.to_string()))?;
        self.keep_permitted(m, &permit, Work::Card(Box::new(used)))
            .await
            .map_err(|e| refused(format!("it cannot be written down: {e}")))?;
        tracing::warn!(session = %m.session, card = %terms.card, "a break-glass card was used");
        Ok(permit)
    }

    /// The first card for this place that the code is of.
    fn fitting_card(&self, m: &Meanwhile<'_>, code: &CardCode, gateway: &str) -> Result<CardTerms, CardRefused> {
        let here = |c: &&OfflineCard| c.terms.target_name.as_str() == m.target && c.terms.account.as_str() == m.account;
        let checked = m.known.cards.iter().filter(here).map(|c| c.check(code, m.person.id, gateway, m.now, &self.site()));
        checked.into_iter().find(|r| !matches!(r, Err(CardRefused::WrongCode))).unwrap_or(Err(CardRefused::WrongCode))
    }

    async fn use_card(&self, card: anteroom_domain::CardId) -> Result<(), cards::NotUsed> {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || inner.safe.use_card(card));
        done.await.unwrap_or(Err(cards::NotUsed::Unwritten))
    }

    /// On disk before anybody is let in.
    async fn keep_permitted(&self, m: &Meanwhile<'_>, permit: &Permit, work: Work) -> Result<(), StoreError> {
        let event =
            SafeModeEvent::Permitted { session: m.session, grant: permit.grant(), person: permit.person(), known_at: text(m.known.at) };
        self.keep(Spooled { record: record::line(AuditEvent::SafeMode(event), Some(permit.person()), m.now), work }).await
    }

    async fn note_refused(&self, m: &Meanwhile<'_>, why: String) {
        let event = AuditEvent::AccessRefused { person: Some(m.person.id), target: loggable(m.target), source: m.source.to_string(), why };
        self.note(event, Some(m.person.id)).await;
    }

    /// The row and the audit line of a session that begins now; both wait in the spool.
    pub(crate) async fn started_meanwhile(
        &self,
        known: &Known,
        permit: &Permit,
        header_sha256: [u8; 32],
        gateway: &str,
    ) -> Result<(), StartError> {
        let now = clock::now();
        let grant = permit.circumstances().grant.clone();
        if needs_the_database(permit.obligations()).is_some() {
            return Err(StartError::NoLonger(EndReason::Unwatched));
        }
        // A card's grant is nowhere yet but in the spool and in this permit.
        if !matches!(permit.second_factor(), SecondFactor::Card(_)) {
            let found = || {
                let person = known.person(grant.person)?.clone();
                let grant = known.grants.iter().find(|g| g.id == grant.id)?.clone();
                let target = known.targets.iter().find(|t| t.id == grant.target)?.clone();
                let emergency = known.emergencies.contains(&grant.id);
                let standing = permit.standing();
                let comes = Comes { from: Some(standing.source), key: standing.key.as_deref() };
                let posture = known.posture(person.id, comes).cloned();
                let locks = known.locks.clone();
                Some(Circumstances { person, grant, target, emergency, prolonged: false, locks, company: None, posture })
            };
            self.still_permitted(permit, found(), now)?;
        }
        let second_factor = factor_used(permit.second_factor());
        let begun = Begun::of(permit, &grant, &header_sha256, gateway, None, now);
        let event = AuditEvent::SessionStarted {
            session: permit.session(),
            grant: grant.id,
            person: grant.person,
            target: grant.target,
            account: grant.account_name.clone(),
            source: permit.source().to_string(),
            recording_header_sha256: hex(&header_sha256),
            second_factor,
        };
        self.keep(Spooled { record: record::line(event, Some(grant.person), now), work: Work::Start(Box::new(begun)) }).await?;
        Ok(())
    }
}
