//! The connection itself: many channels, sharing, new keys, quiet times.
use crate::{
    attempt::{Attempt, LIMIT, noise},
    clients::Client::{Asyncssh, Dbclient, OpenSsh, Paramiko, Plink},
    outcome::Outcome,
    table::Scenario,
};
use anteroom_tests::harness::wait_for;
use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{fmt::Write as _, path::PathBuf};

const CHANNELS: usize = 40;
const QUIET: &str = "echo a; sleep 3.5; echo b; exit 2";
const SLOW: &str = "for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.4; done; exit 2";

pub(crate) fn all() -> Vec<Scenario> {
    let one = "it has one channel a connection";
    vec![
        Scenario::new("40 channels of one connection", &["exit 0"], "39: exit 39")
            .by(&[OpenSsh], many)
            .not(&[Plink, Dbclient], one)
            .driver(json!({ "do": "many", "channels": CHANNELS })),
        Scenario::new("sharing: a master, its users, its end", &["exit 0"], "exit 3")
            .by(&[OpenSsh], shared)
            .by(&[Plink], plink_shared)
            .not(&[Dbclient, Paramiko, Asyncssh], "it has no such sharing"),
        Scenario::new("one channel too many for the target", &["exit 0"], "")
            .not(&[OpenSsh, Plink, Dbclient], "the answer is shown by the others")
            .driver(json!({ "do": "too_many" })),
        Scenario::new("new keys by volume, asked by the client", &["exit 0"], "yes")
            .by(&[OpenSsh], |a| rekeyed(a, "target", &["-oRekeyLimit=1M"], "cat", noise(8 << 20)))
            .by(&[Plink], |a| Ok(a.finish(a.command("target-rekey", &[], Some("cat")), &noise(8 << 20))?.fact("new keys", "yes")))
            .not(&[Dbclient], "its limit is fixed at a gigabyte")
            .driver(json!({ "do": "rekey", "bytes": 8 << 20 })),
        Scenario::new("new keys by time, asked by the client", &["exit 2"], "yes")
            .by(&[OpenSsh], |a| rekeyed(a, "target", &["-oRekeyLimit=default 1"], SLOW, vec![]))
            .not(&[Plink, Dbclient], "its shortest time is a minute")
            .not(&[Paramiko], "it counts bytes and packets only")
            .driven(Asyncssh, json!({ "do": "rekey_by_time", "command": SLOW })),
        Scenario::exec_at_strict("new keys by volume, asked by the target"),
        Scenario::new("keepalives over a quiet time", &["exit 2"], "a\nb\n")
            .by(&[OpenSsh], |a| a.exec(&["-oServerAliveInterval=1", "-oServerAliveCountMax=2"], QUIET, b""))
            .by(&[Plink], |a| a.finish(a.command("target-alive", &[], Some(QUIET)), b""))
            .by(&[Dbclient], |a| a.exec(&["-K", "1"], QUIET, b""))
            .driver(json!({ "do": "keepalive", "command": QUIET })),
    ]
}

impl Scenario {
    fn exec_at_strict(name: &'static str) -> Self {
        let input = noise(3 << 20);
        let words = json!({ "do": "exec", "place": "strict", "command": STANDARD.encode("cat"), "input": STANDARD.encode(&input) });
        Self::new(name, &["exit 0"], "").by(super::PROGRAMS, move |a| a.finish(a.command("strict", &[], Some("cat")), &input)).driver(words)
    }
}

/// Whether keys were exchanged again is in ssh's own log.
fn rekeyed(a: &Attempt<'_>, place: &str, options: &[&str], command: &str, input: Vec<u8>) -> Result<Outcome> {
    let log = a.word("ssh.log");
    let options = [options, &["-oLogLevel=DEBUG1", "-E", &log]].concat();
    let done = a.finish(a.command(place, &options, Some(command)), &input)?;
    let exchanges = std::fs::read_to_string(log)?.matches("SSH2_MSG_NEWKEYS received").count();
    Ok(done.fact("new keys", if exchanges > 1 { "yes" } else { "no" }))
}

struct Master {
    socket: String,
    process: std::process::Child,
}

impl Master {
    fn start(a: &Attempt<'_>) -> Result<Self> {
        // A socket's path has at most 100 bytes or so.
        let short: PathBuf = tempfile::Builder::new().prefix("m").tempdir()?.keep();
        let socket = short.join("s").display().to_string();
        let mut c = a.command("target", &["-N", "-oControlMaster=yes", &format!("-oControlPath={socket}")], None::<&str>);
        let process = c.stdin(std::process::Stdio::null()).spawn().context("cannot start ssh")?;
        let master = Self { socket, process };
        wait_for("the shared connection", LIMIT, || Ok(std::path::Path::new(&master.socket).exists().then_some(())))?;
        Ok(master)
    }

    /// Never opens a connection of its own.
    fn options(&self) -> [String; 3] {
        ["-oControlMaster=no".into(), "-oProxyCommand=false".into(), format!("-oControlPath={}", self.socket)]
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(dir) = std::path::Path::new(&self.socket).parent() {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

fn many(a: &Attempt<'_>) -> Result<Outcome> {
    let master = Master::start(a)?;
    let options = master.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut said = String::new();
    std::thread::scope(|s| -> Result<()> {
        let running: Vec<_> = (0..CHANNELS)
            .map(|n| {
                let options = &options;
                s.spawn(move || a.exec(options, format!("read x; echo \"$x {n}\"; echo e{n} >&2; sleep 0.3; exit {n}"), b"mine\n"))
            })
            .collect();
        for (n, r) in running.into_iter().enumerate() {
            let o = r.join().map_err(|_| anyhow::anyhow!("a thread died"))??;
            let _ = writeln!(said, "{n}: {} {:?} {:?}", o.end, String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr));
        }
        Ok(())
    })?;
    Ok(Outcome { end: "exit 0".into(), ..Default::default() }.fact("channels", said))
}

fn shared(a: &Attempt<'_>) -> Result<Outcome> {
    let mut master = Master::start(a)?;
    let options = master.options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut said = String::new();
    for command in ["echo one; exit 3", "cat; exit 4", "kill -TERM $$"] {
        let o = a.exec(&options, command, b"typed")?;
        let _ = writeln!(said, "{} {:?} {:?}", o.end, String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr));
    }
    let [_, _, path] = master.options();
    let end = a.finish(a.command("target", &[&path, "-O", "exit"], None::<&str>), b"")?.end;
    let last = wait_for("the master to end", LIMIT, || Ok(master.process.try_wait()?))?;
    Ok(Outcome { end, ..Default::default() }.fact("users", said).fact("the master", last))
}

/// PuTTY's own kind: the first connection serves the others.
fn plink_shared(a: &Attempt<'_>) -> Result<Outcome> {
    let mut first = a.command("target", &["-share"], Some("echo ready; cat"));
    first.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut first = first.spawn()?;
    let mut ready = [0; 6];
    std::io::Read::read_exact(first.stdout.as_mut().context("stdout")?, &mut ready)?;
    let mut said = String::new();
    for command in ["echo one; exit 3", "cat; exit 4"] {
        let o = a.exec(&["-share"], command, b"typed")?;
        let _ = writeln!(said, "{} {:?} {:?}", o.end, String::from_utf8_lossy(&o.stdout), String::from_utf8_lossy(&o.stderr));
    }
    drop(first.stdin.take());
    let end = crate::outcome::end_of(first.wait()?);
    Ok(Outcome { end, ..Default::default() }.fact("users", said))
}
