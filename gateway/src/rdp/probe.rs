//! "Does a desktop answer there, and is it who it should be?" Goes as far as TLS shows a certificate; never signs in, for that takes a
//! permit (invariant 1).
use super::{
    pin::{self, TlsError},
    target::{negotiate, with_advice},
};
use crate::dial;
use anteroom_domain::{CertificateFingerprint, ProbeOutcome, Target};
use std::time::Duration;

/// What a host showed before anybody signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub certificate: CertificateFingerprint,
    /// Whether it asks for network level authentication.
    pub nla: bool,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "certificate {}, {}", self.certificate, if self.nla { "NLA" } else { "TLS without NLA" })
    }
}

/// The certificate that an RDP host shows, for an operator who compares and pins it. `limit` holds for each step.
pub async fn look(host: &str, port: u16, limit: Duration) -> Result<Shown, String> {
    let mut stream = dial::one(host, port, limit).await?;
    let confirmed = negotiate(&mut stream, None, limit).await?;
    // Nothing is trusted, so that nothing goes further than the certificate.
    match pin::connect(stream, &[], limit).await {
        Err(TlsError::Other(certificate)) => Ok(Shown { certificate, nla: confirmed.security.has_nla() }),
        Err(e) => Err(with_advice(&e)),
        Ok(_) => Err("it showed no certificate".to_owned()),
    }
}

/// One address of a target, as its test shows it.
pub(crate) async fn one(target: &Target, host: &str, port: u16, limit: Duration) -> ProbeOutcome {
    let pins = &target.pinned_certificates;
    match look(host, port, limit).await {
        Err(why) => ProbeOutcome::NotReached(why),
        Ok(shown) if pins.contains(&shown.certificate) => ProbeOutcome::Trusted { key: shown.to_string() },
        Ok(shown) if pins.is_empty() => ProbeOutcome::NotPinned { key: shown.to_string() },
        Ok(shown) => ProbeOutcome::Changed { key: shown.to_string() },
    }
}
