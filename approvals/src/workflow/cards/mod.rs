//! Sealed break-glass cards: two key-holders make one while the database is there; a gateway takes it while it is away; what happened then
//! is told here afterwards.
mod begin;
mod countersign;
mod merge;
mod offline;

pub use merge::CardUse;

use crate::{
    Approvals, Change, Listing, Page, SignError, StoreError,
    audit::record,
    clock,
    notify::{self, Alarm, Notice},
    store,
};
use anteroom_assertion::CardRefused;
use anteroom_domain::{
    AccountName, AuditEvent, Capabilities, Card, CardId, GatewayName, Person, PersonId, Role, TargetName, audit::CardEvent,
    capability::MAX_CAPABILITIES, card::CardTermsError,
};
use anteroom_policy::{
    Action,
    cards::{NoCard, Useless},
    may,
};
use serde::{Deserialize, Serialize};

/// Cards of one gateway that are not over: what it keeps for bad times stays small.
pub(crate) const MOST_OPEN: u64 = 500;

/// Who is told when a card comes or goes.
const TOLD: [Role; 3] = [Role::KeyHolder, Role::Auditor, Role::Operator];

/// What a card shall open. It counts from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardForm {
    pub gateway: GatewayName,
    pub target: TargetName,
    pub account: AccountName,
    pub capabilities: Capabilities,
    /// How long the access lasts at most.
    pub minutes: u32,
    /// For how long the card counts.
    pub days: u16,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("you may not do this")]
    NotAllowed,
    #[error("there is no such card")]
    NoSuch,
    #[error("there is no such target, or no such account on it")]
    NoSuchTarget,
    #[error("no gateway named {0} keeps cards; look at gateway.name in its configuration, and whether it runs")]
    NoSuchGateway(GatewayName),
    #[error("a card opens at least one thing and at most {MAX_CAPABILITIES}")]
    Capabilities,
    #[error("{target} does not know {capability}")]
    Misfit { target: TargetName, capability: String },
    #[error("{0} is not reached while the database is away, like every desktop; a card for it would open nothing")]
    NotMeanwhile(TargetName),
    #[error(transparent)]
    Useless(#[from] Useless),
    #[error(transparent)]
    Terms(#[from] CardTermsError),
    #[error("{gateway} has {max} cards that are not over; revoke some that nobody needs")]
    TooMany { gateway: GatewayName, max: u64 },
    #[error("what you signed is not what it says now; begin again")]
    Changed,
    #[error("who began this card is no key-holder any more; revoke it and make a new one")]
    FirstGone,
    #[error(transparent)]
    Life(#[from] NoCard),
    /// Of a card that was used: the two signatures are not what they should be.
    #[error("the card is not what two officers signed: {0}")]
    Forged(CardRefused),
    /// A gateway tells of a use that the card does not allow.
    #[error("the use that the gateway tells of is not what the card opens: {0}")]
    NotOfCard(&'static str),
}

impl From<StoreError> for CardError {
    fn from(e: StoreError) -> Self {
        Self::Sign(e.into())
    }
}

impl Approvals {
    pub async fn card(&self, id: CardId) -> Result<Option<Card>, StoreError> {
        Ok(store::cards::by_id(&self.inner.pool, id, clock::now()).await?.map(|f| f.card))
    }

    /// Newest first; searched by gateway, target and officers. `open_only`: those that can still be signed or used.
    pub async fn cards(&self, search: &str, open_only: bool, page: Page) -> Result<Listing<Card>, StoreError> {
        store::cards::list(&self.inner.pool, search, open_only, clock::now(), page).await
    }

    /// How many cards wait for this officer's signature.
    pub async fn cards_waiting_for(&self, officer: PersonId) -> Result<u64, StoreError> {
        store::cards::waiting_for(&self.inner.pool, officer, clock::now()).await
    }

    /// The gateways that keep cards.
    pub async fn card_gateways(&self) -> Result<Vec<GatewayName>, StoreError> {
        store::cards::gateways(&self.inner.pool).await
    }

    /// It opens nothing any more, as soon as its gateway hears of it. By any officer, or by nobody: the operator at the command line.
    pub async fn revoke_card(&self, actor: Option<PersonId>, id: CardId) -> Result<(), CardError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        if let Some(actor) = actor {
            officer(&mut tx, actor).await?;
        }
        let found = store::cards::held(&mut tx, id, now).await?.ok_or(CardError::NoSuch)?;
        found.life.revoke(now)?;
        if !store::cards::revoke(&mut *tx, id, actor, now).await? {
            return Err(NoCard::Revoked.into());
        }
        record::write(&mut tx, AuditEvent::Card(CardEvent::Revoked { card: id, by: actor }), actor, now).await?;
        let by = match actor {
            Some(a) => store::people::by_id(&mut *tx, a).await?.map(|p| p.handle),
            None => None,
        };
        notify::enqueue(&mut tx, &Notice::alarm(Alarm::CardRevoked, &TOLD, by, Some(found.card.terms.target_name), None), now).await?;
        store::tell(&mut *tx, Change::Card(id)).await?;
        Ok(self.commit(tx).await?)
    }

    /// One line for what was tried and is not allowed. Not for what only did not work.
    async fn note_refused_card(&self, officer: &Person, card: Option<CardId>, e: &CardError) {
        if !matches!(e, CardError::Sign(SignError::Store(_) | SignError::NoPasskey) | CardError::NoSuch) {
            let event = CardEvent::Refused { card, person: Some(officer.id), source: None, why: e.to_string() };
            self.note(AuditEvent::Card(event), Some(officer.id)).await;
        }
    }
}

/// The officer as the database knows them now, held until the transaction ends.
async fn officer(tx: &mut sqlx::PgConnection, id: PersonId) -> Result<Person, CardError> {
    let person = store::people::held(&mut *tx, id).await?.filter(|p| may(p, Action::IssueCards)).ok_or(CardError::NotAllowed)?;
    if store::locks::keeps_out(&mut *tx, id).await? {
        return Err(SignError::Locked.into());
    }
    Ok(person)
}
