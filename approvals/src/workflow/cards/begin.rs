//! The first officer: begin makes the code and shows what will be signed, finish writes the card down. It opens nothing yet.
use super::{CardError, CardForm, MOST_OPEN, officer};
use crate::{
    Approvals, Change, SignStart,
    audit::record,
    clock::{self, hex, text},
    identity::signing::{self, nonce},
    store::{self, ceremonies::Kind},
    workflow::ruling::in_words,
};
use anteroom_domain::{
    AuditEvent, Capabilities, CardCode, CardId, CeremonyId, Moment, Person, Protocol, Secret, Target,
    audit::CardEvent,
    canonical,
    capability::MAX_CAPABILITIES,
    content::{CardContent, CardTerms, Nonce},
};
use anteroom_policy::{Ask, Question, cards::worth};
use serde::{Deserialize, Serialize};
use time::Duration;
use webauthn_rs_proto::PublicKeyCredential;

/// What has to survive between begin and finish. Not the code: whoever began it holds that.
#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    card: CardId,
    form: CardForm,
    code_sha256: String,
    at: Moment,
    nonce: Nonce,
}

impl Approvals {
    /// The content to sign, and the card's code: it is nowhere else, and it is the caller's to show it once, after `finish_card`.
    pub async fn begin_card(&self, by: &Person, form: CardForm) -> Result<(SignStart, CardCode), CardError> {
        let code = CardCode::new(&Secret::new(clock::random()));
        let now = clock::now();
        let at = now.replace_nanosecond(0).unwrap_or(now);
        let subject = Subject { card: clock::new_id(), form, code_sha256: code.sha256(), at, nonce: nonce() };
        let looked = async {
            let mut tx = self.begin().await?;
            let by = officer(&mut tx, by.id).await?;
            let terms = self.terms(&mut tx, &subject, now).await?;
            Ok(content(&by, terms, &subject))
        };
        match looked.await {
            Ok(content) => Ok((self.begin_signing(Kind::CardBegin, by.id, &subject, &content).await?, code)),
            Err(e) => {
                self.note_refused_card(by, None, &e).await;
                Err(e)
            }
        }
    }

    /// The card waits for a second officer now.
    pub async fn finish_card(&self, by: &Person, ceremony: CeremonyId, credential: &PublicKeyCredential) -> Result<CardId, CardError> {
        let (taken, text) = self.take_signing::<Subject>(Kind::CardBegin, by.id, ceremony).await?;
        let done = self.begun(by, taken, text, credential).await;
        if let Err(e) = &done {
            self.note_refused_card(by, None, e).await;
        }
        done
    }

    async fn begun(
        &self,
        by: &Person,
        taken: signing::Signing<Subject>,
        shown: String,
        credential: &PublicKeyCredential,
    ) -> Result<CardId, CardError> {
        let (now, s) = (clock::now(), taken.subject);
        let mut tx = self.begin().await?;
        let by = officer(&mut tx, by.id).await?;
        let terms = self.terms(&mut tx, &s, now).await?;
        let content = content(&by, terms, &s);
        if signing::text(&content)? != shown {
            return Err(CardError::Changed);
        }
        let signed = self.accept::<CardContent>(&mut tx, by.id, &taken.state, &shown, credential, now).await?;
        let terms = content.terms;
        let written = canonical::to_vec(&terms).ok().and_then(|b| String::from_utf8(b).ok()).ok_or(CardError::Changed)?;
        store::cards::insert(&mut *tx, &terms, &written, by.id, &signed.evidence, now).await?;
        let event = CardEvent::Begun {
            card: s.card,
            officer: by.id,
            gateway: terms.gateway,
            target: terms.target,
            account: terms.account,
            from: text(terms.from),
            until: text(terms.until),
            code_sha256: terms.code_sha256,
            content_sha256: hex(&signed.content_sha256),
            evidence_sha256: hex(&signed.evidence.sha256),
        };
        record::write(&mut tx, AuditEvent::Card(event), Some(by.id), now).await?;
        store::tell(&mut *tx, Change::Card(s.card)).await?;
        self.commit(tx).await?;
        Ok(s.card)
    }

    /// What the card will say. Asked when it begins and again when it ends.
    async fn terms(&self, tx: &mut sqlx::PgConnection, s: &Subject, now: Moment) -> Result<CardTerms, CardError> {
        let (terms, target) = terms(&mut *tx, s, now).await?;
        let length = Duration::minutes(terms.minutes.into());
        let policy = self.policy();
        // Vendors' people are not let in while the database is away. From where somebody will come, and with what, nobody knows.
        let people = store::people::own_admins(&mut *tx).await?;
        let rulings = people.iter().map(|person| {
            in_words(policy.decide(&Question {
                ask: Ask::BreakGlass,
                person,
                target: &target,
                account: &terms.account,
                capabilities: &terms.capabilities,
                lasts: length,
                source: None,
                factor: None,
                posture: None,
                break_glass: true,
                now,
            }))
        });
        worth(&terms.capabilities, &Capabilities::usual(target.protocol), length, rulings)?;
        Ok(terms)
    }
}

fn content(by: &Person, terms: CardTerms, s: &Subject) -> CardContent {
    CardContent { v: 1, terms, officer: by.id, officer_handle: by.handle.clone(), nonce: s.nonce.clone() }
}

async fn terms(tx: &mut sqlx::PgConnection, s: &Subject, now: Moment) -> Result<(CardTerms, Target), CardError> {
    let f = &s.form;
    if !store::cards::gateways(&mut *tx).await?.contains(&f.gateway) {
        return Err(CardError::NoSuchGateway(f.gateway.clone()));
    }
    if store::cards::count_open(&mut *tx, &f.gateway, now).await? >= MOST_OPEN {
        return Err(CardError::TooMany { gateway: f.gateway.clone(), max: MOST_OPEN });
    }
    let target = store::targets::by_name(&mut *tx, f.target.as_str()).await?.ok_or(CardError::NoSuchTarget)?;
    if !target.accounts.iter().any(|a| a.name == f.account) {
        return Err(CardError::NoSuchTarget);
    }
    // Better known now than in the emergency.
    if target.protocol == Protocol::Rdp {
        return Err(CardError::NotMeanwhile(target.name));
    }
    if f.capabilities.0.is_empty() || f.capabilities.0.len() > MAX_CAPABILITIES {
        return Err(CardError::Capabilities);
    }
    if let Some(c) = f.capabilities.misfit(target.protocol) {
        return Err(CardError::Misfit { target: target.name, capability: c.to_string() });
    }
    let terms = CardTerms {
        card: s.card,
        gateway: f.gateway.clone(),
        target: target.id,
        target_name: target.name.clone(),
        target_kind: target.kind,
        account: f.account.clone(),
        capabilities: f.capabilities.clone(),
        minutes: f.minutes,
        from: s.at,
        until: s.at + Duration::days(f.days.into()),
        code_sha256: s.code_sha256.clone(),
    };
    terms.check()?;
    Ok((terms, target))
}
