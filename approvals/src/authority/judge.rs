//! Does a certificate let its holder in? What it says itself is read by `anteroom-certificate`; this asks the database.
use crate::{Approvals, CertificateRefusal, Purpose, store};
use anteroom_certificate::{Refusal, read};
use anteroom_domain::{AuditEvent, Moment, Person, PersonId};
use ssh_key::{Certificate, HashAlg};
use std::net::IpAddr;

impl From<Refusal> for CertificateRefusal {
    fn from(why: Refusal) -> Self {
        match why {
            Refusal::Invalid => Self::Invalid,
            Refusal::Time => Self::Time,
            Refusal::Kind => Self::Kind,
            Refusal::Option => Self::Option,
            Refusal::Address => Self::Address,
            Refusal::Person => Self::Person,
        }
    }
}

impl Approvals {
    /// Whose certificate this is. Ask only about one whose key has *signed*: an offered one says nothing (THREATS 1).
    /// A refused one of a person we know is written down; what strangers bring is not, so that nobody floods the log.
    pub async fn judge_certificate(&self, certificate: &Certificate, source: IpAddr, now: Moment) -> Result<Person, CertificateRefusal> {
        let authority = certificate.signature_key().fingerprint(HashAlg::Sha256).to_string();
        if !store::authorities::counts(&self.inner.pool, Purpose::Person, &authority).await? {
            return Err(CertificateRefusal::Authority);
        }
        let judged = self.holder(certificate, source, now).await;
        if let Err(why) = &judged
            && !matches!(why, CertificateRefusal::Store(_) | CertificateRefusal::Invalid)
        {
            self.note_refused_certificate(certificate, source, why).await;
        }
        judged
    }

    async fn holder(&self, certificate: &Certificate, source: IpAddr, now: Moment) -> Result<Person, CertificateRefusal> {
        let claim = read(certificate, source, now)?;
        let fingerprint = certificate.public_key().fingerprint(HashAlg::Sha256).to_string();
        let serial = certificate.serial().to_string();
        if !store::certificates::counts(&self.inner.pool, &serial, claim.person, &fingerprint, now).await? {
            return Err(CertificateRefusal::Revoked);
        }
        let person = store::people::by_id(&self.inner.pool, claim.person).await?;
        person.filter(|p| !p.is_suspended() && p.handle.as_str() == claim.handle).ok_or(CertificateRefusal::Person)
    }

    async fn note_refused_certificate(&self, certificate: &Certificate, source: IpAddr, why: &CertificateRefusal) {
        let Ok(person) = certificate.key_id().parse::<PersonId>() else { return };
        let event = AuditEvent::AccessRefused {
            person: Some(person),
            target: "(by certificate)".into(),
            source: source.to_string(),
            why: format!("certificate {}: {why}", certificate.serial()),
        };
        // Nobody is the actor: the key may only have been offered.
        self.note(event, None).await;
    }
}
