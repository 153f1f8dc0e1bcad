//! A forward leads where the grant says and nowhere else, and never past the recording to SSH (THREATS 3).
use anteroom_tests::harness::{Person, SshSession, Sshd, World, ports, soon};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// The end of what comes back through a forward when `GET /` is sent.
const ANSWER: &str = "you said: GET /\r\n";

/// Answers each connection's first words with the same ones.
fn echo_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(n) = stream.read(&mut buffer)
                    && n > 0
                {
                    let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nyou said: ").and_then(|()| stream.write_all(&buffer[..n]));
                }
            });
        }
    });
    port
}

fn world(capabilities: &[&str]) -> (World, Person) {
    let w = World::start().unwrap();
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    ben.approve(&ada.request_for(&w.target.name, &w.target.account, capabilities).unwrap()).unwrap();
    (w, ada)
}

/// ada's `ssh -L`; the session and the local port.
fn open_local(w: &World, ada: &Person, port: u16) -> (SshSession, u16) {
    let local = ports::candidate();
    let spec = format!("127.0.0.1:{local}:127.0.0.1:{port}");
    let s = w.ssh(ada).unwrap().option("-N").option("-oExitOnForwardFailure=yes").option("-L").option(&spec).spawn().unwrap();
    soon("the forward", || Ok(ports::listens(local))).unwrap_or_else(|e| panic!("{e}: {}", s.said()));
    (s, local)
}

/// What comes back from a local port, up to the answer, and how that ended.
fn ask(local: u16, words: &[u8]) -> (String, &'static str) {
    let mut through = TcpStream::connect(("127.0.0.1", local)).unwrap();
    through.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    through.write_all(words).unwrap();
    let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
    let end = loop {
        if got.ends_with(ANSWER.as_bytes()) {
            break "answered";
        }
        match through.read(&mut buffer) {
            Ok(0) => break "closed",
            Ok(n) => got.extend_from_slice(&buffer[..n]),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => break "reset",
            Err(_) => break "nothing more came",
        }
    };
    (String::from_utf8_lossy(&got).into_owned(), end)
}

/// That the echo server's words come back; `s` is the ssh they go through.
fn answers(s: &SshSession, local: u16) {
    let (got, end) = ask(local, b"GET /\r\n");
    assert!(end == "answered", "{got:?} came back, then: {end}; ssh said: {}", s.said());
}

fn refusals(w: &World, channel: &str, words: &str) -> usize {
    let all = w.audited("channel_refused").unwrap();
    all.iter().filter(|r| r["channel"] == channel && r.to_string().contains(words)).count()
}

#[test]
fn a_granted_place_is_reached_and_another_one_is_not() {
    let (allowed, other) = (echo_server(), echo_server());
    let (w, ada) = world(&[&format!("local-forward:127.0.0.1:{allowed}")]);

    let (s, local) = open_local(&w, &ada, allowed);
    answers(&s, local);
    soon("the forward in the log", || Ok(!w.audited("forward_opened")?.is_empty())).unwrap();

    let through = w.ssh(&ada).unwrap().option("-W").option(&format!("127.0.0.1:{allowed}")).spawn().unwrap();
    let mut through = through;
    through.write("GET /\r\n").unwrap();
    through.expect("you said: GET /").unwrap();
    drop(through);

    let (s, local) = open_local(&w, &ada, other);
    assert_eq!(ask(local, b"GET /\r\n").0, "");
    s.expect(&format!("a forward to 127.0.0.1:{other} is not allowed by your grant")).unwrap();
    let out = w.ssh(&ada).unwrap().option("-W").option(&format!("127.0.0.1:{other}")).run().unwrap();
    assert!(out.status != Some(0) && out.stderr.contains("is not allowed by your grant"), "{}", out.said());
    // The same place by another name is not what was granted.
    let out = w.ssh(&ada).unwrap().option("-W").option(&format!("localhost:{allowed}")).run().unwrap();
    assert!(out.status != Some(0) && out.stderr.contains("is not allowed by your grant"), "{}", out.said());
    soon("the refusals in the log", || Ok(refusals(&w, "local-forward", "not allowed by your grant") == 3)).unwrap();
}

#[test]
fn no_forward_leads_to_a_target_whatever_the_grant_says() {
    let (w, ada) = world(&["local-forward:*"]);
    let other = w.add_target("pacs-2", "").unwrap();
    for (host, port) in [("127.0.0.1", w.target.port), ("localhost", w.target.port), ("::1", w.target.port), ("127.0.0.1", other.port)] {
        let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let out = w.ssh(&ada).unwrap().option("-W").option(&place).run().unwrap();
        assert!(out.stderr.contains("is a target of its own"), "{place}: {}", out.said());
        assert!(out.status != Some(0) && !out.text().contains("SSH-"), "{place}: {}", out.said());
    }
    soon("the refusals in the log", || Ok(refusals(&w, "local-forward", "is a target of its own") == 4)).unwrap();
    assert!(w.audited("forward_opened").unwrap().is_empty());
}

#[test]
fn ssh_inside_a_forward_is_cut_at_its_first_words() {
    let (w, ada) = world(&["local-forward:*", "shell", "exec"]);
    // Nobody has made this one a target.
    let hidden = Sshd::start(&w.dir.join("hidden"), "hidden", "").unwrap();
    let (s, local) = open_local(&w, &ada, hidden.port);
    let inner = std::process::Command::new("ssh")
        .args([
            "-F",
            "/dev/null",
            "-oBatchMode=yes",
            "-oStrictHostKeyChecking=no",
            "-oUserKnownHostsFile=/dev/null",
            "-oIdentitiesOnly=yes",
        ])
        .args(["-i", hidden.dir.join("account_key").to_str().unwrap(), "-p", &local.to_string(), "127.0.0.1", "echo", "arrived"])
        .output()
        .unwrap();
    assert!(!inner.status.success() && inner.stdout.is_empty(), "{inner:?}");
    assert!(!hidden.log().contains("Accepted"), "{}", hidden.log());
    soon("the refusal in the log", || Ok(refusals(&w, "local-forward", "SSH inside a forward") >= 1)).unwrap();
    drop(s);
    // By -W, too, whoever speaks first.
    let out = w.ssh(&ada).unwrap().option("-W").option(&format!("127.0.0.1:{}", hidden.port)).run().unwrap();
    assert!(!out.text().contains("SSH-2.0-OpenSSH"), "{}", out.said());
    soon("the second refusal in the log", || Ok(refusals(&w, "local-forward", "SSH inside a forward") >= 2)).unwrap();
    // The connection's own sessions are none the worse for it.
    assert_eq!(w.ssh(&ada).unwrap().command("echo in").run().unwrap().good().unwrap(), "in\n");
}

#[test]
fn a_listener_on_the_target_leads_back_to_the_person_who_may_have_one() {
    let (at_home, there) = (echo_server(), ports::candidate());
    let (w, ada) = world(&["remote-forward:*", "exec"]);
    let spec = format!("{there}:127.0.0.1:{at_home}");
    let remote = || w.ssh(&ada).unwrap().option("-oExitOnForwardFailure=yes").option("-R").option(&spec).command("echo ready; cat");
    let s = remote().spawn().unwrap();
    s.expect("ready").unwrap();
    answers(&s, there);
    soon("the forward in the log", || Ok(w.audited("forward_opened")?.iter().any(|r| r["forward"] == "remote-forward"))).unwrap();
    drop(s);
    soon("the listener to be gone", || Ok(TcpStream::connect(("127.0.0.1", there)).is_err())).unwrap();
}
