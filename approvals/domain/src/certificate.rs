//! How a TLS certificate is named for people who compare it.
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// SHA-256 over the DER form of an X.509 certificate. Written `SHA256:9F:86:...`, the digits as
/// `openssl x509 -noout -fingerprint -sha256` prints them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CertificateFingerprint([u8; 32]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a certificate's fingerprint is SHA256: and 64 hexadecimal digits, with or without colons")]
pub struct NoFingerprint;

impl CertificateFingerprint {
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    pub fn from_sha256(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    pub fn sha256(&self) -> &[u8; 32] {
        &self.0
    }
}

/// As openssl, PowerShell (no colons) and FreeRDP (small letters) print it, with `SHA256:` or openssl's
/// `sha256 Fingerprint=` in front, or nothing.
impl FromStr for CertificateFingerprint {
    type Err = NoFingerprint;
    fn from_str(s: &str) -> Result<Self, NoFingerprint> {
        let s = s.trim();
        let digits = ["sha256 fingerprint=", "sha256:"]
            .into_iter()
            .find_map(|p| s.get(..p.len()).filter(|head| head.eq_ignore_ascii_case(p)).map(|_| &s[p.len()..]))
            .unwrap_or(s)
            .as_bytes();
        let step = match digits.len() {
            64 => 2,
            95 if digits.iter().skip(2).step_by(3).all(|b| *b == b':') => 3,
            _ => return Err(NoFingerprint),
        };
        let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(NoFingerprint);
        let mut out = [0; 32];
        for (byte, pair) in out.iter_mut().zip(digits.chunks(step)) {
            let [high, low, ..] = pair else { return Err(NoFingerprint) };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(out))
    }
}

impl TryFrom<String> for CertificateFingerprint {
    type Error = NoFingerprint;
    fn try_from(s: String) -> Result<Self, NoFingerprint> {
        s.parse()
    }
}
impl From<CertificateFingerprint> for String {
    fn from(c: CertificateFingerprint) -> String {
        c.to_string()
    }
}

impl fmt::Display for CertificateFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHA256")?;
        self.0.iter().try_for_each(|b| write!(f, ":{b:02X}"))
    }
}
impl fmt::Debug for CertificateFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fingerprint_reads_as_every_tool_prints_it() {
        let f = CertificateFingerprint::of(b"abc");
        let text = f.to_string();
        // FIPS 180-2, appendix B.1.
        assert!(text.starts_with("SHA256:BA:78:16:BF:") && text.ends_with(":15:AD"), "{text}");
        let bare = text["SHA256:".len()..].to_owned();
        for as_printed in [
            text.clone(),
            bare.clone(),
            bare.to_lowercase(),
            bare.replace(':', ""),
            format!("sha256 Fingerprint={bare}"),
            format!("SHA256 Fingerprint={bare}\n"),
            format!("sha256:{}", bare.replace(':', "").to_lowercase()),
        ] {
            assert_eq!(as_printed.parse(), Ok(f), "{as_printed}");
        }
        assert_eq!(serde_json::to_string(&f).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<CertificateFingerprint>(&format!("\"{text}\"")).unwrap(), f);
    }

    #[test]
    fn anything_else_is_none() {
        let good = CertificateFingerprint::of(b"abc").to_string();
        for bad in [
            "",
            "SHA256:",
            "SHA1:BA:78",
            &good[..good.len() - 1],
            &good.replace(":BA", ":B\u{e9}"),
            &good.replace("BA:", "BA-"),
            &"g".repeat(64),
        ] {
            assert!(bad.parse::<CertificateFingerprint>().is_err(), "{bad}");
        }
    }
}
