//! With OpenSSH's own programs on the other end of the watcher.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_files::{Event, Lookup, Next, Out, Outcome, Real, Scp, Sftp, scp_command};
use bytes::Bytes;
use common::*;
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
};

fn start(program: &str, args: &[&str]) -> Child {
    Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

struct Server {
    child: Child,
    watcher: Sftp,
    events: Vec<Event>,
}

impl Server {
    fn new(texts: &[&str]) -> Self {
        let mut server =
            Self { child: start("/usr/lib/openssh/sftp-server", &[]), watcher: Sftp::new(&granted(texts)), events: Vec::new() };
        assert_eq!(server.send(&init(), 1)[0].kind, 2);
        server
    }

    /// What the client gets, once it is this many answers.
    fn send(&mut self, bytes: &[u8], answers: usize) -> Vec<Answer> {
        let (mut out, mut seen, mut buffer) = (Out::default(), Vec::new(), vec![0; 50_000]);
        self.watcher.client(&Bytes::copy_from_slice(bytes), &mut out).unwrap();
        loop {
            self.child.stdin.as_mut().unwrap().write_all(&out.to_target.drain(..).flatten().collect::<Vec<_>>()).unwrap();
            seen.extend(out.to_client.drain(..).flatten());
            if whole(&seen) == Some(answers) {
                self.events.append(&mut out.events);
                return packets(&seen);
            }
            let n = self.child.stdout.as_mut().unwrap().read(&mut buffer).unwrap();
            assert!(n > 0, "sftp-server ended");
            self.watcher.target(&Bytes::copy_from_slice(&buffer[..n]), &mut out).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn whole(mut bytes: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !bytes.is_empty() {
        let n = u32::from_be_bytes(bytes.get(..4)?.try_into().unwrap()) as usize;
        bytes = bytes.get(4 + n..)?;
        count += 1;
    }
    Some(count)
}

#[test]
fn a_path_rule_holds_with_openssh_sftp_server() {
    let dir = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(dir.path()).unwrap();
    let at = |name: &str| root.join(name).to_str().unwrap().to_owned();
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::create_dir(at("in")).unwrap();
    fs::write(at("in/big"), &content).unwrap();
    fs::write(at("secret"), b"secret").unwrap();
    symlink("../secret", at("in/link")).unwrap();
    symlink(&root, at("in/up")).unwrap();
    symlink(at("new"), at("in/dangling")).unwrap();
    let rules = [format!("download:{}/**", at("in")), format!("upload:{}/**", at("in"))];
    let mut server = Server::new(&[&rules[0], &rules[1]]);
    for no in ["in/link", "in/up/secret", "secret", "in/../secret"] {
        assert_eq!(server.send(&open(1, &at(no), READ), 1)[0].status(), Some(3), "{no}");
    }
    for no in ["in/dangling", "in/up/new", "new"] {
        assert_eq!(server.send(&open(1, &at(no), WRITE), 1)[0].status(), Some(3), "{no}");
    }
    assert!(!root.join("new").exists());
    server.events.clear();

    let h = server.send(&open(2, &at("in/big"), READ), 1)[0].string();
    let blocks = content.len().div_ceil(32 << 10) as u32;
    let reads: Vec<u8> = (0..=blocks).flat_map(|i| read(10 + i, &h, u64::from(i) << 15, 32 << 10)).collect();
    let got: Vec<u8> = server.send(&reads, blocks as usize + 1).iter().filter(|a| a.kind == 103).flat_map(Answer::string).collect();
    assert!(got == content);
    server.send(&close(3, &h), 1);
    let h = server.send(&open(4, &at("in/copy"), WRITE), 1)[0].string();
    let writes: Vec<u8> = content.chunks(32 << 10).enumerate().flat_map(|(i, c)| write(100 + i as u32, &h, (i as u64) << 15, c)).collect();
    assert!(server.send(&writes, blocks as usize).iter().all(|a| a.status() == Some(0)));
    server.send(&close(5, &h), 1);
    assert!(fs::read(at("in/copy")).unwrap() == content);
    let sha: [u8; 32] = Sha256::digest(&content).into();
    let complete = |e: &Event| matches!(e, Event::Moved { sha256: Some(s), outcome: Outcome::Complete, bytes: 1_200_000, .. } if *s == sha);
    assert!(server.events.len() == 2 && server.events.iter().all(complete), "{:?}", server.events);
}

type End = Box<dyn Write + Send>;

/// OpenSSH's own server, asked what paths are.
struct Asker(Child, Lookup);

impl Asker {
    fn new() -> Self {
        let mut asker = Self(start("/usr/lib/openssh/sftp-server", &[]), Lookup::default());
        assert_eq!(asker.next(Lookup::hello()), Next::Ready);
        asker
    }

    fn next(&mut self, send: Bytes) -> Next {
        self.0.stdin.as_mut().unwrap().write_all(&send).unwrap();
        let mut buffer = vec![0; 9000];
        loop {
            let n = self.0.stdout.as_mut().unwrap().read(&mut buffer).unwrap();
            assert!(n > 0, "sftp-server ended");
            match self.1.receive(&buffer[..n]).unwrap() {
                Next::Wait => {}
                next => return next,
            }
        }
    }

    fn real(&mut self, path: &[u8]) -> Option<Real> {
        let mut send = self.1.ask(path);
        loop {
            match self.next(send) {
                Next::Send(more) => send = more,
                Next::Found(real) => return real,
                other => panic!("{other:?}"),
            }
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two real scp processes, the watcher between them; what was seen and the status of the client's one.
fn scp(client: &[&str], target: &[&str], texts: &[&str]) -> (Vec<Event>, bool) {
    let command = format!("scp {}", target.join(" "));
    let (mut scp, mut asker) = (Scp::new(scp_command(command.as_bytes()).unwrap(), &granted(texts)), Asker::new());
    if let Some(path) = scp.question().cloned()
        && scp.answer(asker.real(&path), &mut Out::default()).is_err()
    {
        return (Vec::new(), false);
    }
    let watcher = Mutex::new((scp, Vec::new(), asker));
    let (mut client, mut target) = (start("/usr/bin/scp", client), start("/usr/bin/scp", target));
    let pump = |mut from: Box<dyn Read>, is_client: bool, ends: &Mutex<(End, End)>| {
        let mut buffer = vec![0; 20_000];
        while let Ok(n) = from.read(&mut buffer)
            && n > 0
        {
            let (data, mut out) = (Bytes::copy_from_slice(&buffer[..n]), Out::default());
            let mut w = watcher.lock().unwrap();
            let mut fed = if is_client { w.0.client(&data, &mut out) } else { w.0.target(&data, &mut out) };
            while let (Ok(()), Some(path)) = (&fed, out.question.take()) {
                let real = w.2.real(&path);
                fed = w.0.answer(real, &mut out);
            }
            w.1.append(&mut out.events);
            let mut ends = ends.lock().unwrap();
            let _ = ends.0.write_all(&out.to_client.concat());
            let _ = ends.1.write_all(&out.to_target.concat());
            let _ = (ends.0.flush(), ends.1.flush());
            if fed.is_err() {
                break;
            }
        }
        // The other one sees the end.
        let nowhere = || Box::new(std::io::sink()) as End;
        let mut ends = ends.lock().unwrap();
        *ends = (nowhere(), nowhere());
    };
    let ends: Mutex<(End, End)> = Mutex::new((Box::new(client.stdin.take().unwrap()), Box::new(target.stdin.take().unwrap())));
    let (up, down) = (client.stdout.take().unwrap(), target.stdout.take().unwrap());
    thread::scope(|s| {
        s.spawn(|| pump(Box::new(up), true, &ends));
        s.spawn(|| pump(Box::new(down), false, &ends));
    });
    let good = client.wait().unwrap().success();
    target.wait().unwrap();
    let (mut watcher, mut events, _) = watcher.into_inner().unwrap();
    let mut out = Out::default();
    watcher.finish(&mut out);
    events.append(&mut out.events);
    (events, good)
}

fn tree(root: &Path) -> Vec<u8> {
    let content: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::create_dir_all(root.join("from/sub")).unwrap();
    fs::create_dir_all(root.join("to")).unwrap();
    fs::write(root.join("from/big"), &content).unwrap();
    fs::write(root.join("from/sub/empty"), b"").unwrap();
    content
}

#[test]
fn two_real_scp_processes_move_a_tree_both_ways() {
    for upload in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let content = tree(dir.path());
        let (from, to) = (dir.path().join("from").display().to_string(), dir.path().join("to").display().to_string());
        let (source, sink) = (["-r", "-p", "-f", &from], ["-r", "-p", "-t", &to]);
        let (events, good) = if upload { scp(&source, &sink, &["upload"]) } else { scp(&sink, &source, &["download"]) };
        assert!(good);
        assert!(fs::read(dir.path().join("to/from/big")).unwrap() == content);
        assert!(dir.path().join("to/from/sub/empty").exists());
        let sha: [u8; 32] = Sha256::digest(&content).into();
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|e| matches!(e, Event::Moved { outcome: Outcome::Complete, .. })));
        assert!(events.iter().any(|e| matches!(e, Event::Moved { sha256: Some(s), bytes: 400_000, .. } if *s == sha)));
    }
}

#[test]
fn a_real_scp_shows_a_refusal_as_a_failure() {
    for upload in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        tree(dir.path());
        let (from, to) = (dir.path().join("from/big").display().to_string(), dir.path().join("to/big").display().to_string());
        let (source, sink) = (["-f", &from], ["-t", &to]);
        let (events, good) =
            if upload { scp(&source, &sink, &["upload:**;max=100"]) } else { scp(&sink, &source, &["download:**;max=100"]) };
        assert!(!good && !dir.path().join("to/big").exists());
        assert!(matches!(&events[..], [Event::Moved { outcome: Outcome::Refused, .. }, Event::Refused { .. }]), "{events:?}");
    }
}

#[test]
fn links_lead_a_real_scp_out_of_no_path_rule() {
    let dir = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(dir.path()).unwrap();
    let at = |name: &str| root.join(name).display().to_string();
    let content = tree(&root);
    fs::create_dir_all(at("outside")).unwrap();
    fs::write(at("outside/secret"), b"secret").unwrap();
    symlink(at("outside/secret"), at("from/link")).unwrap();
    symlink(at("outside"), at("from/door")).unwrap();
    symlink(at("from/big"), at("from/alias")).unwrap();
    let rules = [format!("download:{}/from/**", root.display()), format!("upload:{}/to/**", root.display())];
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let fetched = |name: &str| fs::read(root.join("got").join(name)).ok();
    fs::create_dir(at("got")).unwrap();

    // Fetched: all of the tree but what its links lead out to.
    let (_, good) = scp(&["-r", "-t", &at("got")], &["-r", "-f", &at("from")], &rules);
    assert!(!good, "what was refused counts as an error");
    assert!(fetched("from/big").unwrap() == content && fetched("from/alias").unwrap() == content && fetched("from/sub/empty").is_some());
    assert!(fetched("from/link").is_none() && fetched("from/door/secret").is_none());
    for name in ["from/link", "from/door/secret", "from/door"] {
        let (events, good) = scp(&["-r", "-t", &at("got")], &["-r", "-f", &at(name)], &rules);
        assert!(!good && events.is_empty() && fetched("link").is_none() && fetched("secret").is_none(), "{name}: {events:?}");
    }

    // Sent: beside and through links that lead out, into a directory and to a name.
    symlink(at("outside/secret"), at("to/link")).unwrap();
    symlink(at("outside"), at("to/from")).unwrap();
    symlink(at("outside/made"), at("to/dangling")).unwrap();
    let (events, good) = scp(&["-r", "-f", &at("from")], &["-r", "-t", &at("to")], &rules);
    assert!(!good && events.iter().all(|e| matches!(e, Event::Refused { .. })), "{events:?}");
    for name in ["to/link", "to/dangling", "to/from/new", "to/from"] {
        assert!(!scp(&["-f", &at("from/big")], &["-t", &at(name)], &rules).1, "{name}");
    }
    let outside: Vec<_> = fs::read_dir(at("outside")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!((outside, fs::read(at("outside/secret")).unwrap()), (vec!["secret".into()], b"secret".to_vec()));
    let (events, good) = scp(&["-f", &at("from/big")], &["-t", &at("to/new")], &rules);
    assert!(good && fs::read(at("to/new")).unwrap() == content, "{events:?}");
    let (_, good) = scp(&["-f", &at("from/big")], &["-t", &at("to")], &rules);
    assert!(good && fs::read(at("to/big")).unwrap() == content);
}
