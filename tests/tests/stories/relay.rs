//! Targets that are reached through another one, and targets that trust certificates instead of keys.
use anteroom_tests::harness::{Sshd, World, soon};
use std::{fs, path::Path, process::Command};

fn allow(w: &World, target: &str) -> anteroom_tests::harness::Person {
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    ben.approve(&ada.request(target, &w.target.account).unwrap()).unwrap();
    ada
}

fn keygen(words: &[&str], file: &Path) {
    let out = Command::new("ssh-keygen").args(words).arg(file).output().unwrap();
    assert!(out.status.success(), "{out:?}");
}

#[test]
fn a_target_behind_another_is_reached_through_that_one_s_sshd() {
    let w = World::start().unwrap();
    let inner = Sshd::start(&w.dir.join("lab-12"), "lab-12", "").unwrap();
    let relay = w.login();
    let port = inner.port.to_string();
    w.cli.good(&["target", "add", "lab-12", "--host", "127.0.0.1", "--port", &port, "--via", &relay]).unwrap();
    w.cli.good_with(&["target", "pin", "lab-12"], inner.host_key.as_bytes()).unwrap();
    w.cli
        .good_with(&["target", "credential", "lab-12", &inner.account, "--private-key", "-"], inner.account_key().unwrap().as_bytes())
        .unwrap();
    let ada = allow(&w, "lab-12");
    let login = format!("{}@lab-12", inner.account);
    let ssh = || w.ssh(&ada).unwrap().login(&login).command("echo at $ANTEROOM_TARGET");
    assert_eq!(ssh().run().unwrap().good().unwrap(), "at lab-12\n");
    assert_eq!(w.target.log().matches("Accepted publickey").count(), 1, "not through the relay: {}", w.target.log());
    // The grant is for what lies behind, not for the relay.
    let out = w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(out.status != Some(0) && !out.text().contains("in\n"), "{}", out.said());
    // A relay that is somebody else is told nothing.
    w.cli.good_with(&["target", "pin", &w.target.name], inner.host_key.as_bytes()).unwrap();
    let out = ssh().run().unwrap();
    assert!(out.status != Some(0) && out.stderr.contains("host key"), "{}", out.said());
}

#[test]
fn a_target_that_believes_in_the_gateway_s_authority_keeps_no_key() {
    let w = World::start().unwrap();
    let ca = w.dir.join("target-ca.pub");
    fs::write(&ca, w.cli.good(&["ca", "show", "target"]).unwrap()).unwrap();
    let target = Sshd::start(&w.dir.join("pacs-2"), "pacs-2", &format!("TrustedUserCAKeys {}", ca.display())).unwrap();
    fs::write(target.dir.join("authorized_keys"), "").unwrap();
    w.cli.good(&["target", "add", "pacs-2", "--host", "127.0.0.1", "--port", &target.port.to_string()]).unwrap();
    w.cli.good_with(&["target", "pin", "pacs-2"], target.host_key.as_bytes()).unwrap();
    w.cli.good(&["target", "credential", "pacs-2", &target.account, "--gateway-ca"]).unwrap();
    let ada = allow(&w, "pacs-2");
    let ssh = || w.ssh(&ada).unwrap().login(&format!("{}@pacs-2", target.account)).command("echo in").run().unwrap();
    assert_eq!(ssh().good().unwrap(), "in\n");
    soon("the certificate in the target's log", || Ok(target.log().contains("ED25519-CERT"))).unwrap();
    // It believes in nobody now.
    fs::write(&ca, "").unwrap();
    let out = ssh();
    assert!(out.status != Some(0) && !out.text().contains("in\n"), "{}", out.said());
}

#[test]
fn a_relay_that_believes_in_the_gateway_s_authority_keeps_no_key_either() {
    let w = World::start().unwrap();
    let ca = w.dir.join("target-ca.pub");
    fs::write(&ca, w.cli.good(&["ca", "show", "target"]).unwrap()).unwrap();
    let trusts = format!("TrustedUserCAKeys {}", ca.display());
    let start = |name: &str| {
        let t = Sshd::start(&w.dir.join(name), name, &trusts).unwrap();
        fs::write(t.dir.join("authorized_keys"), "").unwrap();
        t
    };
    let (relay, inner) = (start("zone-lab"), start("lab-12"));
    let via = format!("{}@zone-lab", relay.account);
    for (name, t, via) in [("zone-lab", &relay, None), ("lab-12", &inner, Some(&via))] {
        let port = t.port.to_string();
        let mut words = vec!["target", "add", name, "--host", "127.0.0.1", "--port", &port];
        words.extend(via.iter().flat_map(|v| ["--via", v.as_str()]));
        w.cli.good(&words).unwrap();
        w.cli.good_with(&["target", "pin", name], t.host_key.as_bytes()).unwrap();
        w.cli.good(&["target", "credential", name, &t.account, "--gateway-ca"]).unwrap();
    }
    let ada = allow(&w, "lab-12");
    let ssh = || w.ssh(&ada).unwrap().login(&format!("{}@lab-12", inner.account)).command("echo at $ANTEROOM_TARGET").run().unwrap();
    assert_eq!(ssh().good().unwrap(), "at lab-12\n");
    for t in [&relay, &inner] {
        soon("the certificate in the target's log", || Ok(t.log().contains("ED25519-CERT"))).unwrap();
    }
    let issued = w.audited("target_certificate_issued").unwrap();
    let session = w.sealed_session().unwrap()["id"].clone();
    assert!(issued.len() == 2 && issued.iter().all(|i| i["session"] == session), "{issued:?}");
    assert_ne!(issued[0]["target"], issued[1]["target"], "each place has its own");
    // The grant is for what lies behind.
    let out = w.ssh(&ada).unwrap().login(&via).command("echo in").run().unwrap();
    assert!(out.status != Some(0) && !out.text().contains("in\n"), "{}", out.said());
    // They believe in nobody now.
    fs::write(&ca, "").unwrap();
    let out = ssh();
    assert!(out.status != Some(0) && out.stderr.contains("zone-lab") && !out.text().contains("at "), "{}", out.said());
}

#[test]
fn a_host_certificate_counts_if_its_authority_was_made_known_for_this_target() {
    let w = World::start().unwrap();
    let (ours, foreign) = (w.dir.join("host-ca"), w.dir.join("foreign-ca"));
    for ca in [&ours, &foreign] {
        keygen(&["-q", "-t", "ed25519", "-N", "", "-f"], ca);
    }
    let dir = w.dir.join("pacs-2");
    fs::create_dir_all(&dir).unwrap();
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f"], &dir.join("host_key"));
    let sign = |ca: &Path| {
        keygen(&["-q", "-h", "-I", "pacs-2", "-n", "pacs-2,127.0.0.1", "-V", "+1h", "-s", ca.to_str().unwrap()], &dir.join("host_key.pub"))
    };
    sign(&ours);
    let certificate = format!("HostCertificate {}", dir.join("host_key-cert.pub").display());
    let target = Sshd::start(&dir, "pacs-2", &certificate).unwrap();
    let port = target.port.to_string();
    let line = fs::read_to_string(ours.with_extension("pub")).unwrap();
    w.cli.good(&["target", "add", "pacs-2", "--host", "127.0.0.1", "--port", &port, "--host-ca", line.trim()]).unwrap();
    w.cli
        .good_with(&["target", "credential", "pacs-2", &target.account, "--private-key", "-"], target.account_key().unwrap().as_bytes())
        .unwrap();
    let ada = allow(&w, "pacs-2");
    let ssh = || w.ssh(&ada).unwrap().login(&format!("{}@pacs-2", target.account)).command("echo in").run().unwrap();
    assert_eq!(ssh().good().unwrap(), "in\n");
    let logins = target.log().matches("Accepted").count();
    // Another authority's word is nothing.
    let line = fs::read_to_string(foreign.with_extension("pub")).unwrap();
    w.cli.good(&["target", "change", "pacs-2", "--host-ca", line.trim()]).unwrap();
    let out = ssh();
    assert!(out.status != Some(0) && !out.text().contains("in\n") && out.stderr.contains("host"), "{}", out.said());
    assert_eq!(target.log().matches("Accepted").count(), logins, "the credential was shown to a stranger");
}
