//! Terminals: size, modes, typing, resizing, signals, breaks.
use super::PROGRAMS;
use crate::{
    attempt::{Attempt, LIMIT},
    clients::Client::{Asyncssh, Dbclient, OpenSsh, Paramiko, Plink},
    outcome::Outcome,
    table::Scenario,
};
use anteroom_tests::harness::wait_for;
use anyhow::Result;
use serde_json::json;

const LOOK: &str = "stty size; stty -a; echo TERM=$TERM; test -t 0 -a -t 1 -a -t 2 && echo terminal; exit 12";
const WATCH_SIZE: &str = "trap 'stty size; exit 6' WINCH; echo ready; while :; do sleep 0.05; done";
const FORCE: &str = "-tt";

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        Scenario::new("terminal: size, modes and TERM", &["exit 12"], "37 101")
            .by(PROGRAMS, |a| {
                let s = a.in_terminal(&a.command("target", &[flag(a)], Some(LOOK)))?;
                a.ended(s)
            })
            .driver(json!({ "do": "terminal", "command": LOOK, "size": [101, 37], "modes": [] })),
        Scenario::new("terminal: modes the client chose", &["exit 12"], "intr = ^X")
            .by(PROGRAMS, |a| {
                let s = a.in_terminal(&a.command("target", &[flag(a)], Some(LOOK)))?;
                a.ended(s)
            })
            .not(&[Paramiko], "it sends no modes")
            // VINTR, VERASE, ECHO off, an opcode of no meaning, then IXON off: nothing may end the list early (RFC 4254 section 8).
            .driven(
                Asyncssh,
                json!({ "do": "terminal", "command": LOOK, "size": [101, 37], "modes": [[1, 24], [3, 8], [53, 0], [157, 7], [38, 0]] }),
            ),
        Scenario::new("terminal: no size, no modes, no TERM", &["exit 12"], "")
            .by(&[OpenSsh], |a| a.exec(&[FORCE], LOOK, b""))
            .not(&[Plink, Dbclient], "without a terminal of its own it asks for one like any other")
            .driver(json!({ "do": "terminal", "command": LOOK, "size": [0, 0], "modes": [] })),
        Scenario::new("terminal: a shell, typed at", &["exit 5"], "42").by(PROGRAMS, typed).driver(json!({ "do": "typed" })),
        Scenario::new("terminal: the window is dragged", &["exit 6"], " 90")
            .by(PROGRAMS, dragged)
            .driver(json!({ "do": "resize", "command": WATCH_SIZE, "to": [90, 20] })),
        Scenario::new("terminal: Ctrl-C ends what runs in it", &["exit 130"], "ready")
            .by(PROGRAMS, interrupted)
            .driver(json!({ "do": "interrupt" })),
        Scenario::new("terminal: refused by the target", &["exit 255", "exit 0", "exit 1", "exit 9"], "")
            .by(&[OpenSsh], |a| a.finish(a.command("strict", &[FORCE], Some("cat")), b"cat me\n"))
            .by(&[Plink], |a| a.finish(a.command("strict", &["-t"], Some("cat")), b"cat me\n"))
            .not(&[Dbclient], "it does not look at the answer")
            .driver(json!({ "do": "terminal", "place": "strict", "command": "cat", "size": [80, 24], "modes": [] })),
        Scenario::exec_shell("shell without a terminal", &["exit 3"], "hi\n", b"echo hi; echo err >&2; exit 3\n"),
        // OpenSSH's sshd passes signals on for accounts without privileges only; what it answers is compared all the same.
        Scenario::new("signal: SIGTERM from the client", &["exit 8", "exit 0"], "")
            .not(PROGRAMS, "it has no way to send one")
            .driver(json!({ "do": "signal", "signal": "TERM" })),
        Scenario::new("signal: one of no meaning", &["exit 0"], "")
            .not(PROGRAMS, "it has no way to send one")
            .driver(json!({ "do": "strange_signal" })),
        Scenario::new("break", &["exit 7"], "")
            .by(&[OpenSsh], broken)
            .not(&[Plink, Dbclient], "without a window it has no way to send one")
            .driver(json!({ "do": "break" })),
    ]
}

fn flag(a: &Attempt<'_>) -> &'static str {
    if a.client == OpenSsh { FORCE } else { "-t" }
}

fn typed(a: &Attempt<'_>) -> Result<Outcome> {
    let mut s = a.in_terminal(&a.command("target", &[flag(a)], None::<&str>))?;
    s.expect("target$ ")?;
    s.write("echo $((40+2)); cd /\n")?;
    s.expect("42\r\n")?;
    wait_for("the prompt again", LIMIT, || Ok((s.said().matches("target$ ").count() > 1).then_some(())))?;
    s.write("exit 5\n")?;
    a.ended(s)
}

fn dragged(a: &Attempt<'_>) -> Result<Outcome> {
    let s = a.in_terminal(&a.command("target", &[flag(a)], Some(WATCH_SIZE)))?;
    s.expect("ready")?;
    // Columns only: `stty` sets columns and rows one after the other, and not every client tells of both.
    std::fs::write(a.file("sizes"), "90 37\n")?;
    a.ended(s)
}

fn interrupted(a: &Attempt<'_>) -> Result<Outcome> {
    let mut s = a.in_terminal(&a.command("target", &[flag(a)], Some("stty intr '^X'; echo ready; exec sleep 50")))?;
    s.expect("ready")?;
    s.write("\x18")?;
    let ended = a.ended(s)?;
    // What the client itself makes of a signal over there is its own affair; that it ends is ours.
    let how = ended.end.clone();
    Ok(Outcome { end: "exit 130".into(), ..ended }.fact("the client says", how))
}

/// `~B`, then work goes on.
fn broken(a: &Attempt<'_>) -> Result<Outcome> {
    let mut s = a.in_terminal(&a.command("target", &[FORCE, "-oEscapeChar=~"], Some("echo ready; read x; read y; echo got $y; exit 7")))?;
    s.expect("ready")?;
    s.write("\r~B")?;
    std::thread::sleep(std::time::Duration::from_millis(300));
    s.write("more\r")?;
    a.ended(s)
}

impl Scenario {
    fn exec_shell(name: &'static str, ends: &'static [&'static str], shows: &'static str, input: &'static [u8]) -> Self {
        Self::new(name, ends, shows)
            .by(PROGRAMS, move |a| a.finish(a.command("target", &["-T"], None::<&str>), input))
            .driver(json!({ "do": "shell", "input": String::from_utf8_lossy(input) }))
    }
}
