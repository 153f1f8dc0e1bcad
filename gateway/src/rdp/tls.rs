//! What the gateway shows itself with to RDP clients: a certificate of the operator's, or one of its own that is made once and kept.
use anteroom_domain::CertificateFingerprint;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

/// Names of the kept certificate and key in the directory they are kept in.
const KEPT: [&str; 2] = ["rdp.crt", "rdp.key"];
/// Years a certificate of our own lasts. Clients compare it; nobody renews what they have pinned.
const YEARS: i32 = 10;

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("{path}: {why}")]
    File { path: String, why: String },
    #[error("the certificate and the key cannot be used: {0}")]
    Unusable(String),
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    public_key: Vec<u8>,
    fingerprint: CertificateFingerprint,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Identity").field(&self.fingerprint).finish()
    }
}

impl Identity {
    /// PEM files: the certificate with its chain, and its key.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
        let chain = chain.map_err(|e| file(certificate, &e))?;
        if chain.is_empty() {
            return Err(file(certificate, &"there is no certificate in it"));
        }
        let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| file(key, &e))?;
        Self::of(chain, key_der)
    }

    /// The one that is kept in `dir`, made at the first start for these names. RSA, for that is what every RDP client knows.
    pub fn kept_in(dir: &Path, names: &[String]) -> Result<Self, IdentityError> {
        let [certificate, key] = KEPT.map(|name| dir.join(name));
        if !certificate.exists() || !key.exists() {
            let (cert_der, key_der) = self_signed(names).map_err(|e| IdentityError::Unusable(e.to_string()))?;
            write(&key, "PRIVATE KEY", &key_der, 0o600).map_err(|e| file(&key, &e))?;
            write(&certificate, "CERTIFICATE", &cert_der, 0o644).map_err(|e| file(&certificate, &e))?;
        }
        Self::load(&certificate, &key)
    }

    fn of(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, IdentityError> {
        let unusable = |e: &dyn std::fmt::Display| IdentityError::Unusable(e.to_string());
        let first = chain.first().ok_or_else(|| unusable(&"there is no certificate in the file"))?;
        let public_key = public_key(first).ok_or_else(|| unusable(&"it is no X.509 certificate"))?;
        let fingerprint = CertificateFingerprint::of(first);
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .and_then(|b| b.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|e| unusable(&e))?;
        Ok(Self { config: Arc::new(config), public_key, fingerprint })
    }

    /// What people compare when their client asks whether it trusts this computer.
    pub fn fingerprint(&self) -> CertificateFingerprint {
        self.fingerprint
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// What CredSSP binds to.
    pub(super) fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

/// SubjectPublicKey: the bits of the key, without its algorithm (MS-CSSP 3.1.5 processing rule 3).
pub(super) fn public_key(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(parsed.tbs_certificate.subject_pki.subject_public_key.data.to_vec())
}

fn self_signed(names: &[String]) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), rcgen::Error> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072)?;
    let mut params = CertificateParams::new(names.to_vec())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.first().map_or("anteroom", String::as_str));
    let now = time::OffsetDateTime::now_utc();
    params.not_before = now - time::Duration::DAY;
    params.not_after = now.replace_year(now.year() + YEARS).unwrap_or(now + time::Duration::days(365 * i64::from(YEARS)));
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().to_vec(), Zeroizing::new(key.serialize_der())))
}

/// PEM (RFC 7468), whole or not at all.
fn write(path: &Path, label: &str, der: &[u8], mode: u32) -> io::Result<()> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    let part = path.with_extension("part");
    // What an interrupted start left.
    let _ = std::fs::remove_file(&part);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&part, path)
}

fn file(path: &Path, why: &dyn std::fmt::Display) -> IdentityError {
    IdentityError::File { path: path.display().to_string(), why: why.to_string() }
}

/// A key in clear, for tests of what is around it.
#[cfg(test)]
pub(super) fn for_tests(names: &[&str]) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let key = KeyPair::generate().expect("a key can be made");
    let params = CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).expect("names");
    let certificate = params.self_signed(&key).expect("it can be signed");
    (certificate.der().clone(), rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_certificate_of_our_own_is_made_once_and_its_key_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["gate.example".to_owned(), "10.0.0.1".to_owned()];
        let made = Identity::kept_in(dir.path(), &names).unwrap();
        assert_eq!(Identity::kept_in(dir.path(), &names).unwrap().fingerprint(), made.fingerprint());
        assert_eq!(std::fs::metadata(dir.path().join("rdp.key")).unwrap().permissions().mode() & 0o777, 0o600);
        let pem = std::fs::read(dir.path().join("rdp.crt")).unwrap();
        let der = CertificateDer::from_pem_slice(&pem).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).unwrap();
        assert_eq!(parsed.subject().to_string(), "CN=gate.example");
        assert!(made.public_key().len() > 380, "RSA of 3072 bits");
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&a, "nothing").unwrap();
        assert!(Identity::load(&a, &b).unwrap_err().to_string().contains("/a: "));
    }
}
