//! What our authorities sign for the gateway: one session on a target, our own host keys. People's are in `workflow::certificates`.
use crate::{
    Approvals, AuthorityError, Purpose, Relay,
    audit::record,
    clock::{self, text},
};
use anteroom_domain::{AccountName, AuditEvent, Capabilities, Capability, Moment, TargetId, TargetName};
use anteroom_policy::Permit;
use ssh_key::{
    Certificate, HashAlg, PrivateKey, PublicKey,
    certificate::{Builder, CertType},
};
use std::time::Duration;

/// Clocks of targets may be behind ours by this much.
pub(crate) const SLACK: time::Duration = time::Duration::seconds(60);
/// The gateway signs in at once; a session lives on after its certificate.
const TARGET_CERTIFICATE: time::Duration = time::Duration::minutes(5);
const MAX_HOST_CERTIFICATE: time::Duration = time::Duration::days(31);
/// OpenSSH reads no certificate with more.
const MAX_PRINCIPALS: usize = 256;

/// What a certificate says, beside the key.
pub(crate) struct Form<'a> {
    pub(crate) kind: CertType,
    pub(crate) serial: u64,
    pub(crate) key_id: String,
    /// Never empty: a certificate without a principal would be good for everybody.
    pub(crate) principals: Vec<String>,
    pub(crate) from: Moment,
    pub(crate) until: Moment,
    pub(crate) critical: Option<(&'a str, String)>,
    pub(crate) extensions: Vec<&'a str>,
}

/// A serial number that nobody can guess; never 0, which means "none" (PROTOCOL.certkeys).
pub(crate) fn number() -> u64 {
    u64::from_be_bytes(clock::random::<8>()).max(1)
}

/// Signs; the times are cut to whole seconds.
pub(crate) fn sign(key: &PrivateKey, subject: &PublicKey, form: Form<'_>) -> Result<Certificate, AuthorityError> {
    let seconds = |m: Moment| u64::try_from(m.unix_timestamp()).map_err(|_| AuthorityError::Certificate);
    let (from, until) = (seconds(form.from)?, seconds(form.until)?);
    if form.principals.is_empty() || form.principals.len() > MAX_PRINCIPALS || until <= from {
        return Err(AuthorityError::Certificate);
    }
    let build = || {
        let mut b = Builder::new(clock::random::<32>(), subject.key_data().clone(), from, until)?;
        b.serial(form.serial)?.cert_type(form.kind)?.key_id(form.key_id)?;
        for p in form.principals {
            b.valid_principal(p)?;
        }
        if let Some((name, value)) = form.critical {
            b.critical_option(name, value)?;
        }
        for e in form.extensions {
            b.extension(e, "")?;
        }
        b.sign(key)
    };
    build().map_err(|_: ssh_key::Error| AuthorityError::Certificate)
}

/// Of OpenSSH's extensions those without which the allowed channels would not open. Sockets go by the permission for ports.
fn extensions(c: &Capabilities) -> Vec<&'static str> {
    let forwards = |c: &Capability| {
        matches!(c, Capability::LocalForward(_) | Capability::RemoteForward(_) | Capability::LocalSocket(_) | Capability::RemoteSocket(_))
    };
    [
        (c.has(&Capability::X11Forwarding), "permit-X11-forwarding"),
        (c.has(&Capability::AgentForwarding), "permit-agent-forwarding"),
        (c.0.iter().any(forwards), "permit-port-forwarding"),
        (c.shell(), "permit-pty"),
    ]
    .into_iter()
    .filter_map(|(allowed, name)| allowed.then_some(name))
    .collect()
}

impl Approvals {
    /// The gateway's certificate for this one session: for the permit's account, for five minutes and never beyond the permit.
    pub async fn sign_target_certificate(&self, permit: &Permit, public_key: &PublicKey) -> Result<Certificate, AuthorityError> {
        let extensions = extensions(permit.capabilities());
        self.sign_login(permit, permit.target().id, permit.account(), extensions, public_key).await
    }

    /// The same for a relay on the way to the permit's target: it lets through and does nothing else.
    pub async fn sign_relay_certificate(
        &self,
        permit: &Permit,
        relay: &Relay,
        public_key: &PublicKey,
    ) -> Result<Certificate, AuthorityError> {
        let mut via = permit.target().via.clone();
        for _ in 0..crate::workflow::MAX_RELAYS {
            let Some(v) = via else { break };
            if v.target == relay.target.id && v.account == relay.account {
                return self.sign_login(permit, v.target, &v.account, vec!["permit-port-forwarding"], public_key).await;
            }
            via = self.on_the_way(v.target).await?.and_then(|t| t.via);
        }
        Err(AuthorityError::NotAllowed)
    }

    async fn sign_login(
        &self,
        permit: &Permit,
        target: TargetId,
        account: &AccountName,
        extensions: Vec<&'static str>,
        public_key: &PublicKey,
    ) -> Result<Certificate, AuthorityError> {
        let key = self.signing_key(Purpose::Target).await?;
        let (now, serial) = (clock::now(), number());
        if permit.not_after() <= now {
            return Err(AuthorityError::NotAllowed);
        }
        let form = Form {
            kind: CertType::User,
            serial,
            key_id: format!("anteroom:{}:{}", permit.person_handle(), permit.session()),
            principals: vec![account.to_string()],
            from: now - SLACK,
            until: permit.not_after().min(now + TARGET_CERTIFICATE),
            critical: None,
            extensions,
        };
        let certificate = sign(&key, public_key, form)?;
        let event =
            AuditEvent::TargetCertificateIssued { session: permit.session(), target, account: account.clone(), serial: serial.to_string() };
        self.write_or_keep(record::line(event, Some(permit.person()), now)).await?;
        Ok(certificate)
    }

    /// A host certificate for names as target names are written: `ehr-db-1`, `gate.example.org`, an IPv4 address. At most 31 days.
    pub async fn sign_host_certificate(
        &self,
        public_key: &PublicKey,
        names: &[String],
        valid: Duration,
    ) -> Result<Certificate, AuthorityError> {
        if !names.iter().all(|n| TargetName::new(n.as_str()).is_ok()) {
            return Err(AuthorityError::Certificate);
        }
        let valid = time::Duration::try_from(valid).map_or(MAX_HOST_CERTIFICATE, |v| v.min(MAX_HOST_CERTIFICATE));
        let key = self.signing_key(Purpose::Host).await?;
        let (now, serial) = (clock::now(), number());
        let until = now + valid;
        let form = Form {
            kind: CertType::Host,
            serial,
            key_id: "anteroom".into(),
            principals: names.to_vec(),
            from: now - SLACK,
            until,
            critical: None,
            extensions: Vec::new(),
        };
        let certificate = sign(&key, public_key, form)?;
        let event = AuditEvent::HostCertificateIssued {
            serial: serial.to_string(),
            fingerprint: public_key.fingerprint(HashAlg::Sha256).to_string(),
            names: names.to_vec(),
            until: text(until),
        };
        let mut tx = self.begin().await?;
        record::write(&mut tx, event, None, now).await?;
        self.commit(tx).await?;
        Ok(certificate)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_certificate_permits_on_the_target_what_the_capabilities_allow_and_nothing_else() {
        let of = |texts: &[&str]| extensions(&Capabilities::parse(texts).unwrap());
        assert_eq!(of(&["exec", "download", "upload", "subsystem:netconf"]), [""; 0]);
        assert_eq!(of(&["shell"]), ["permit-pty"]);
        for forward in ["local-forward:db:5432", "remote-forward:localhost:80", "local-socket:/run/a.sock", "remote-socket:/run/a.sock"] {
            assert_eq!(of(&[forward]), ["permit-port-forwarding"], "{forward}");
        }
        assert_eq!(of(&["agent-forwarding", "x11-forwarding"]), ["permit-X11-forwarding", "permit-agent-forwarding"]);
    }

    #[test]
    fn a_certificate_good_for_everybody_is_never_signed() {
        let key = PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&[1; 32]));
        let form = |principals: Vec<String>, seconds: i64| Form {
            kind: CertType::User,
            serial: 1,
            key_id: "x".into(),
            principals,
            from: Moment::UNIX_EPOCH,
            until: Moment::UNIX_EPOCH + time::Duration::seconds(seconds),
            critical: None,
            extensions: vec![],
        };
        let signed = |p: &[&str], s| sign(&key, key.public_key(), form(p.iter().map(|p| p.to_string()).collect(), s));
        assert!(signed(&["root"], 60).is_ok());
        assert_eq!(signed(&[], 60).unwrap_err(), AuthorityError::Certificate);
        assert_eq!(signed(&["root"], 0).unwrap_err(), AuthorityError::Certificate);
        assert_eq!(signed(&["root"; 257], 60).unwrap_err(), AuthorityError::Certificate);
    }
}
