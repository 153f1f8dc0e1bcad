#![allow(clippy::unwrap_used)]
use super::*;
use ssh_key::certificate::Builder;
use std::{os::unix::fs::PermissionsExt, time::Duration};

const NOW: i64 = 1_767_225_600; // 2026-01-01T00:00:00Z

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::new(Ed25519Keypair::from_seed(&[seed; 32]).into(), "").unwrap()
}

fn certificate(of: &PublicKey, kind: CertType, end: i64) -> String {
    let mut b = Builder::new(vec![7; 32], of.key_data().clone(), u64::try_from(NOW - 60).unwrap(), u64::try_from(end).unwrap()).unwrap();
    b.cert_type(kind).unwrap().key_id("0198").unwrap().valid_principal("ada").unwrap();
    b.sign(&key(9)).unwrap().to_openssh().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_key_is_made_once_and_kept_private() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(".ssh/anteroom_ed25519");
    let first = Identity::open_or_make(&file).unwrap();
    assert!(first.made);
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let again = Identity::open_or_make(&file).unwrap();
    assert!(!again.made);
    assert_eq!(first.public_line().unwrap(), again.public_line().unwrap());
    assert_eq!(first.public_line().unwrap().split(' ').count(), 2, "no comment leaves this machine");
}

#[test]
fn openssh_reads_the_key_and_the_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("id");
    let identity = Identity::open_or_make(&file).unwrap();
    identity.check(&certificate(&identity.public, CertType::User, NOW + 3600), now()).unwrap().write().unwrap();
    for (args, expected) in [(["-y", "-f"], &file), (["-L", "-f"], &dir.path().join("id-cert.pub"))] {
        let said = std::process::Command::new("ssh-keygen").args(args).arg(expected).output().unwrap();
        assert!(said.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said.stderr));
    }
}

#[test]
fn a_file_that_is_no_key_and_a_key_that_others_read_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("notes");
    fs::write(&file, "shopping list\n").unwrap();
    let e = Identity::open_or_make(&file).unwrap_err();
    assert!(e.to_string().contains("chmod 600"), "{e}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let e = Identity::open_or_make(&file).unwrap_err();
    assert!(e.is::<Usage>() && e.to_string().contains("is not an OpenSSH private key"), "{e}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "shopping list\n");
}

#[test]
fn a_key_of_ones_own_gets_the_certificate_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("id_ed25519");
    let pem = key(1).to_openssh(ssh_key::LineEnding::LF).unwrap();
    fs::write(&file, pem.as_bytes()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let identity = Identity::open_or_make(&file).unwrap();
    assert!(!identity.made && !dir.path().join("id_ed25519.pub").exists());
    assert_eq!(identity.public.key_data(), key(1).public_key().key_data());
    assert_eq!(fs::read_to_string(&file).unwrap(), *pem);
}

#[test]
fn somebody_elses_certificate_is_not_overwritten_and_an_earlier_one_of_ours_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("id");
    let identity = Identity::open_or_make(&file).unwrap();
    let cert_file = dir.path().join("id-cert.pub");
    fs::write(&cert_file, certificate(&identity.public, CertType::User, NOW + 60)).unwrap();
    let e = Identity::open_or_make(&file).unwrap_err();
    assert!(e.is::<Usage>() && e.to_string().contains("did not come from anteroom login"), "{e}");

    fs::remove_file(&cert_file).unwrap();
    for end in [NOW + 60, NOW + 3600] {
        let identity = Identity::open_or_make(&file).unwrap();
        let issued = identity.check(&certificate(&identity.public, CertType::User, end), now()).unwrap();
        issued.write().unwrap();
        assert_eq!(fs::read_to_string(&cert_file).unwrap().trim(), issued.line);
        assert_eq!((issued.handle.as_str(), issued.until.unix_timestamp()), ("ada", end));
    }
}

#[test]
fn only_a_certificate_for_this_key_and_a_person_and_the_future_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Identity::open_or_make(&dir.path().join("id")).unwrap();
    for (bad, why) in [
        ("nonsense".to_owned(), "no certificate"),
        (certificate(key(1).public_key(), CertType::User, NOW + 3600), "another key"),
        (certificate(&identity.public, CertType::Host, NOW + 3600), "not for a person"),
        (certificate(&identity.public, CertType::User, NOW - 1), "over already"),
    ] {
        let e = identity.check(&bad, now()).unwrap_err().to_string();
        assert!(e.contains(why) && e.contains("nothing was written"), "{e}");
    }
    assert!(!dir.path().join("id-cert.pub").exists());
}

#[test]
fn times_are_said_as_people_say_them() {
    let after = |s| until(now() + Duration::from_secs(s), now());
    assert_eq!(after(3600), "01:00 UTC (in 1 hour)");
    assert_eq!(after(60), "00:01 UTC (in 1 minute)");
    assert_eq!(after(5400), "01:30 UTC (in 1 h 30 min)");
    assert_eq!(after(43_200), "12:00 UTC (in 12 hours)");
}
