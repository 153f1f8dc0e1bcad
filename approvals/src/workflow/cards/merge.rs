//! A gateway took a card while the database was away, and tells of it now. What happened is kept whatever it was worth: request, grant and
//! emergency as if the person had broken the glass here, with the card's two signatures in place of theirs.
use super::CardError;
use crate::{
    Approvals, Change,
    audit::record,
    clock::{hex, text},
    notify::{self, Alarm, Notice, WATCHERS},
    store,
};
use anteroom_domain::{
    AccessRequest, Account, Asks, AuditEvent, Capabilities, CardId, GatewayName, Grant, GrantId, Moment, Obligations, Person, PersonId,
    Reason, RequestId, RequestState, audit::CardEvent, content::CardTerms,
};
use anteroom_policy::cards::{NoCard, Told};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::Duration;

/// What a gateway wrote into its journal when it took a card. Its ids make telling of it twice harmless.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardUse {
    pub card: CardId,
    pub gateway: GatewayName,
    pub request: RequestId,
    pub grant: GrantId,
    pub person: PersonId,
    /// The address they came from.
    pub source: String,
    pub reason: Reason,
    /// Within the card's.
    pub capabilities: Capabilities,
    /// What policy asked for, as the gateway knew it.
    pub obligations: Obligations,
    /// When it was taken, in the microseconds that Postgres keeps.
    #[serde(with = "time::serde::rfc3339")]
    pub from: Moment,
    #[serde(with = "time::serde::rfc3339")]
    pub until: Moment,
}

impl CardUse {
    /// Whether the card opens this.
    fn check(&self, terms: &CardTerms) -> Result<(), CardError> {
        let ensure = |ok: bool, why| if ok { Ok(()) } else { Err(CardError::NotOfCard(why)) };
        ensure(self.gateway == terms.gateway, "the card is another gateway's")?;
        ensure(self.capabilities.beyond(&terms.capabilities).is_empty(), "it allowed more than the card does")?;
        let lasts = self.until - self.from;
        ensure(lasts > Duration::ZERO && lasts <= Duration::minutes(terms.minutes.into()), "it lasts longer than the card says")?;
        ensure(self.from >= terms.from, "it was taken before the card counted")
    }
}

/// All that a use is about.
struct Case {
    terms: CardTerms,
    person: Person,
    account: Account,
}

impl Approvals {
    /// Request, grant and emergency of a card that a gateway has taken; all of them once, however often it is told. To be called before the
    /// sessions that ran under the grant are told of. A card that did not count any more, or was taken twice, is kept all the same, said to
    /// be irregular and alarmed about; refused is only what the card's two officers never signed.
    pub async fn merge_used_card(&self, used: &CardUse) -> Result<Grant, CardError> {
        let done = Box::pin(self.merged(used)).await;
        if let Err(e) = &done
            && !matches!(e, CardError::Sign(_))
        {
            let (card, person) = (Some(used.card), Some(used.person));
            let event = CardEvent::Refused { card, person, source: Some(used.source.clone()), why: e.to_string() };
            self.note(AuditEvent::Card(event), None).await;
        }
        done
    }

    async fn merged(&self, used: &CardUse) -> Result<Grant, CardError> {
        let mut tx = self.begin().await?;
        let found = store::cards::held(&mut tx, used.card, used.from).await?.ok_or(CardError::NoSuch)?;
        if let Some(known) = store::grants::by_id(&mut *tx, used.grant).await? {
            return if known.request == used.request && known.person == used.person {
                Ok(known)
            } else {
                Err(CardError::NotOfCard("its grant is another one's"))
            };
        }
        let terms = found.card.terms;
        let both = store::cards::signatures(&mut *tx, used.card).await?.ok_or(NoCard::OneOfficer)?;
        self.offline(&mut tx, both).await?.check_signatures(&self.site()).map_err(CardError::Forged)?;
        used.check(&terms)?;
        let (first, irregular) = match found.life.told_of_use(used.request, used.person, used.from) {
            Told::Regular(_) => (true, None),
            Told::Irregular(_, NoCard::Used) => (false, Some(NoCard::Used)),
            Told::Irregular(_, why) => (true, Some(why)),
            // The same request under another grant.
            Told::Known => return Err(CardError::NotOfCard("its request has another grant")),
        };
        let person = store::people::held(&mut *tx, used.person).await?.ok_or(CardError::NotOfCard("nobody knows the person"))?;
        let target = store::targets::by_id(&mut *tx, terms.target).await?.ok_or(CardError::NoSuchTarget)?;
        let account = target.accounts.into_iter().find(|a| a.name == terms.account).ok_or(CardError::NoSuchTarget)?;
        let case = Case { terms, person, account };
        let grant = write(&mut tx, used, &case).await?;
        if first {
            store::cards::used(&mut *tx, used.card, used.request, used.person, used.from).await?;
        }
        tell(&mut tx, used, &case, &grant, irregular).await?;
        self.commit(tx).await?;
        Ok(grant)
    }
}

/// The rows of an emergency.
async fn write(tx: &mut sqlx::PgConnection, used: &CardUse, case: &Case) -> Result<Grant, CardError> {
    let request = AccessRequest {
        id: used.request,
        requester: case.person.id,
        target: case.terms.target,
        target_name: case.terms.target_name.clone(),
        account: case.terms.account.clone(),
        reason: used.reason.clone(),
        from: used.from,
        until: used.until,
        capabilities: used.capabilities.clone(),
        obligations: used.obligations.clone(),
        asks: Asks::default(),
        expires_at: None,
        state: RequestState::Approved,
        source: used.source.clone(),
        created_at: used.from,
    };
    store::requests::insert(&mut *tx, &request, case.account.id).await?;
    let grant = Grant {
        id: used.grant,
        request: request.id,
        person: request.requester,
        target: request.target,
        target_name: request.target_name,
        account: case.account.id,
        account_name: request.account,
        capabilities: request.capabilities,
        obligations: request.obligations,
        not_before: used.from,
        not_after: used.until,
        revoked_at: None,
    };
    store::grants::insert(&mut *tx, &grant).await?;
    let evidence = store::cards::begun_evidence(&mut *tx, used.card).await?.ok_or(CardError::NoSuch)?;
    store::break_glass::insert_of_card(&mut *tx, used.request, grant.person, (used.card, evidence), used.from).await?;
    Ok(grant)
}

/// The log, whoever has to know, and whoever watches.
async fn tell(tx: &mut sqlx::PgConnection, used: &CardUse, case: &Case, grant: &Grant, irregular: Option<NoCard>) -> Result<(), CardError> {
    let event = CardEvent::Used {
        card: used.card,
        request: used.request,
        grant: grant.id,
        person: grant.person,
        target: grant.target,
        account: grant.account_name.clone(),
        from: text(used.from),
        until: text(used.until),
        reason_sha256: hex(&Sha256::digest(used.reason.as_str())),
        source: used.source.clone(),
        irregular: irregular.map(|why| why.to_string()),
    };
    // Both when it happened: the log's order says when it became known.
    record::write(&mut *tx, AuditEvent::Card(event), Some(grant.person), used.from).await?;
    let event = AuditEvent::GrantMade {
        grant: grant.id,
        request: used.request,
        person: grant.person,
        target: grant.target,
        account: grant.account_name.clone(),
        not_before: text(grant.not_before),
        not_after: text(grant.not_after),
    };
    record::write(&mut *tx, event, Some(grant.person), used.from).await?;
    let alarms = [Some(Alarm::BreakGlass), irregular.map(|_| Alarm::CardMisused)];
    for alarm in alarms.into_iter().flatten() {
        let (who, place) = (case.person.handle.clone(), case.terms.target_name.clone());
        notify::enqueue(&mut *tx, &Notice::alarm(alarm, &WATCHERS, Some(who), Some(place), None), used.from).await?;
    }
    store::tell(&mut *tx, Change::Request(used.request)).await?;
    store::tell(&mut *tx, Change::Card(used.card)).await?;
    Ok(())
}
