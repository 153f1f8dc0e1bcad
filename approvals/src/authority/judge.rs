//! Does a certificate let its holder in? The pure part reads the certificate, the rest asks the database.
use crate::{Approvals, CertificateRefusal, Purpose, store};
use anteroom_domain::{AuditEvent, Moment, Person, PersonId};
use ssh_key::{Certificate, HashAlg};
use std::net::IpAddr;

/// The one critical option we write and believe (PROTOCOL.certkeys): the address the certificate counts from.
pub(crate) const SOURCE_ADDRESS: &str = "source-address";

/// What a certificate says of its holder.
#[derive(Debug, PartialEq, Eq)]
struct Claim<'a> {
    person: PersonId,
    handle: &'a str,
}

/// Everything the certificate alone can tell. Its authority was found to count before.
fn read(c: &Certificate, source: IpAddr, now: Moment) -> Result<Claim<'_>, CertificateRefusal> {
    // At its own beginning, so that this says nothing but whether the signature fits.
    let authority = c.signature_key().fingerprint(HashAlg::Sha256);
    c.validate_at(c.valid_after(), [&authority]).map_err(|_| CertificateRefusal::Invalid)?;
    if !c.cert_type().is_user() {
        return Err(CertificateRefusal::Kind);
    }
    let now = u64::try_from(now.unix_timestamp()).map_err(|_| CertificateRefusal::Time)?;
    if now < c.valid_after() || now >= c.valid_before() {
        return Err(CertificateRefusal::Time);
    }
    if c.critical_options().keys().any(|name| name != SOURCE_ADDRESS) {
        return Err(CertificateRefusal::Option);
    }
    let allowed = c.critical_options().get(SOURCE_ADDRESS);
    if allowed.is_none_or(|a| *a != source_address(source)) {
        return Err(CertificateRefusal::Address);
    }
    let person = c.key_id().parse().map_err(|_| CertificateRefusal::Person)?;
    match c.valid_principals() {
        [handle] => Ok(Claim { person, handle }),
        // None would be everybody.
        _ => Err(CertificateRefusal::Person),
    }
}

/// One address, as `source-address` has it.
pub(crate) fn source_address(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(a) => format!("{a}/32"),
        IpAddr::V6(a) => format!("{a}/128"),
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
        self.note(event, Some(person)).await;
    }
}
