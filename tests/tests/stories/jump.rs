//! `ssh -J` ends at the gateway too: the same grant, the same confirmation, the same recording, with what `anteroom ssh-config` prints.
use anteroom_tests::harness::{Confirm, Person, SshOutput, SshSession, World, soon};
use std::{path::PathBuf, process::Command, time::Duration};

/// What `anteroom ssh-config` prints, as files of ada's. The gateway listens at a port that only it knows.
fn client_files(w: &World, key: &Person) -> PathBuf {
    let dir = w.dir.join("ssh");
    let unsaid = w.cli.run(&["ssh-config"]).unwrap();
    assert!(unsaid.code == Some(2) && unsaid.stderr.contains("--port") && unsaid.stdout.is_empty(), "{}", unsaid.said());
    let printed = |part: &str| w.cli.good(&["ssh-config", "--port", &w.ssh_port().to_string(), "--only", part]).unwrap();
    let known = printed("known-hosts");
    assert!(known.contains("@cert-authority ehr-db-1"), "{known}");
    std::fs::write(dir.join("jump.known_hosts"), known).unwrap();
    let config = printed("config");
    let ours = format!(
        "Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  IdentityFile {}\n  \
         IdentitiesOnly yes\n  IdentityAgent none\n  ConnectTimeout 20\n",
        dir.join("jump.known_hosts").display(),
        key.ssh_key.display()
    );
    std::fs::write(dir.join("jump.config"), config + &ours).unwrap();
    dir.join("jump.config")
}

fn ssh(w: &World, person: &Person, words: &[&str]) -> SshOutput {
    let mut c = Command::new("ssh");
    c.arg("-F").arg(client_files(w, person)).args(words).env_remove("SSH_AUTH_SOCK");
    SshSession::start(c, Some(Confirm::By(person.clone()))).unwrap().finish(Duration::from_secs(60)).unwrap()
}

#[test]
fn a_jump_is_confirmed_and_recorded_like_any_other_connection() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let at = format!("{}@ehr-db-1", w.target.account);
    let out = ssh(&w, &ada, &["-J", "bastion", &at, "echo by way of $ANTEROOM_TARGET"]);
    assert!(out.stderr.contains("/step-up/"), "no passkey was asked for: {}", out.said());
    assert_eq!(out.good().unwrap(), "by way of ehr-db-1\n");
    let session = w.sealed_session().unwrap();
    assert_eq!(session["recording"], "complete", "{session:#}");
    let played = w.cli.good(&["recording", "list", "--json"]).unwrap();
    assert!(played.contains(session["id"].as_str().unwrap()), "{played}");
    // The printed configuration jumps by itself.
    assert_eq!(ssh(&w, &ada, &[&at, "echo again"]).good().unwrap(), "again\n");
    // Exactly the gateway spoke to the target.
    assert_eq!(w.target.log().matches("Accepted publickey").count(), 2, "{}", w.target.log());
}

#[test]
fn a_jump_without_a_grant_gets_no_further_than_one_to_an_unknown_name() {
    let w = World::start().unwrap();
    let eve = w.admin("eve").unwrap();
    w.add_target("pacs-2", "").unwrap();
    let answer = |name: &str| {
        let at = format!("{}@{name}", w.target.account);
        // The client has no line for a name that nobody made known.
        let out = ssh(&w, &eve, &["-oStrictHostKeyChecking=no", "-J", "bastion", &at, "echo in"]);
        let words: Vec<_> = out.stderr.lines().filter(|l| l.contains("anteroom") || l.contains("Ask for")).collect();
        assert!(out.status != Some(0) && !out.text().contains("in\n") && !out.stderr.contains("/step-up/"), "{name}: {}", out.said());
        (out.status, out.text(), words.join("\n").replace(name, "TARGET").split("http").next().unwrap_or_default().to_owned())
    };
    let known = answer("pacs-2");
    assert!(!known.2.is_empty(), "nothing was said: {known:?}");
    assert_eq!(answer("no-such-target"), known);
    assert!(!w.target.log().contains("Accepted"));
}

#[test]
fn the_bastion_is_no_tunnel_to_any_address() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let port = w.target.port;
    // The target's log tells of every connection that ends without a login.
    let noted = || w.target.log().matches("kex_exchange_identification").count();
    let before = noted();
    drop(std::net::TcpStream::connect(("127.0.0.1", port)).unwrap());
    soon("the target to note a connection", || Ok(noted() > before)).unwrap();
    let before = w.target.log();
    for place in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), "ehr-db-1:22".into(), format!("ehr-db-1:{port}")] {
        let out = ssh(&w, &ada, &["-W", &place, "bastion"]);
        // Whatever the name, only an ssh of the gateway's own answers, never the target's.
        assert!(out.text().starts_with("SSH-2.0-OpenSSH_Anteroom\r\n"), "{place}: {}", out.said());
    }
    assert_eq!(w.target.log(), before, "somebody spoke to the target");
    // A listener on the gateway is nobody's.
    let out = ssh(&w, &ada, &["-oExitOnForwardFailure=yes", "-R", "0:127.0.0.1:1", "-N", "bastion"]);
    assert_ne!(out.status, Some(0), "{}", out.said());
    soon("the refusal in the log", || Ok(!w.audited("channel_refused")?.is_empty())).unwrap();
}

#[test]
fn a_client_that_does_not_believe_in_the_authority_does_not_go_on() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let config = client_files(&w, &ada);
    let known = w.dir.join("ssh/jump.known_hosts");
    let text = std::fs::read_to_string(&known).unwrap();
    let only_gateway: Vec<&str> = text.lines().filter(|l| !l.starts_with("@cert-authority")).collect();
    std::fs::write(&known, only_gateway.join("\n") + "\n").unwrap();
    let mut c = Command::new("ssh");
    c.arg("-F").arg(config).args(["-J", "bastion", &format!("{}@ehr-db-1", w.target.account), "echo in"]).env_remove("SSH_AUTH_SOCK");
    let out = SshSession::start(c, Some(Confirm::By(ada))).unwrap().finish(Duration::from_secs(60)).unwrap();
    assert!(out.status == Some(255) && out.stderr.contains("Host key verification failed"), "{}", out.said());
}
