//! Short-lived certificates of people: a program asks, a passkey confirms, the program fetches it, once.
use super::step_up::number;
use crate::{
    Approvals, AuthorityError, CertificateAskView, CertificateAsked, CertificateError, CertificateInfo, CertificatePoll, CertificateState,
    KeyError, ManageError, Purpose, SignError, SignStart, StoreError,
    audit::record,
    authority::{self, Form, MAX_PERSON_CERTIFICATE, SLACK, SOURCE_ADDRESS},
    clock::{self, hex, text},
    identity::{
        signing::{self, nonce},
        ssh_keys,
    },
    store::{self, ceremonies::Kind, certificates::Ask},
};
use anteroom_domain::{
    AuditEvent, CeremonyId, CertificateAskId, Handle, Moment, Person, PersonId,
    content::{CertificateContent, Nonce},
};
use anteroom_policy::{Action, may};
use serde::{Deserialize, Serialize};
use ssh_key::{Certificate, HashAlg, PublicKey, certificate::CertType};
use std::net::IpAddr;
use uuid::Uuid;
use webauthn_rs_proto::PublicKeyCredential;

/// How long a program waits for its passkey.
const WAIT: time::Duration = time::Duration::minutes(2);
/// How long a signed certificate waits for its program after that.
const FETCH: time::Duration = time::Duration::minutes(1);
/// Programs that wait at the same time: from one address (IPv6: one /64), and in all. Anybody may ask, so both are bounded.
const MAX_WAITING_NEAR: i64 = 10;
const MAX_WAITING: i64 = 200;
const MIN_LIFETIME: time::Duration = time::Duration::minutes(1);

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    ask: CertificateAskId,
    serial: u64,
    #[serde(with = "time::serde::rfc3339")]
    from: Moment,
    #[serde(with = "time::serde::rfc3339")]
    until: Moment,
    nonce: Nonce,
}

fn content(a: &Ask, s: &Subject, person: PersonId, handle: Handle) -> CertificateContent {
    CertificateContent {
        v: 1,
        person,
        handle,
        fingerprint: a.fingerprint.clone(),
        source: a.source.clone(),
        number: a.number.clone(),
        serial: s.serial.to_string(),
        from: s.from,
        until: s.until,
        nonce: s.nonce.clone(),
    }
}

/// What counts as one place when asks are counted: an IPv6 host has a whole /64 to itself.
fn network(source: IpAddr) -> String {
    match source {
        IpAddr::V4(a) => format!("{a}/32"),
        IpAddr::V6(a) => format!("{}/64", std::net::Ipv6Addr::from_bits(a.to_bits() >> 64 << 64)),
    }
}

impl Approvals {
    /// Anybody may ask; nothing is given before a passkey of a person says so. Not in the audit log: that begins with the answer.
    pub async fn ask_certificate(&self, public_key: &str, source: IpAddr) -> Result<CertificateAsked, CertificateError> {
        let mut key = ssh_keys::parse(public_key)?;
        key.set_comment("");
        let line = key.to_openssh().map_err(|_| KeyError::Unreadable)?;
        let (now, source, token) = (clock::now(), source.to_canonical(), clock::new_token());
        // The id is the link's secret part, so all of it is random.
        let id = CertificateAskId(Uuid::new_v4());
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let ask = Ask::new(id, line, fingerprint, source.to_string(), number(), now, now + WAIT);
        let mut tx = self.begin().await?;
        store::certificates::hold_asks(&mut *tx).await?;
        let (near, all) = store::certificates::waiting(&mut *tx, &network(source), now).await?;
        if near >= MAX_WAITING_NEAR || all >= MAX_WAITING {
            return Err(CertificateError::TooMany);
        }
        store::certificates::insert_ask(&mut *tx, &ask, &clock::token_hash(token.expose())).await?;
        self.commit(tx).await?;
        let link_path = format!("/login/{}", id.0);
        Ok(CertificateAsked { id, number: ask.number, poll_token: token, link_path, expires_at: ask.expires_at })
    }

    /// Who has the link sees it; once it is answered, only the person who answered does.
    pub async fn certificate_ask(&self, person: &Person, id: CertificateAskId) -> Result<Option<CertificateAskView>, StoreError> {
        let found = store::certificates::ask(&self.inner.pool, id).await?;
        Ok(found.filter(|a| a.person.is_none_or(|p| p == person.id)).map(|a| {
            let state = a.state(clock::now());
            CertificateAskView {
                id,
                number: a.number,
                fingerprint: a.fingerprint,
                source: a.source,
                asked_at: a.asked_at,
                expires_at: a.expires_at,
                state,
            }
        }))
    }

    pub async fn begin_certificate(&self, person: &Person, id: CertificateAskId) -> Result<SignStart, CertificateError> {
        let person = self.fresh(person.id).await?;
        if !may(&person, Action::RequestAccess) {
            return Err(CertificateError::NotAllowed);
        }
        let ask = store::certificates::ask(&self.inner.pool, id).await?;
        let ask = pending(ask, person.id)?;
        let now = clock::now().replace_nanosecond(0).unwrap_or_else(|_| clock::now());
        let lifetime = time::Duration::try_from(self.inner.options.certificate_lifetime).unwrap_or(MAX_PERSON_CERTIFICATE);
        let until = now + lifetime.clamp(MIN_LIFETIME, MAX_PERSON_CERTIFICATE);
        let subject = Subject { ask: id, serial: authority::number(), from: now - SLACK, until, nonce: nonce() };
        let content = content(&ask, &subject, person.id, person.handle.clone());
        Ok(self.begin_signing(Kind::Certificate, person.id, &subject, &content).await?)
    }

    /// The passkey's answer. The certificate then waits for the program that asked.
    pub async fn finish_certificate(
        &self,
        person: &Person,
        ceremony: CeremonyId,
        credential: &PublicKeyCredential,
    ) -> Result<(), CertificateError> {
        let (taken, shown) = self.take_signing::<Subject>(Kind::Certificate, person.id, ceremony).await?;
        let (now, s) = (clock::now(), taken.subject);
        let authority = self.signing_key(Purpose::Person).await?;
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, person.id).await?.filter(|p| !p.is_suspended()).ok_or(SignError::Suspended)?;
        if !may(&person, Action::RequestAccess) {
            return Err(CertificateError::NotAllowed);
        }
        let ask = pending(store::certificates::ask(&mut *tx, s.ask).await?, person.id)?;
        if signing::text(&content(&ask, &s, person.id, person.handle.clone()))? != shown {
            return Err(CertificateError::Over);
        }
        let signed = self.accept::<CertificateContent>(&mut tx, person.id, &taken.state, &shown, credential, now).await?;
        let certificate = certify(&authority, &ask, &s, &person)?;
        let line = certificate.to_openssh().map_err(|_| AuthorityError::Certificate)?;
        if !store::certificates::sign(&mut *tx, s.ask, person.id, &signed.evidence, &line, now).await? {
            return Err(CertificateError::Over);
        }
        let info = CertificateInfo {
            serial: s.serial.to_string(),
            fingerprint: ask.fingerprint,
            source: ask.source,
            issued_at: now,
            expires_at: s.until,
            revoked_at: None,
        };
        store::certificates::insert(&mut *tx, person.id, &info, &signed.evidence).await?;
        let event = AuditEvent::CertificateIssued {
            person: person.id,
            serial: info.serial,
            fingerprint: info.fingerprint,
            source: info.source,
            until: text(s.until),
            content_sha256: hex(&signed.content_sha256),
            evidence_sha256: hex(&signed.evidence.sha256),
        };
        record::write(&mut tx, event, Some(person.id), now).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// "That is not me." The program is told when it looks next.
    pub async fn refuse_certificate(&self, person: &Person, id: CertificateAskId) -> Result<(), CertificateError> {
        let person = self.fresh(person.id).await?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        let ask = pending(store::certificates::ask(&mut *tx, id).await?, person.id)?;
        if !store::certificates::refuse(&mut *tx, id, person.id, now).await? {
            return Err(CertificateError::Over);
        }
        let event = AuditEvent::CertificateRefused { person: person.id, fingerprint: ask.fingerprint, source: ask.source };
        record::write(&mut tx, event, Some(person.id), now).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// For the program that asked; it looks every second or two. A wrong token learns what an unknown id learns.
    pub async fn poll_certificate(&self, id: CertificateAskId, token: &str) -> Result<CertificatePoll, StoreError> {
        let (now, hash) = (clock::now(), clock::token_hash(token));
        if let Some(line) = store::certificates::fetch(&self.inner.pool, id, &hash, now - FETCH).await? {
            let damaged = StoreError::Damaged("certificate_ask");
            let ends = Certificate::from_openssh(&line).ok().and_then(|c| i64::try_from(c.valid_before()).ok());
            let until = ends.and_then(|s| Moment::from_unix_timestamp(s).ok()).ok_or(damaged)?;
            return Ok(CertificatePoll::Ready { certificate: line, until });
        }
        let found = store::certificates::ask_with(&self.inner.pool, id, &hash).await?;
        Ok(match found.map(|a| a.state(now)) {
            Some(CertificateState::Pending) => CertificatePoll::Pending,
            Some(CertificateState::Refused) => CertificatePoll::Refused,
            // Fetched before, or it waited too long.
            Some(CertificateState::Signed | CertificateState::Expired) | None => CertificatePoll::Expired,
        })
    }

    /// A person's certificates that have not ended, the newest first; a hundred at most.
    pub async fn certificates(&self, person: PersonId) -> Result<Vec<CertificateInfo>, StoreError> {
        store::certificates::of(&self.inner.pool, person, clock::now()).await
    }

    /// Takes back every certificate of a person, their own or, for an operator, anybody's. Says how many there were.
    pub async fn revoke_certificates(&self, actor: Option<PersonId>, person: PersonId) -> Result<u64, ManageError> {
        if actor != Some(person) {
            self.check_actor(actor, Action::ManagePeople).await?;
        }
        let now = clock::now();
        let mut tx = self.begin().await?;
        store::people::held(&mut *tx, person).await?.ok_or(ManageError::NoSuch("person"))?;
        let count = store::certificates::revoke_all(&mut tx, person, now).await?;
        if count > 0 {
            record::write(&mut tx, AuditEvent::CertificatesRevoked { person, count }, actor, now).await?;
        }
        self.commit(tx).await?;
        Ok(count)
    }
}

/// One that still waits; somebody else's answered one is as if it were not there.
fn pending(ask: Option<Ask>, person: PersonId) -> Result<Ask, CertificateError> {
    let ask = ask.filter(|a| a.person.is_none_or(|p| p == person)).ok_or(CertificateError::NoSuch)?;
    if ask.state(clock::now()) == CertificateState::Pending { Ok(ask) } else { Err(CertificateError::Over) }
}

/// Says what the passkey signed and nothing else.
fn certify(authority: &ssh_key::PrivateKey, ask: &Ask, s: &Subject, person: &Person) -> Result<Certificate, CertificateError> {
    let damaged = || StoreError::Damaged("certificate_ask");
    let key = PublicKey::from_openssh(&ask.public_key).map_err(|_| damaged())?;
    let source: IpAddr = ask.source.parse().map_err(|_| damaged())?;
    let form = Form {
        kind: CertType::User,
        serial: s.serial,
        key_id: person.id.to_string(),
        principals: vec![person.handle.to_string()],
        from: s.from,
        until: s.until,
        critical: Some((SOURCE_ADDRESS, authority::source_address(source))),
        extensions: Vec::new(),
    };
    Ok(authority::sign(authority, &key, form)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_ipv6_host_does_not_become_many_by_its_own_addresses() {
        let n = |a: &str| network(a.parse().unwrap());
        assert_eq!(n("10.0.0.7"), "10.0.0.7/32");
        assert_eq!(n("2001:db8:1:2:aaaa::1"), "2001:db8:1:2::/64");
        assert_eq!(n("2001:db8:1:2:bbbb::2"), n("2001:db8:1:2:aaaa::1"));
        assert_ne!(n("2001:db8:1:3::1"), n("2001:db8:1:2::1"));
    }
}
