//! Which host keys and host certificates of a target are trusted (THREATS 11).
use anteroom_domain::Target;
use russh::Preferred;
use russh::keys::{
    Algorithm, Certificate, HashAlg, PublicKey, PublicKeyOrCertificate,
    ssh_key::{certificate::CertType, public::KeyData},
};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(super) struct TargetKey {
    pinned: Vec<KeyData>,
    authorities: Vec<KeyData>,
    /// What a certificate may be made out to: the addresses and the name of the target.
    names: Vec<String>,
}

impl TargetKey {
    /// None if nothing is pinned: such a target is never reached.
    pub(super) fn of(target: &Target) -> Option<Self> {
        let keys = |lines: &[String]| -> Vec<KeyData> {
            lines.iter().filter_map(|l| PublicKey::from_openssh(l).ok()).map(|k| k.key_data().clone()).collect()
        };
        let (pinned, authorities) = (keys(&target.pinned_host_keys), keys(&target.pinned_host_cas));
        let hosts = target.addresses().into_iter().map(|(h, _)| h);
        let names = hosts.chain([target.name.to_string()]).collect();
        (!pinned.is_empty() || !authorities.is_empty()).then_some(Self { pinned, authorities, names })
    }

    pub(super) fn trusts(&self, key: &PublicKeyOrCertificate, now: SystemTime) -> bool {
        match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.pinned.contains(key.key_data()),
            PublicKeyOrCertificate::Certificate(cert) => self.certified(cert, now) || self.pinned.contains(cert.public_key()),
        }
    }

    /// OpenSSH PROTOCOL.certkeys: a host certificate of a pinned authority, in its time, made out to this host.
    fn certified(&self, cert: &Certificate, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(UNIX_EPOCH) else { return false };
        let authorities = self.authorities.iter().map(|k| k.fingerprint(HashAlg::Sha256)).collect::<Vec<_>>();
        cert.cert_type() == CertType::Host
            // Checks signature, authority, dates and that there is no critical option it doesn't know.
            && cert.validate_at(now.as_secs(), &authorities).is_ok()
            && cert.critical_options().is_empty()
            && cert.valid_principals().iter().any(|p| self.names.iter().any(|n| n.eq_ignore_ascii_case(p)))
    }

    /// What to offer a target so that, of several host keys, it shows one that is trusted here.
    pub(super) fn prefer(&self, mut offered: Preferred) -> Preferred {
        let mut kinds = offered.key.to_vec();
        kinds.sort_by_key(|a| !self.pins(a));
        if !self.authorities.is_empty() {
            offered.host_key_certificates = kinds.clone().into();
        }
        offered.key = kinds.into();
        offered
    }

    fn pins(&self, kind: &Algorithm) -> bool {
        self.pinned.iter().any(|k| same_kind(&k.algorithm(), kind))
    }

    /// For people: what was offered.
    pub(super) fn name_of(key: &PublicKeyOrCertificate) -> String {
        match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.fingerprint(HashAlg::Sha256).to_string(),
            PublicKeyOrCertificate::Certificate(c) => {
                format!("{} certified by {}", c.public_key().fingerprint(HashAlg::Sha256), c.signature_key().fingerprint(HashAlg::Sha256))
            }
        }
    }
}

fn same_kind(a: &Algorithm, b: &Algorithm) -> bool {
    a == b || (a.clone().is_rsa() && b.clone().is_rsa())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_test_samples as samples;
    use russh::keys::{PrivateKey, key::safe_rng, ssh_key::certificate::Builder};
    use std::time::Duration;

    fn key() -> PrivateKey {
        PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap()
    }
    fn target(keys: &[&PrivateKey], cas: &[&PrivateKey]) -> Target {
        let lines = |k: &[&PrivateKey]| k.iter().map(|k| k.public_key().to_openssh().unwrap()).collect();
        Target {
            host: "mri-3.ward.example".into(),
            more_hosts: vec!["10.0.0.9:2222".into()],
            pinned_host_keys: lines(keys),
            pinned_host_cas: lines(cas),
            ..samples::target()
        }
    }
    fn certificate(ca: &PrivateKey, kind: CertType, principal: &str, from: u64, until: u64) -> PublicKeyOrCertificate {
        let host = key();
        let mut b = Builder::new_with_random_nonce(&mut safe_rng(), host.public_key(), from, until).unwrap();
        b.cert_type(kind).unwrap().key_id("h").unwrap().valid_principal(principal).unwrap();
        PublicKeyOrCertificate::Certificate(b.sign(ca).unwrap())
    }

    #[test]
    fn a_pinned_key_is_trusted_and_no_other() {
        let (a, b) = (key(), key());
        let pins = TargetKey::of(&target(&[&a], &[])).unwrap();
        let plain = |k: &PrivateKey| PublicKeyOrCertificate::PublicKey { key: k.public_key().clone(), hash_alg: None };
        assert!(pins.trusts(&plain(&a), SystemTime::now()) && !pins.trusts(&plain(&b), SystemTime::now()));
        assert!(TargetKey::of(&target(&[], &[])).is_none(), "nothing pinned is nothing trusted");
    }

    #[test]
    fn a_host_certificate_counts_from_a_pinned_authority_in_its_time_for_this_host() {
        let (ca, other) = (key(), key());
        let pins = TargetKey::of(&target(&[], &[&ca])).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let ok = |c: &PublicKeyOrCertificate| pins.trusts(c, now);
        assert!(ok(&certificate(&ca, CertType::Host, "mri-3.ward.example", 999_000, 1_001_000)));
        assert!(ok(&certificate(&ca, CertType::Host, "10.0.0.9", 999_000, 1_001_000)));
        assert!(!ok(&certificate(&other, CertType::Host, "mri-3.ward.example", 999_000, 1_001_000)), "another authority");
        assert!(!ok(&certificate(&ca, CertType::User, "mri-3.ward.example", 999_000, 1_001_000)), "a user's");
        assert!(!ok(&certificate(&ca, CertType::Host, "ct-1", 999_000, 1_001_000)), "another host's");
        assert!(!ok(&certificate(&ca, CertType::Host, "mri-3.ward.example", 998_000, 999_000)), "expired");
        assert!(!ok(&certificate(&ca, CertType::Host, "mri-3.ward.example", 1_001_000, 1_002_000)), "not yet");
    }
}
