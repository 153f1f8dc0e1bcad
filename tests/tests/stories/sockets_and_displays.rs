//! Sockets and displays are forwarded where the grant says so, and where it does not the person is told and the log knows (THREATS 3).
use anteroom_tests::harness::{Person, SshSession, World, WorldOptions, soon};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    time::Duration,
};

fn world(capabilities: &[&str], sshd: &str) -> (World, Person) {
    let w = World::with(WorldOptions { sshd: sshd.into(), ..Default::default() }).unwrap();
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    let at = |c: &&str| c.replace("HERE", w.dir.to_str().unwrap());
    let capabilities: Vec<String> = capabilities.iter().map(at).collect();
    let capabilities: Vec<&str> = capabilities.iter().map(String::as_str).collect();
    ben.approve(&ada.request_for(&w.target.name, &w.target.account, &capabilities).unwrap()).unwrap();
    (w, ada)
}

/// Says back what it is told.
fn echo_at(path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buffer = [0; 100];
            let n = stream.read(&mut buffer).unwrap_or(0);
            let _ = stream.write_all(b"you said: ").and_then(|()| stream.write_all(&buffer[..n]));
        }
    });
}

/// What comes back from a socket.
fn ask(path: &Path) -> String {
    let Ok(mut s) = UnixStream::connect(path) else { return "nobody there".into() };
    s.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = s.write_all(b"hello");
    let mut got = String::new();
    let _ = s.read_to_string(&mut got);
    got
}

fn forwarded(w: &World, kind: &str, place: &str) {
    let there = || Ok(w.audited("forward_opened")?.iter().any(|r| r["forward"] == kind && r["place"] == place));
    soon(&format!("{kind} in the log"), there).unwrap();
}

fn refused(w: &World, kind: &str, words: &str) {
    let there = || Ok(w.audited("channel_refused")?.iter().any(|r| r["channel"] == kind && r.to_string().contains(words)));
    soon(&format!("the refusal of {kind} in the log"), there).unwrap();
}

fn to(local: &Path, remote: &Path) -> String {
    format!("{}:{}", local.display(), remote.display())
}

#[test]
fn a_socket_on_the_target_is_reached_if_the_grant_names_it_and_no_other_is() {
    let (w, ada) = world(&["local-socket:HERE/app.sock"], "");
    let (app, other) = (w.dir.join("app.sock"), w.dir.join("other.sock"));
    echo_at(&app);
    echo_at(&other);
    let open = |local: &PathBuf, remote: &Path| -> SshSession {
        let s = w.ssh(&ada).unwrap().option("-N").option("-L").option(&to(local, remote)).spawn().unwrap();
        soon("the local socket", || Ok(local.exists())).unwrap();
        s
    };
    let local = w.dir.join("ssh/app");
    let s = open(&local, &app);
    assert_eq!(ask(&local), "you said: hello");
    forwarded(&w, "local-socket", app.to_str().unwrap());
    drop(s);

    let local = w.dir.join("ssh/other");
    let s = open(&local, &other);
    assert_eq!(ask(&local), "");
    s.expect("a forward to this socket is not allowed by your grant").unwrap();
    refused(&w, "local-socket", "not allowed by your grant");
    drop(s);
    assert_eq!(w.audited("forward_opened").unwrap().len(), 1);
}

#[test]
fn a_socket_that_the_target_listens_at_leads_back_to_the_person_who_may_have_one() {
    let (w, ada) = world(&["remote-socket:HERE/there.sock", "exec"], "");
    let (there, elsewhere, home) = (w.dir.join("there.sock"), w.dir.join("elsewhere.sock"), w.dir.join("ssh/home"));
    echo_at(&home);
    let listen = |at: &Path, command: &str| w.ssh(&ada).unwrap().option("-R").option(&to(at, &home)).command(command);
    let s = listen(&there, "echo ready; cat").spawn().unwrap();
    s.expect("ready").unwrap();
    assert_eq!(ask(&there), "you said: hello");
    forwarded(&w, "remote-socket", there.to_str().unwrap());
    drop(s);

    // SSH's answer to this has no room for a reason; it is told on the session.
    let out = listen(&elsewhere, "echo in").run().unwrap();
    assert!(out.stderr.contains("anteroom: listening at this socket is not allowed by your grant"), "{}", out.said());
    assert!(out.stderr.contains("remote port forwarding failed"), "{}", out.said());
    assert_eq!((out.status, out.text()), (Some(0), "in\n".to_owned()), "the session itself is none the worse for it");
    assert!(!elsewhere.exists());
    refused(&w, "remote-socket", "not allowed by your grant");
}

/// A person's display, and what programs of the target showed on it.
fn display() -> (String, std::sync::mpsc::Receiver<Vec<u8>>) {
    let (number, listener) = (50..200).find_map(|n| Some((n, TcpListener::bind(("127.0.0.1", 6000 + n)).ok()?))).unwrap();
    let (shown, seen) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut hello = vec![0; 48];
            if stream.read_exact(&mut hello).is_ok() && stream.write_all(b"the display answers").is_ok() {
                let _ = shown.send(hello);
            }
        }
    });
    (format!("127.0.0.1:{number}"), seen)
}

/// An sshd whose `xauth` keeps the cookie in a file, and a program that shows it to the display it was given.
struct X11 {
    sshd: String,
    dir: tempfile::TempDir,
}

impl X11 {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (xauth, program) = (dir.path().join("xauth"), dir.path().join("program.py"));
        fs::write(&xauth, format!("#!/bin/sh\ncat >{}/cookie\n", dir.path().display())).unwrap();
        fs::set_permissions(&xauth, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(&program, PROGRAM.replace("ADDED_BY_XAUTH", dir.path().join("cookie").to_str().unwrap())).unwrap();
        Self { sshd: format!("X11Forwarding yes\nXAuthLocation {}", xauth.display()), dir }
    }

    fn command(&self) -> String {
        format!("python3 {}", self.dir.path().join("program.py").display())
    }
}

/// The first message of the X protocol: byte order, version 11, and the cookie that `xauth` was given.
const PROGRAM: &str = r#"
import os, socket, struct
number = int(os.environ["DISPLAY"].rsplit(":", 1)[1].split(".")[0])
added = [line.split() for line in open("ADDED_BY_XAUTH") if line.startswith("add ")]
name, cookie = b"MIT-MAGIC-COOKIE-1", bytes.fromhex(added[-1][-1])
hello = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(name), len(cookie)) + name + b"\0\0" + cookie
display = socket.create_connection(("127.0.0.1", 6000 + number))
display.sendall(hello)
print(display.recv(100).decode())
"#;

#[test]
fn a_program_of_the_target_shows_on_the_persons_display_if_the_grant_says_so() {
    let x11 = X11::new();
    let (w, ada) = world(&["x11-forwarding", "exec"], &x11.sshd);
    let (display, seen) = display();
    let out = w.ssh(&ada).unwrap().option("-Y").env("DISPLAY", &display).command(&x11.command()).run().unwrap();
    assert_eq!(out.text(), "the display answers\n", "{}", out.said());
    let hello = seen.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(hello.starts_with(b"l\0\x0b\0") && hello[12..].starts_with(b"MIT-MAGIC-COOKIE-1"), "{hello:?}");
    forwarded(&w, "x11-forwarding", "");
}

#[test]
fn no_program_shows_on_a_display_that_the_grant_does_not_name() {
    let x11 = X11::new();
    let (w, ada) = world(&["exec"], &x11.sshd);
    let (display, seen) = display();
    let command = "echo display=${DISPLAY:-none}";
    let out = w.ssh(&ada).unwrap().option("-Y").env("DISPLAY", &display).command(command).run().unwrap();
    assert_eq!((out.status, out.text()), (Some(0), "display=none\n".to_owned()), "{}", out.said());
    assert!(out.stderr.contains("anteroom: X11 forwarding is not allowed by your grant"), "{}", out.said());
    assert!(seen.try_recv().is_err());
    refused(&w, "x11", "not allowed by your grant");
    assert!(w.audited("forward_opened").unwrap().is_empty());
}
