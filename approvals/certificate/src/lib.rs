//! What a person's certificate says, and whether that lets anybody in (OpenSSH PROTOCOL.certkeys). Reads bytes of strangers; no clock, no database.
#![forbid(unsafe_code)]

#[cfg(any(test, feature = "fuzz"))]
mod fuzz;

#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub use fuzz::fuzz;

use anteroom_domain::{Moment, PersonId};
use ssh_key::{Certificate, HashAlg};
use std::net::IpAddr;

/// The one critical option we write and believe (PROTOCOL.certkeys): the address the certificate counts from.
pub const SOURCE_ADDRESS: &str = "source-address";

/// What a certificate says of its holder.
#[derive(Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    pub person: PersonId,
    pub handle: &'a str,
}

/// Why a certificate is none, or lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("its signature does not fit")]
    Invalid,
    #[error("its time has not begun or is over")]
    Time,
    #[error("it is not a certificate for a person")]
    Kind,
    #[error("it has a critical option that is not known here")]
    Option,
    #[error("it counts only from the address that asked for it")]
    Address,
    #[error("it names nobody, or more than one")]
    Person,
}

/// Everything the certificate alone can tell. Its authority was found to count before.
///
/// # Errors
/// The first reason why it lets nobody in.
pub fn read(c: &Certificate, source: IpAddr, now: Moment) -> Result<Claim<'_>, Refusal> {
    // At its own beginning, so that this says nothing but whether the signature fits.
    let authority = c.signature_key().fingerprint(HashAlg::Sha256);
    c.validate_at(c.valid_after(), [&authority]).map_err(|_| Refusal::Invalid)?;
    if !c.cert_type().is_user() {
        return Err(Refusal::Kind);
    }
    let now = u64::try_from(now.unix_timestamp()).map_err(|_| Refusal::Time)?;
    if now < c.valid_after() || now >= c.valid_before() {
        return Err(Refusal::Time);
    }
    if c.critical_options().keys().any(|name| name != SOURCE_ADDRESS) {
        return Err(Refusal::Option);
    }
    let allowed = c.critical_options().get(SOURCE_ADDRESS);
    if allowed.is_none_or(|a| *a != source_address(source)) {
        return Err(Refusal::Address);
    }
    let person = c.key_id().parse().map_err(|_| Refusal::Person)?;
    match c.valid_principals() {
        [handle] => Ok(Claim { person, handle }),
        // None would be everybody.
        _ => Err(Refusal::Person),
    }
}

/// One address, as `source-address` has it.
pub fn source_address(source: IpAddr) -> String {
    match source.to_canonical() {
        IpAddr::V4(a) => format!("{a}/32"),
        IpAddr::V6(a) => format!("{a}/128"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ssh_key::{
        PrivateKey,
        certificate::{Builder, CertType},
        private::Ed25519Keypair,
    };

    const NOW: Moment = time::macros::datetime!(2026-11-24 12:00 UTC);
    const ADA: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
    }
    fn here() -> IpAddr {
        "10.0.0.7".parse().unwrap()
    }

    /// What Ada's certificate says; each test says something else.
    struct Says {
        kind: CertType,
        key_id: &'static str,
        principals: &'static [&'static str],
        options: &'static [(&'static str, &'static str)],
        from: i64,
        until: i64,
    }
    const FROM_HERE: &[(&str, &str)] = &[("source-address", "10.0.0.7/32")];
    const RIGHT: Says = Says { kind: CertType::User, key_id: ADA, principals: &["ada"], options: FROM_HERE, from: -60, until: 3600 };

    fn made(s: Says) -> Certificate {
        let at = |seconds: i64| u64::try_from(NOW.unix_timestamp() + seconds).unwrap();
        let mut b = Builder::new([7; 32], key(1).public_key().key_data().clone(), at(s.from), at(s.until)).unwrap();
        b.serial(1).unwrap().cert_type(s.kind).unwrap().key_id(s.key_id).unwrap();
        if s.principals.is_empty() {
            b.all_principals_valid().unwrap();
        }
        for p in s.principals {
            b.valid_principal(*p).unwrap();
        }
        for (name, value) in s.options {
            b.critical_option(*name, *value).unwrap();
        }
        b.sign(&key(2)).unwrap()
    }
    fn refused(s: Says) -> Refusal {
        read(&made(s), here(), NOW).unwrap_err()
    }

    #[test]
    fn a_right_certificate_names_its_person() {
        let c = made(RIGHT);
        assert_eq!(read(&c, here(), NOW).unwrap(), Claim { person: ADA.parse().unwrap(), handle: "ada" });
        assert!(read(&c, "::ffff:10.0.0.7".parse().unwrap(), NOW).is_ok(), "the same address, as a dual-stack socket shows it");
    }

    #[test]
    fn a_certificate_counts_from_its_first_second_to_the_one_before_its_last() {
        let read_at = |seconds: i64| read(&made(RIGHT), here(), NOW + time::Duration::seconds(seconds)).map(|_| ());
        assert_eq!(read_at(-61), Err(Refusal::Time));
        assert_eq!(read_at(-60), Ok(()));
        assert_eq!(read_at(3599), Ok(()));
        assert_eq!(read_at(3600), Err(Refusal::Time));
    }

    #[test]
    fn a_host_certificate_lets_nobody_in() {
        assert_eq!(refused(Says { kind: CertType::Host, ..RIGHT }), Refusal::Kind);
    }

    #[test]
    fn an_unknown_critical_option_is_a_refusal_and_so_is_none_at_all() {
        const FORCED: &[(&str, &str)] = &[("force-command", "/bin/true"), ("source-address", "10.0.0.7/32")];
        const VERIFY: &[(&str, &str)] = &[("source-address", "10.0.0.7/32"), ("verify-required", "")];
        assert_eq!(refused(Says { options: FORCED, ..RIGHT }), Refusal::Option);
        assert_eq!(refused(Says { options: VERIFY, ..RIGHT }), Refusal::Option);
        assert_eq!(refused(Says { options: &[], ..RIGHT }), Refusal::Address, "it would count from anywhere");
    }

    #[test]
    fn another_address_is_refused_and_a_network_is_not_an_address() {
        const WIDE: &[(&str, &str)] = &[("source-address", "10.0.0.0/8")];
        assert_eq!(refused(Says { options: WIDE, ..RIGHT }), Refusal::Address);
        for elsewhere in ["10.0.0.8", "2001:db8::7"] {
            assert_eq!(read(&made(RIGHT), elsewhere.parse().unwrap(), NOW).unwrap_err(), Refusal::Address);
        }
    }

    #[test]
    fn a_certificate_names_exactly_one_person() {
        assert_eq!(refused(Says { principals: &[], ..RIGHT }), Refusal::Person, "none is everybody");
        assert_eq!(refused(Says { principals: &["ada", "bob"], ..RIGHT }), Refusal::Person);
        assert_eq!(refused(Says { key_id: "ada", ..RIGHT }), Refusal::Person);
    }

    #[test]
    fn one_changed_byte_is_a_signature_that_does_not_fit() {
        let bytes = made(RIGHT).to_bytes().unwrap();
        let mut read_again = 0;
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            if let Ok(c) = Certificate::from_bytes(&changed) {
                read_again += 1;
                assert!(read(&c, here(), NOW).is_err(), "byte {i}");
            }
        }
        assert!(read_again > 100, "most of them can be read: {read_again}");
    }
}
