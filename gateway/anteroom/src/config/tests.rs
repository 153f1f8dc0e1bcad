#![allow(clippy::unwrap_used)]
use super::*;
use std::{fs, os::unix::fs::PermissionsExt};

/// A directory with every key, and the configuration that fits it.
fn fixture() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    crate::keys::generate(dir.path()).unwrap();
    (dir, GOOD.to_owned())
}

const GOOD: &str = r#"
[gateway]
name = "ward-4"
data_dir = "state"
[database]
private_dir = "db"
[portal]
listen = "127.0.0.1:8080"
origin = "http://localhost:8080"
[ssh]
listen = "127.0.0.1:2222"
host_key = "ssh-host.key"
[recording]
dir = "recordings"
recipients = { masked = "custody-masked.key.pub", sealed = ["custody-sealed-a.key.pub", "custody-sealed-b.key.pub"] }
[replay]
masked_key = "custody-masked.key"
[keys]
vault = "vault.key"
audit_log = "audit-log.key"
manifest = "manifest.key"
"#;

fn complaint(change: impl Fn(&str) -> String) -> String {
    let (dir, good) = fixture();
    let bad = change(&good);
    assert_ne!(bad, good, "the test changes nothing");
    fs::write(dir.path().join("a.toml"), bad).unwrap();
    let e = load(&dir.path().join("a.toml")).unwrap_err().to_string();
    e.replace(&dir.path().display().to_string(), "").replace("/a.toml", "a.toml")
}

#[test]
fn a_good_file_is_taken_and_paths_count_from_it() {
    let (dir, good) = fixture();
    fs::write(dir.path().join("a.toml"), good).unwrap();
    let c = load(&dir.path().join("a.toml")).unwrap();
    assert_eq!(c.data_dir, dir.path().canonicalize().unwrap().join("state"));
    assert_eq!(c.ssh.remember_step_up, std::time::Duration::ZERO);
}

#[test]
fn the_quick_starts_configuration_is_good() {
    const QUICK_START: &str = include_str!("../../../../docs/operator-quick-start.md");
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys");
    crate::keys::generate(&keys).unwrap();
    fs::write(keys.join("db-password"), "made up\n").unwrap();
    fs::set_permissions(keys.join("db-password"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(dir.path().join("tls")).unwrap();
    for name in ["cert.pem", "key.pem"] {
        fs::write(dir.path().join("tls").join(name), "").unwrap();
        fs::set_permissions(dir.path().join("tls").join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let toml = QUICK_START.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let here = toml.replace("/etc/anteroom", &dir.path().display().to_string());
    fs::write(dir.path().join("a.toml"), here).unwrap();
    let c = load(&dir.path().join("a.toml")).unwrap();
    assert_eq!(c.name, "ward-gateway-1");
}

#[test]
fn recordings_are_kept_for_ever_unless_a_number_of_days_is_written() {
    let (dir, good) = fixture();
    let at = dir.path().join("a.toml");
    fs::write(&at, &good).unwrap();
    assert_eq!(load(&at).unwrap().custody.keep, None);
    fs::write(&at, good.replace("dir = \"recordings\"\n", "dir = \"recordings\"\nkeep_days = 2192\n")).unwrap();
    assert_eq!(load(&at).unwrap().custody.keep, Some(time::Duration::days(2192)));
    let e = complaint(|g| g.replace("dir = \"recordings\"\n", "dir = \"recordings\"\nkeep_days = 0\n"));
    assert_eq!(e, "a.toml:15: recording.keep_days = \"0\": between 1 and 36525 days; leave it out to keep recordings for ever");
}

#[test]
fn an_unknown_key_is_refused_by_name_and_line() {
    let e = complaint(|g| g.replace("[ssh]\n", "[ssh]\nlisen = \"x\"\n"));
    assert!(e.starts_with("a.toml:11: lisen = \"x\": unknown field `lisen`, expected one of `listen`"), "{e}");
}

#[test]
fn a_wrong_value_is_named_with_key_and_line() {
    let e = complaint(|g| g.replace("127.0.0.1:2222", "2222"));
    assert_eq!(e, "a.toml:11: ssh.listen = \"2222\": not an address and port, like 127.0.0.1:2222 or [::]:22");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let e = complaint(|g| g.replace("127.0.0.1:2222", "2222").replace("ward-4", "Ward 4"));
    assert_eq!(e.lines().count(), 2, "{e}");
}

#[test]
fn the_portal_is_never_in_clear_beyond_loopback() {
    let e = complaint(|g| g.replace("127.0.0.1:8080", "0.0.0.0:8080"));
    assert!(e.contains("portal.listen = \"0.0.0.0:8080\": the portal is not served in clear except on loopback"), "{e}");
}

#[test]
fn passkeys_need_a_name_and_a_safe_origin() {
    assert!(complaint(|g| g.replace("http://localhost:8080", "http://127.0.0.1:8080")).contains("not an address"));
    assert!(complaint(|g| g.replace("http://localhost:8080", "http://bastion:8080")).contains("passkeys need https"));
}

#[test]
fn a_database_far_away_needs_a_checked_certificate_and_its_password_is_not_repeated() {
    let e = complaint(|g| g.replace("private_dir = \"db\"", "url = \"postgres://u:hunter2@db.example/anteroom\""));
    assert!(e.contains("database.url: the database on db.example would be talked to without a checked certificate"), "{e}");
    assert!(!e.contains("hunter2"), "{e}");
    let e = complaint(|g| g.replace("private_dir = \"db\"", "url = [\"postgres://u:hunter2@db.example/anteroom\"]"));
    assert!(!e.contains("hunter2"), "{e}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let (dir, good) = fixture();
    fs::write(dir.path().join("a.toml"), good).unwrap();
    fs::set_permissions(dir.path().join("vault.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let e = load(&dir.path().join("a.toml")).unwrap_err().to_string();
    assert!(e.contains(":19: keys.vault = \"vault.key\": may be read by others (mode 0644)"), "{e}");
}

#[test]
fn one_key_holder_is_not_two() {
    let e = complaint(|g| g.replace(", \"custody-sealed-b.key.pub\"", ""));
    assert!(e.contains("needs exactly two recipients"), "{e}");
}

#[test]
fn a_file_that_is_no_toml_says_where() {
    let e = complaint(|g| g.replace("[ssh]", "[ssh"));
    assert!(e.starts_with("a.toml:10: "), "{e}");
}

fn taken(change: impl Fn(&str) -> String) -> Checked {
    let (dir, good) = fixture();
    fs::write(dir.path().join("banner.txt"), "Hospital property.\nSessions are recorded.\n").unwrap();
    fs::write(dir.path().join("a.toml"), change(&good)).unwrap();
    load(&dir.path().join("a.toml")).unwrap()
}

#[test]
fn a_banner_comes_from_the_file_or_another_one_and_has_the_protocols_line_ends() {
    assert_eq!(taken(str::to_owned).ssh.banner, None);
    let text = taken(|g| g.replace("[ssh]\n", "[ssh]\nbanner = \"Sessions are recorded.\"\n"));
    assert_eq!(text.ssh.banner.as_deref(), Some("Sessions are recorded.\r\n"));
    let file = taken(|g| g.replace("[ssh]\n", "[ssh]\nbanner_file = \"banner.txt\"\n"));
    assert_eq!(file.ssh.banner.as_deref(), Some("Hospital property.\r\nSessions are recorded.\r\n"));
}

#[test]
fn a_banner_never_acts_on_a_terminal() {
    let e = complaint(|g| g.replace("[ssh]\n", "[ssh]\nbanner = \"\\u001b[2Jhello\"\n"));
    assert!(e.starts_with("a.toml:11: ssh.banner: holds control characters"), "{e}");
    let e = complaint(|g| g.replace("[ssh]\n", "[ssh]\nbanner = \"a\"\nbanner_file = \"b\"\n"));
    assert!(e.contains("ssh.banner_file = \"b\": banner and banner_file exclude each other"), "{e}");
}

#[test]
fn certificates_count_neither_for_seconds_nor_for_days() {
    for (written, why) in [("30s", "at least 1m"), ("2d", "at most 12h")] {
        let e = complaint(|g| g.replace("[ssh]\n", &format!("[ssh]\ncertificate_lifetime = \"{written}\"\n")));
        assert!(e.contains(why), "{e}");
    }
}

#[test]
fn what_is_not_said_about_signing_in_is_as_documented() {
    let c = taken(str::to_owned);
    assert!(c.ssh.trust_security_keys && c.ssh.certificate_lifetime == std::time::Duration::from_secs(3600));
    assert!(!taken(|g| g.replace("[ssh]\n", "[ssh]\ntrust_security_keys = false\n")).ssh.trust_security_keys);
    assert!(c.ssh.recording_notice, "people are told");
    assert!(!taken(|g| g.replace("[ssh]\n", "[ssh]\nrecording_notice = false\n")).ssh.recording_notice);
}

#[test]
fn the_clipboard_has_four_settings_and_no_fifth() {
    use anteroom_web::Clipboard;
    assert_eq!(taken(str::to_owned).portal.clipboard, Clipboard::Both);
    assert_eq!(taken(|g| g.replace("[portal]\n", "[portal]\nclipboard = \"paste\"\n")).portal.clipboard, Clipboard::Paste);
    let e = complaint(|g| g.replace("[portal]\n", "[portal]\nclipboard = \"yes\"\n"));
    assert!(e.contains("portal.clipboard = \"yes\": there are both, copy"), "{e}");
}

#[test]
fn an_archive_is_a_directory_elsewhere_and_its_sizes_are_sizes() {
    let storage = |lines: &str| GOOD.replace("[replay]", &format!("[recording.storage]\n{lines}\n[replay]"));
    let (dir, _) = fixture();
    fs::write(dir.path().join("a.toml"), storage("url = \"file:///mnt/archive\"\nspool_limit = \"20G\"\nkeep = \"1h\"")).unwrap();
    let options = load(&dir.path().join("a.toml")).unwrap().custody.storage_options;
    assert_eq!((options.spool_limit, options.min_free, options.keep.as_secs()), (Some(20 << 30), None, 3600));
    let says = |lines: &str, what: &str| {
        let e = complaint(|_| storage(lines));
        assert!(e.contains(what), "{e}");
    };
    says("url = \"s3://bucket\"", "recording.storage.url = \"s3://bucket\": an archive is a directory so far: file:///mnt/archive");
    says("url = \"archive\"", "not a URL like file:///mnt/archive");
    says("url = \"file:///mnt/a\"\nspool_limit = \"20\"", "recording.storage.spool_limit = \"20\": not a size like");
    says("min_free = \"1G\"\nkeep = \"1h\"", "recording.storage.keep = \"1h\": says something about an archive, and there is no url");
}

#[test]
fn the_key_that_replays_is_a_file_or_in_a_token_and_a_pin_is_never_written_here() {
    use anteroom_recorder::custody::KeyAddress;
    assert!(matches!(taken(str::to_owned).custody.masked_key, Some(KeyAddress::File(p)) if p.ends_with("custody-masked.key")));
    let old = taken(|g| g.replace("masked_key =", "masked_key_file ="));
    assert!(matches!(old.custody.masked_key, Some(KeyAddress::File(_))), "what it was called before");
    let with = |uri: &str| complaint(|g| g.replace("masked_key = \"custody-masked.key\"", &format!("masked_key = \"{uri}\"")));
    let e = with("pkcs11:token=t;object=k?module-path=/nowhere.so&pin-value=471147");
    assert!(e.starts_with("a.toml:17: replay.masked_key: ") && e.contains("pin-source=file:PATH") && !e.contains("471147"), "{e}");
    let e = with("pkcs11:token=t;object=k?module-path=/nowhere.so&pin-source=file:pin");
    assert!(e.contains("replay.masked_key = \"pkcs11:") && e.contains("/nowhere.so"), "{e}");
    let e = with("pkcs11:token=t;object=k?module-path=vault.key&pin-source=file:pin");
    assert!(e.contains("/pin\": No such file"), "{e}");
}

#[test]
fn rdp_is_off_unless_it_is_written_and_strict_unless_it_is_said_otherwise() {
    let with = |part: &str| taken(|g| format!("{g}\n[rdp]\nlisten = \"127.0.0.1:3389\"\n{part}")).rdp.unwrap();
    assert!(taken(|g| format!("{g}\n# nothing")).rdp.is_none());
    let rdp = with("");
    assert!(!rdp.tls_without_nla && rdp.tls.is_none());
    assert_eq!((rdp.reconnect_window, rdp.login_grace), (std::time::Duration::from_secs(120), std::time::Duration::from_secs(60)));
    assert!(with("allow_tls_without_nla = true\n").tls_without_nla);
    let wrong = |part: &str| complaint(|g| format!("{g}\n[rdp]\nlisten = \"127.0.0.1:3389\"\n{part}"));
    assert!(wrong("reconnect_window = \"10m\"\n").contains("rdp.reconnect_window = \"10m\": at most 2m"));
    assert!(wrong("tls_cert = \"x.pem\"\n").contains("rdp.tls_cert = \"x.pem\": tls_key is missing"));
    // A key of the fixture is private, and no certificate.
    assert!(wrong("tls_cert = \"vault.key\"\ntls_key = \"vault.key\"\n").contains("rdp.tls_cert = \"vault.key\": "));
    assert!(
        complaint(|g| format!("{g}\n[rdp]\nlisten = \"everywhere\"\n")).contains("rdp.listen = \"everywhere\": not an address and port")
    );
}

#[test]
fn notifications_are_checked_before_anything_starts() {
    let (dir, good) = fixture();
    for (file, text) in
        [("siem.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), ("short.secret", "whsec_c2hvcnQ=\n"), ("mail.secret", "pw\n")]
    {
        fs::write(dir.path().join(file), text).unwrap();
        fs::set_permissions(dir.path().join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let with = |text: &str| {
        fs::write(dir.path().join("a.toml"), format!("{good}\n{text}")).unwrap();
        load(&dir.path().join("a.toml")).map_err(|e| e.to_string())
    };
    let hook = |name: &str, url: &str, secret: &str| {
        format!("[[notify.webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret_file = \"{secret}\"\n")
    };
    let mail = |more: &str| format!("[notify.mail]\nhost = \"mail.example\"\nfrom = \"gate@mail.example\"\n{more}");
    let siem = hook("siem", "https://siem.example/in", "siem.secret");
    let c = with(&format!("{siem}{}[requests]\nunanswered_after = \"2h\"", mail("user = \"gate\"\npassword_file = \"mail.secret\"\n")))
        .unwrap();
    assert_eq!((c.channels.webhooks.len(), c.channels.mail.as_ref().unwrap().port, c.unanswered_after.as_secs()), (1, 587, 7_200));
    assert!(!format!("{c:?}").contains("MfKQ"), "no secret in what is logged");
    for (text, why) in [
        (hook("siem", "http://siem.example/in", "siem.secret"), "must be https"),
        (hook("siem", "https://siem.example/in", "short.secret"), "24 to 64"),
        (hook("siem", "https://siem.example/in", "none.secret"), "No such file"),
        (hook("a b", "https://siem.example/in", "siem.secret"), "letters, digits"),
        (format!("{siem}{siem}"), "there twice"),
        (mail("security = \"none\"\n"), "with TLS only"),
        (mail("user = \"gate\"\n"), "password_file is missing"),
        (mail("ca_file = \"none.pem\"\n"), "No such file"),
        (mail("ca_file = \"mail.secret\"\n"), "no certificate in it"),
        ("[requests]\nunanswered_after = \"5s\"".into(), "between 1m and 30d"),
    ] {
        let e = with(&text).unwrap_err();
        assert!(e.contains(why), "{text}: {e}");
    }
}
