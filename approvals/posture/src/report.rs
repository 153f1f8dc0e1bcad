//! What a message says: one machine of one person.
use crate::MAX_BYTES;
use anteroom_domain::{DeviceName, Handle, Machine, Moment, OsName, Posture};
use serde::Deserialize;
use std::{collections::BTreeSet, net::IpAddr};

/// SSH keys, or addresses, of a machine.
pub const MAX_PLACES: usize = 32;

/// Why a report is not read; told only to whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    #[error("the report has {bytes} bytes; at most {MAX_BYTES} are read")]
    TooLarge { bytes: usize },
    #[error("the report cannot be read: line {line}, column {column}: {what}")]
    Malformed { line: usize, column: usize, what: String },
    #[error("more than {MAX_PLACES} {what}")]
    TooMany { what: &'static str },
    #[error("an SSH key is named by its fingerprint, as ssh-keygen -l prints it: SHA256: and 43 letters")]
    Fingerprint,
    #[error("an address that every machine has (0.0.0.0, ::, loopback, multicast) names none")]
    Address,
}

/// Of a machine, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub person: Handle,
    pub machine: Machine,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    person: Handle,
    device: DeviceName,
    #[serde(with = "time::serde::rfc3339")]
    reported_at: Moment,
    disk_encrypted: bool,
    secure_boot: bool,
    endpoint_protection: bool,
    os: OsName,
    #[serde(default)]
    ssh_keys: Vec<String>,
    #[serde(default)]
    addresses: Vec<IpAddr>,
}

impl Report {
    /// All of it, or nothing.
    pub fn read(body: &[u8]) -> Result<Self, ReportError> {
        if body.len() > MAX_BYTES {
            return Err(ReportError::TooLarge { bytes: body.len() });
        }
        let said: Said =
            serde_json::from_slice(body).map_err(|e| ReportError::Malformed { line: e.line(), column: e.column(), what: words(&e) })?;
        for (count, what) in [(said.ssh_keys.len(), "SSH keys"), (said.addresses.len(), "addresses")] {
            if count > MAX_PLACES {
                return Err(ReportError::TooMany { what });
            }
        }
        if !said.ssh_keys.iter().all(|k| is_fingerprint(k)) {
            return Err(ReportError::Fingerprint);
        }
        let addresses: BTreeSet<IpAddr> = said.addresses.iter().map(IpAddr::to_canonical).collect();
        if addresses.iter().any(|a| a.is_unspecified() || a.is_loopback() || a.is_multicast()) {
            return Err(ReportError::Address);
        }
        let posture = Posture {
            disk_encrypted: said.disk_encrypted,
            secure_boot: said.secure_boot,
            endpoint_protection: said.endpoint_protection,
            os: said.os.into(),
            reported_at: said.reported_at,
        };
        let machine = Machine { device: said.device, posture, keys: said.ssh_keys.into_iter().collect(), addresses };
        Ok(Self { person: said.person, machine })
    }
}

/// serde's words without the place it puts behind them; they may repeat a text that was sent, of any length.
fn words(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said);
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// `SHA256:` and 32 bytes in base64 without padding.
fn is_fingerprint(s: &str) -> bool {
    let b64 = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/');
    s.strip_prefix("SHA256:").is_some_and(|f| f.len() == 43 && f.bytes().all(b64))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = r#"{"person": "ada", "device": "LAPTOP-7", "reported_at": "2026-11-26T12:00:00Z", "disk_encrypted": true,
 "secure_boot": true, "endpoint_protection": false, "os": "Windows 11 24H2",
 "ssh_keys": ["SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ"], "addresses": ["::ffff:10.0.0.7"]}"#;

    #[test]
    fn a_report_says_all_of_a_machine() {
        let r = Report::read(GOOD.as_bytes()).unwrap();
        assert_eq!((r.person.as_str(), r.machine.device.as_str()), ("ada", "LAPTOP-7"));
        assert!(r.machine.posture.disk_encrypted && !r.machine.posture.endpoint_protection);
        assert_eq!(r.machine.addresses.first().unwrap().to_string(), "10.0.0.7", "IPv4 in IPv6 clothes is IPv4");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (from, to, said) in [
            ("\"ada\"", "\"A da\"", "line 1"),
            ("\"os\"", "\"so\"", "unknown field `so`"),
            ("\"secure_boot\": true,", "", "missing field `secure_boot`"),
            ("\"secure_boot\": true,", "\"secure_boot\": true, \"secure_boot\": true,", "duplicate field"),
            ("true", "\"yes\"", "expected a boolean"),
            ("2026-11-26T12:00:00Z", "yesterday", "line 1"),
            ("Windows 11 24H2", "Windows\\n11", "operating system"),
            ("SHA256:UC", "MD5:UC", "ssh-keygen -l"),
            ("::ffff:10.0.0.7", "::", "names none"),
            ("::ffff:10.0.0.7", "10.0.0.0/8", "line 3"),
        ] {
            let changed = GOOD.replacen(from, to, 1);
            assert_ne!(changed, GOOD);
            let e = Report::read(changed.as_bytes()).unwrap_err().to_string();
            assert!(e.contains(said), "{to}: {e}");
        }
        let many = GOOD.replace("\"::ffff:10.0.0.7\"", &vec!["\"10.0.0.7\""; 33].join(","));
        assert_eq!(Report::read(many.as_bytes()).unwrap_err(), ReportError::TooMany { what: "addresses" });
        assert!(matches!(Report::read(&vec![b' '; MAX_BYTES + 1]), Err(ReportError::TooLarge { .. })));
        assert!(matches!(Report::read(&vec![b'['; MAX_BYTES]), Err(ReportError::Malformed { .. })));
    }

    #[test]
    fn hostile_bytes_are_an_error_and_no_panic() {
        crate::fuzz(GOOD.as_bytes());
        crate::fuzz(b"id\n1764115200\nv1a,AAAA\0{\"person\":");
        crate::fuzz(&[0xff; 100]);
    }
}
