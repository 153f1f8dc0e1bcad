//! `anteroom login`: one passkey, then ssh without asking again until the certificate ends, and only for whom it was made.
use anteroom_tests::harness::{Cli, Confirm, Person, SshOutput, SshSession, World, wait_for};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// `anteroom login` on ada's machine, confirmed by `person`; the private key.
fn log_in(w: &World, person: &Person) -> PathBuf {
    let home = w.dir.join("laptop");
    fs::create_dir_all(&home).unwrap();
    let key = home.join("id");
    let mut c = Command::new(w.cli.program());
    c.args(["login", "--portal", w.origin.as_str(), "--key"]).arg(&key).env("HOME", &home);
    for name in ["ANTEROOM_CONFIG", "ANTEROOM_PORTAL", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"] {
        c.env_remove(name);
    }
    let s = SshSession::start(c, None).unwrap();
    let (id, number) = wait_for("the link", Duration::from_secs(20), || {
        let said = s.said();
        let Some((_, after)) = said.split_once("/login/") else { return Ok(None) };
        let Some((_, number)) = after.split_once("number  ") else { return Ok(None) };
        let word = |t: &str| t.lines().next().unwrap_or_default().trim().to_owned();
        Ok(number.contains('\n').then(|| (word(after), word(number))))
    })
    .unwrap();
    let page = person.get(&format!("/login/{id}")).unwrap();
    assert!(page.status == 200 && page.body.contains(&number), "the page does not show {number}: {}", page.body);
    let begun = person.begin(&format!("/login/{id}/begin"), &serde_json::json!({})).unwrap();
    let done = person.finish(&format!("/login/{id}/finish"), &begun).unwrap();
    assert!(done.status < 400, "{done:?}");
    s.outcome(Duration::from_secs(60)).unwrap().good().unwrap();
    key
}

fn with_key(person: &Person, key: &Path) -> Person {
    let mut person = person.clone();
    person.ssh_key = key.to_owned();
    person
}

/// With this key and the certificate beside it; nobody confirms anything.
fn ssh(w: &World, person: &Person, key: &Path, command: &str) -> SshOutput {
    w.ssh(&with_key(person, key))
        .unwrap()
        .confirm(Confirm::Later)
        .option("-oPreferredAuthentications=publickey")
        .command(command)
        .run()
        .unwrap()
}

fn certificate(key: &Path) -> PathBuf {
    key.with_file_name("id-cert.pub")
}

#[test]
fn one_login_counts_for_many_connections_and_for_nobody_who_is_suspended() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let key = log_in(&w, &ada);
    for n in 0..3 {
        let out = ssh(&w, &ada, &key, &format!("echo connection {n}"));
        assert!(!out.stderr.contains("/step-up/"), "a passkey was asked for: {}", out.said());
        assert_eq!(out.good().unwrap(), format!("connection {n}\n"));
    }
    // Whoever takes the recording away can check which passkey let it begin, without us.
    let session = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    let (_cleo, bundle) = (w.person("cleo", &["auditor"]).unwrap(), w.dir.join("a.bundle"));
    let bundle = bundle.to_str().unwrap();
    w.cli.good(&["recording", "export", &session, "--output", bundle, "--as", "cleo"]).unwrap();
    let checked = Cli::new(None).unwrap().good(&["verify", bundle]).unwrap();
    assert!(checked.contains("second factor: a passkey gave out certificate"), "{checked}");
    // The key alone is nobody's.
    let kept = fs::read(certificate(&key)).unwrap();
    fs::remove_file(certificate(&key)).unwrap();
    let bare = ssh(&w, &ada, &key, "echo in");
    assert!(bare.status == Some(255) && bare.stderr.contains("Permission denied"), "{}", bare.said());
    fs::write(certificate(&key), kept).unwrap();
    // What was not granted is not reached by a certificate.
    w.add_target("pacs-2", "").unwrap();
    let login = format!("{}@pacs-2", w.target.account);
    let out = w.ssh(&with_key(&ada, &key)).unwrap().login(&login).confirm(Confirm::Later).command("echo in").run().unwrap();
    assert!(out.status != Some(0) && !out.text().contains("in\n"), "{}", out.said());

    w.cli.good(&["person", "suspend", "ada"]).unwrap();
    let out = ssh(&w, &ada, &key, "echo in");
    assert!(out.status == Some(255) && out.stderr.contains("Permission denied"), "{}", out.said());
}

#[test]
fn nobody_else_s_signature_makes_a_certificate() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let key = log_in(&w, &ada);
    let shown = Command::new("ssh-keygen").arg("-L").arg("-f").arg(certificate(&key)).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let field =
        |name: &str| shown.lines().find_map(|l| l.trim().strip_prefix(name)).unwrap_or_default().trim().trim_matches('"').to_owned();
    let (id, serial) = (field("Key ID:"), field("Serial:"));
    assert!(!id.is_empty() && !serial.is_empty(), "{shown}");
    let principals = shown.split_once("Principals:").unwrap().1.lines().nth(1).unwrap().trim().to_owned();
    let foreign = w.dir.join("foreign");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&foreign).status().unwrap();
    assert!(made.success());
    let ours = fs::read(certificate(&key)).unwrap();
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-I", &id, "-z", &serial, "-n", &principals, "-V", "+1h", "-s"]).arg(&foreign).arg(key.with_extension("pub"));
    assert!(sign.status().unwrap().success());
    assert_ne!(fs::read(certificate(&key)).unwrap(), ours, "it was not signed again");
    let out = ssh(&w, &ada, &key, "echo in");
    assert!(out.status == Some(255) && out.stderr.contains("Permission denied"), "{}", out.said());
    assert!(!w.target.log().contains("Accepted"));
    fs::write(certificate(&key), ours).unwrap();
    assert_eq!(ssh(&w, &ada, &key, "echo in").good().unwrap(), "in\n");
}
