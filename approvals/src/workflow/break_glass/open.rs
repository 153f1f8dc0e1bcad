//! Breaking it: begin shows exactly what will be signed, finish makes the grant and the alarm in one transaction.
use super::super::{posture::posture_of, ruling::Asked};
use crate::{
    Approvals, BreakGlassError, BreakGlassForm, Change, SignError, SignStart,
    audit::record,
    clock::{self, hex, text},
    identity::signing::{self, nonce},
    notify::{self, Alarm, Notice, WATCHERS},
    store::{self, ceremonies::Kind},
};
use anteroom_domain::{
    AccessRequest, Account, Asks, AuditEvent, CeremonyId, Grant, Moment, Obligations, Person, RequestId, RequestState, Target,
    audit::BreakGlassEvent,
    content::{BreakGlassContent, Nonce},
};
use anteroom_policy::{Action, Ask, break_glass, may};
use anteroom_posture::Comes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use webauthn_rs_proto::PublicKeyCredential;

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    request: RequestId,
    form: BreakGlassForm,
    source: String,
    at: Moment,
    nonce: Nonce,
}

/// Everybody and everything it is about, as they are now, and what policy asks of it.
struct Case {
    person: Person,
    target: Target,
    account: Account,
    obligations: Obligations,
}

impl Case {
    fn content(&self, s: &Subject) -> BreakGlassContent {
        BreakGlassContent {
            v: 1,
            request: s.request,
            person: self.person.id,
            person_handle: self.person.handle.clone(),
            source: s.source.clone(),
            target: self.target.id,
            target_name: self.target.name.clone(),
            target_kind: self.target.kind,
            account: self.account.name.clone(),
            capabilities: s.form.capabilities.clone(),
            reason: s.form.reason.clone(),
            from: s.at,
            until: s.at + s.form.length,
            nonce: s.nonce.clone(),
        }
    }
}

impl Approvals {
    /// What the person's passkey has to sign. Refused here already if policy does not let them.
    pub async fn begin_break_glass(&self, person: &Person, form: BreakGlassForm, source: IpAddr) -> Result<SignStart, BreakGlassError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let looked = self.case(&mut tx, person, &form, source, now).await;
        drop(tx);
        let case = match looked {
            Ok(case) => case,
            Err(e) => {
                self.note_refused_break(person, source, &e).await;
                return Err(e);
            }
        };
        let at = now.replace_nanosecond(0).unwrap_or(now);
        let subject = Subject { request: clock::new_id(), form, source: source.to_string(), at, nonce: nonce() };
        let content = case.content(&subject);
        Ok(self.begin_signing(Kind::BreakGlass, person.id, &subject, &content).await?)
    }

    /// The grant. It counts at once; whoever approves, audits or operates is told in the same transaction.
    pub async fn finish_break_glass(
        &self,
        person: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
        source: IpAddr,
    ) -> Result<Grant, BreakGlassError> {
        let (taken, content) = self.take_signing::<Subject>(Kind::BreakGlass, person.id, ceremony).await?;
        let done = self.broken(person, taken, content, credential, source).await;
        if let Err(e) = &done {
            self.note_refused_break(person, source, e).await;
        }
        done
    }

    async fn broken(
        &self,
        person: &Person,
        taken: signing::Signing<Subject>,
        content: String,
        credential: &PublicKeyCredential,
        source: IpAddr,
    ) -> Result<Grant, BreakGlassError> {
        let (now, s) = (clock::now(), taken.subject);
        if s.source != source.to_string() {
            return Err(BreakGlassError::Moved);
        }
        let mut tx = self.begin().await?;
        let case = self.case(&mut tx, person, &s.form, source, now).await?;
        if signing::text(&case.content(&s))? != content {
            return Err(BreakGlassError::Changed);
        }
        let signed = self.accept::<BreakGlassContent>(&mut tx, case.person.id, &taken.state, &content, credential, now).await?;
        let until = s.at + s.form.length;
        let request = AccessRequest {
            id: s.request,
            requester: case.person.id,
            target: case.target.id,
            target_name: case.target.name.clone(),
            account: case.account.name.clone(),
            reason: s.form.reason.clone(),
            from: s.at,
            until,
            capabilities: s.form.capabilities.clone(),
            obligations: case.obligations.clone(),
            asks: Asks::default(),
            expires_at: None,
            state: RequestState::Approved,
            source: s.source.clone(),
            created_at: now,
        };
        store::requests::insert(&mut *tx, &request, case.account.id).await?;
        let grant = Grant {
            id: clock::new_id(),
            request: request.id,
            person: request.requester,
            target: request.target,
            target_name: request.target_name,
            account: case.account.id,
            account_name: request.account,
            capabilities: request.capabilities,
            obligations: case.obligations,
            not_before: s.at,
            not_after: until,
            revoked_at: None,
        };
        store::grants::insert(&mut *tx, &grant).await?;
        store::break_glass::insert(&mut *tx, s.request, grant.person, &signed.evidence, now).await?;
        let event = BreakGlassEvent::Broken {
            request: s.request,
            grant: grant.id,
            person: grant.person,
            target: grant.target,
            account: grant.account_name.clone(),
            until: text(until),
            reason_sha256: hex(&Sha256::digest(s.form.reason.as_str())),
            source: s.source,
            content_sha256: hex(&signed.content_sha256),
            evidence_sha256: hex(&signed.evidence.sha256),
        };
        record::write(&mut tx, AuditEvent::BreakGlass(event), Some(grant.person), now).await?;
        let event = AuditEvent::GrantMade {
            grant: grant.id,
            request: s.request,
            person: grant.person,
            target: grant.target,
            account: grant.account_name.clone(),
            not_before: text(grant.not_before),
            not_after: text(grant.not_after),
        };
        record::write(&mut tx, event, Some(grant.person), now).await?;
        let (who, place) = (case.person.handle.clone(), grant.target_name.clone());
        notify::enqueue(&mut tx, &Notice::alarm(Alarm::BreakGlass, &WATCHERS, Some(who), Some(place), None), now).await?;
        store::tell(&mut *tx, Change::Request(s.request)).await?;
        self.commit(tx).await?;
        Ok(grant)
    }

    /// The rules. Asked when it begins and again, with the rows held, when it ends.
    async fn case(
        &self,
        tx: &mut sqlx::PgConnection,
        person: &Person,
        form: &BreakGlassForm,
        source: IpAddr,
        now: Moment,
    ) -> Result<Case, BreakGlassError> {
        // Before the target is looked up: a vendor's person learns nothing of what exists.
        let person = store::people::held(&mut *tx, person.id).await?.filter(|p| may(p, Action::BreakGlass));
        let person = person.ok_or(BreakGlassError::NotAllowed)?;
        let target = store::targets::by_name(&mut *tx, form.target.as_str()).await?.ok_or(BreakGlassError::NoSuchTarget)?;
        let account = target.accounts.iter().find(|a| a.name == form.account).cloned().ok_or(BreakGlassError::NoSuchTarget)?;
        if let Some(c) = form.capabilities.misfit(target.protocol) {
            return Err(BreakGlassError::Misfit { target: target.name.to_string(), capability: c.to_string() });
        }
        let since = now - break_glass::COUNTED;
        let before = store::break_glass::count_since(&mut *tx, person.id, since).await?;
        let posture = posture_of(&mut *tx, person.id, Comes { from: Some(source), key: None }).await?;
        let asked = Asked {
            ask: Ask::BreakGlass,
            person: &person,
            target: &target,
            account: &account.name,
            capabilities: &form.capabilities,
            lasts: form.length,
            source: Some(source),
            posture: posture.as_ref(),
            now,
        };
        let ruling = self.asked_ruling(&asked);
        let obligations = break_glass::judge(&break_glass::Wish { length: form.length, before, ruling: &ruling })?;
        Ok(Case { person, target, account, obligations })
    }

    async fn note_refused_break(&self, person: &Person, source: IpAddr, e: &BreakGlassError) {
        if matches!(e, BreakGlassError::Sign(SignError::Store(_) | SignError::NoPasskey)) {
            return;
        }
        let event = BreakGlassEvent::Refused { person: person.id, target: None, source: source.to_string(), why: e.to_string() };
        self.note(AuditEvent::BreakGlass(event), Some(person.id)).await;
    }
}
