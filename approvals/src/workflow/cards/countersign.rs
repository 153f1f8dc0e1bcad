//! The second officer: sees exactly what the first one signed, and signs the same. Now the card counts.
use super::{CardError, TOLD, officer};
use crate::{
    Approvals, Change, SignStart,
    audit::record,
    clock::{self, hex},
    identity::signing::{self, nonce},
    notify::{self, Alarm, Notice},
    store::{self, ceremonies::Kind},
};
use anteroom_domain::{
    AuditEvent, CardId, CeremonyId, Moment, Person,
    audit::CardEvent,
    content::{CardContent, Nonce},
};
use anteroom_policy::{Action, cards::NoCard, may};
use serde::{Deserialize, Serialize};
use webauthn_rs_proto::PublicKeyCredential;

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    card: CardId,
    nonce: Nonce,
}

impl Approvals {
    pub async fn begin_countersign(&self, by: &Person, card: CardId) -> Result<SignStart, CardError> {
        let nonce = nonce();
        let looked = async {
            let mut tx = self.begin().await?;
            look(&mut tx, by, card, nonce.clone(), clock::now()).await
        };
        match looked.await {
            Ok(content) => Ok(self.begin_signing(Kind::CardCountersign, by.id, &Subject { card, nonce }, &content).await?),
            Err(e) => {
                self.note_refused_card(by, Some(card), &e).await;
                Err(e)
            }
        }
    }

    pub async fn finish_countersign(
        &self,
        by: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<CardId, CardError> {
        let (taken, text) = self.take_signing::<Subject>(Kind::CardCountersign, by.id, ceremony).await?;
        let card = taken.subject.card;
        let done = self.countersigned(by, taken, text, credential).await;
        if let Err(e) = &done {
            self.note_refused_card(by, Some(card), e).await;
        }
        done.map(|()| card)
    }

    async fn countersigned(
        &self,
        by: &Person,
        taken: signing::Signing<Subject>,
        shown: String,
        credential: &PublicKeyCredential,
    ) -> Result<(), CardError> {
        let (now, s) = (clock::now(), taken.subject);
        let mut tx = self.begin().await?;
        let content = look(&mut tx, by, s.card, s.nonce, now).await?;
        if signing::text(&content)? != shown {
            return Err(CardError::Changed);
        }
        let by = content.officer;
        let signed = self.accept::<CardContent>(&mut tx, by, &taken.state, &shown, credential, now).await?;
        if !store::cards::countersign(&mut *tx, s.card, by, &signed.evidence, now).await? {
            return Err(NoCard::Countersigned.into());
        }
        // What a gateway could not check on its own would be no card.
        let both = store::cards::signatures(&mut *tx, s.card).await?.ok_or(CardError::NoSuch)?;
        self.offline(&mut tx, both).await?.check_signatures(&self.site()).map_err(CardError::Forged)?;
        let event = CardEvent::Countersigned {
            card: s.card,
            officer: by,
            content_sha256: hex(&signed.content_sha256),
            evidence_sha256: hex(&signed.evidence.sha256),
        };
        record::write(&mut tx, AuditEvent::Card(event), Some(by), now).await?;
        let (who, place) = (content.officer_handle, content.terms.target_name);
        notify::enqueue(&mut tx, &Notice::alarm(Alarm::CardIssued, &TOLD, Some(who), Some(place), None), now).await?;
        store::tell(&mut *tx, Change::Card(s.card)).await?;
        Ok(self.commit(tx).await?)
    }
}

/// The rules, and what this officer signs: the terms as the first one signed them, whatever became of the target since.
async fn look(tx: &mut sqlx::PgConnection, by: &Person, card: CardId, nonce: Nonce, now: Moment) -> Result<CardContent, CardError> {
    let by = officer(&mut *tx, by.id).await?;
    let found = store::cards::held(&mut *tx, card, now).await?.ok_or(CardError::NoSuch)?;
    found.life.countersign(by.id, now)?;
    let first = store::people::held(&mut *tx, found.card.begun.officer).await?;
    if !first.is_some_and(|p| may(&p, Action::IssueCards)) {
        return Err(CardError::FirstGone);
    }
    Ok(CardContent { v: 1, terms: found.card.terms, officer: by.id, officer_handle: by.handle, nonce })
}
