//! Forwards: to a web server near the target, back from the target, dynamic ones, an agent.
use crate::{
    attempt::{Attempt, LIMIT},
    clients::Client::{Asyncssh, Dbclient, OpenSsh, Paramiko, Plink},
    outcome::Outcome,
    table::Scenario,
};
use anteroom_tests::harness::{Daemon, SshSession, wait_for};
use anyhow::{Context, Result};
use serde_json::json;
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        Scenario::new("forward: standard input and output to a web server", &["exit 0"], "near the target: /pipe")
            .by(&[OpenSsh], |a| piped(a, "-W"))
            .by(&[Plink], |a| piped(a, "-nc"))
            .by(&[Dbclient], |a| piped(a, "-B"))
            .driver(json!({ "do": "direct_tcpip" })),
        Scenario::new("forward: to a port where nobody listens", &["exit 0", "exit 255", "exit 1"], "")
            .by(&[OpenSsh], |a| nobody(a, "-W"))
            .by(&[Plink], |a| nobody(a, "-nc"))
            .by(&[Dbclient], |a| nobody(a, "-B"))
            .driver(json!({ "do": "direct_tcpip_closed" })),
        Scenario::new("forward: a local port (-L)", &["exit 0"], "near the target: /local")
            .by(&[OpenSsh, Plink, Dbclient], local)
            .not(&[Paramiko], "it has the channel only, as above")
            .driven(Asyncssh, json!({ "do": "local_forward" })),
        Scenario::new("forward: back from the target (-R)", &["exit 0"], "near the target: /remote")
            .by(&[OpenSsh, Plink, Dbclient], remote)
            .driver(json!({ "do": "remote_forward" })),
        Scenario::new("VS Code: a command and a dynamic forward (-D)", &["exit 0"], "near the target: /dynamic")
            .by(&[OpenSsh, Plink], dynamic)
            .not(&[Dbclient], "it has no dynamic forwards")
            .not(&[Paramiko], "it has no dynamic forwards")
            .driven(Asyncssh, json!({ "do": "socks" })),
        Scenario::new("agent forwarding", &["exit 0"], "ssh-ed25519")
            .by(&[OpenSsh, Plink, Dbclient], agent)
            .not(&[Paramiko, Asyncssh], "the agent is the same one; three clients show it"),
    ]
}

fn piped(a: &Attempt<'_>, option: &str) -> Result<Outcome> {
    let to = format!("127.0.0.1:{}", a.stage.web_port);
    a.finish(a.command("target", &[option, &to], None::<&str>), b"GET /pipe HTTP/1.0\r\n\r\n")
}

/// A port that was free a moment ago.
fn closed_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn nobody(a: &Attempt<'_>, option: &str) -> Result<Outcome> {
    // Port 1 is nobody's on these machines, and the same in both messages.
    a.finish(a.command("target", &[option, "127.0.0.1:1"], None::<&str>), b"hello\n")
}

/// Holds a connection with these options until the work is done; its command says when it is up.
fn held(a: &Attempt<'_>, options: &[&str]) -> Result<SshSession> {
    let s = SshSession::start(a.command("target", options, Some("echo up; cat")), None)?;
    s.expect("up")?;
    Ok(s)
}

fn local(a: &Attempt<'_>) -> Result<Outcome> {
    let port = closed_port()?;
    let s = held(a, &["-L", &format!("{port}:127.0.0.1:{}", a.stage.web_port)])?;
    let said = (0..3).map(|n| asked(port, &[], &format!("/local{n}"))).collect::<Result<Vec<_>>>()?.concat();
    after(a, s, said)
}

fn dynamic(a: &Attempt<'_>) -> Result<Outcome> {
    let port = closed_port()?;
    let s = held(a, &["-D", &port.to_string()])?;
    // SOCKS 4 and 5 (RFC 1928) to the same place.
    let [high, low] = a.stage.web_port.to_be_bytes();
    let four = asked(port, &[&[4, 1, high, low, 127, 0, 0, 1, 0]], "/dynamic4")?;
    let five = asked(port, &[&[5, 1, 0], &[5, 1, 0, 1, 127, 0, 0, 1, high, low]], "/dynamic5")?;
    after(a, s, four + &five)
}

fn remote(a: &Attempt<'_>) -> Result<Outcome> {
    let port = closed_port()?;
    let s = held(a, &["-R", &format!("{port}:127.0.0.1:{}", a.stage.web_port)])?;
    let said = asked(port, &[], "/remote").unwrap_or_else(|e| format!("failed: {e:#}"));
    after(a, s, said)
}

fn after(a: &Attempt<'_>, mut s: SshSession, said: String) -> Result<Outcome> {
    s.close_stdin();
    Ok(a.ended(s)?.fact("answer", said))
}

/// What a page says, after some words to whoever stands between; the answers to those are read by their usual lengths.
fn asked(port: u16, words: &[&[u8]], path: &str) -> Result<String> {
    let connect = || Ok(TcpStream::connect(("127.0.0.1", port)).ok());
    let mut s = wait_for("the forwarded port", Duration::from_secs(5), connect)?;
    s.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut said = Vec::new();
    for word in words {
        s.write_all(word)?;
        let mut answer = vec![
            0;
            match word {
                [5, _, _] => 2,
                [5, ..] => 10,
                _ => 8,
            }
        ];
        s.read_exact(&mut answer).context("no answer of the proxy")?;
        said.extend_from_slice(format!("{answer:?} ").as_bytes());
    }
    s.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
    s.read_to_end(&mut said)?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn agent(a: &Attempt<'_>) -> Result<Outcome> {
    let short = tempfile::Builder::new().prefix("a").tempdir()?;
    let socket = short.path().join("agent");
    let mut c = Daemon::command("ssh-agent", "TERM");
    c.arg("-D").arg("-a").arg(&socket);
    let _agent = Daemon::start(c, &a.file("agent.log"))?;
    wait_for("the agent", LIMIT, || Ok(socket.exists().then_some(())))?;
    let mut add = a.program("ssh-add", &["-q", &a.stage.direct.file("key").display().to_string()]);
    add.env("SSH_AUTH_SOCK", &socket);
    a.finish(add, b"")?;
    let options: &[&str] = if a.client == OpenSsh { &["-A", "-oIdentityAgent=SSH_AUTH_SOCK"] } else { &["-A"] };
    let mut c = a.command("target", options, Some("ssh-add -L | cut -d' ' -f1"));
    c.env("SSH_AUTH_SOCK", &socket);
    let mut done = a.finish(c, b"")?;
    // dbclient says so if it happens to look at that moment.
    done.stderr = String::from_utf8_lossy(&done.stderr).replace("dbclient: Waiting for other channels to close...\n", "").into_bytes();
    Ok(done)
}
