//! One command: bytes, streams, ends, environment.
use super::PROGRAMS;
use crate::{
    attempt::{Attempt, noise},
    clients::Client::{Asyncssh, Dbclient, OpenSsh, Paramiko, Plink},
    outcome::Outcome,
    table::Scenario,
};
use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};

const BIG: usize = 8 << 20;
/// Stops by itself all the same.
const MUCH: &str = "head -c 50000000 /dev/zero";
/// What a killed command comes to: OpenSSH says 255, PuTTY 128, paramiko -1, dbclient nothing at all.
const KILLED: &[&str] = &["exit 255", "exit 128", "exit 0", "exit -1", "signal TERM", "signal KILL"];
const ENVIRONMENT: &str = "env | grep -E '^(LANG|LC_|FOO|LD_|BASH_ENV)' | sort";

pub(crate) fn all() -> Vec<Scenario> {
    let every_byte: Vec<u8> = (0..=255).cycle().take(2048).collect();
    vec![
        Scenario::exec("exec: output and exit status", &["exit 7"], "out\n", "echo out; echo err >&2; exit 7", vec![]),
        Scenario::exec("exec: exit status 255", &["exit 255"], "", "exit 255", vec![]),
        Scenario::exec("exec: no output at all", &["exit 0"], "", "true", vec![]),
        Scenario::exec("exec: ended by SIGTERM", KILLED, "before", "echo before; kill -TERM $$; sleep 9", vec![]),
        Scenario::exec("exec: ended by SIGKILL", KILLED, "", "kill -KILL $$; sleep 9", vec![]),
        Scenario::exec(
            "exec: ended by a signal without a name",
            &["exit 255", "exit 128", "exit 0", "exit -1", "signal SIG@openssh.com"],
            "",
            "kill -34 $$; sleep 9",
            vec![],
        ),
        Scenario::exec(
            "exec: stderr and stdout apart",
            &["exit 0"],
            "o1999\n",
            "for i in $(seq 2000); do echo o$i; echo e$i >&2; done",
            vec![],
        ),
        Scenario::exec("exec: every byte value, zero too", &["exit 0"], "\0\x01\x02", "cat", every_byte),
        Scenario::exec("exec: 8 MiB there and back", &["exit 0"], "", "cat", noise(BIG)),
        Scenario::exec("exec: 3 MB on stderr", &["exit 9"], "", "head -c 3000000 /dev/zero >&2; exit 9", vec![])
            .not(&[Dbclient], "with so much on stderr it stands still now and then, directly too"),
        Scenario::exec(
            "half close: output after the end of input",
            &["exit 3"],
            "after\nlater\n",
            "cat >/dev/null; echo after; sleep 0.4; echo later; exit 3",
            b"x".to_vec(),
        ),
        Scenario::exec(
            "the target closes its output before it exits",
            &["exit 4"],
            "",
            "echo first; exec >&- 2>&-; sleep 0.5; exit 4",
            vec![],
        ),
        Scenario::exec("the target exits while input still comes", &["exit 5"], "", "head -c 1 >/dev/null; exit 5", noise(1 << 20)),
        Scenario::exec("a child outlives the command", &["exit 6"], "left\n", "(sleep 0.6; echo late) & echo left; exit 6", vec![]),
        Scenario::exec("an unknown command", &["exit 127"], "not found", "no-such-command-here", vec![]),
        Scenario::exec(
            "a command of 60 kB",
            &["exit 0"],
            "61000\n",
            Box::leak(format!("x={}; echo ${{#x}}", "a".repeat(61_000)).into_boxed_str()),
            vec![],
        )
        .not(&[Dbclient], "its packets are shorter"),
        strange_bytes(),
        forced(),
        environment(),
        strange_environment("environment: a value that is not UTF-8, of a name nobody takes", "FOO"),
        strange_environment("environment: a value that is not UTF-8", "LC_NAME"),
        Scenario::new("requests: unknown ones, with and without an answer wanted", &["exit 0"], "")
            .not(PROGRAMS, "it sends only requests it knows")
            .driver(json!({ "do": "requests" })),
        // As in `ssh host make-much | head`: eow@openssh.com (PROTOCOL, section 2.1) ends what would go on for ever.
        Scenario::new("requests: the client wants no more output", &["signal PIPE", "exit -1", "exit 255"], "")
            .by(&[OpenSsh], |a| {
                let mut c = a.program("bash", &["-c", "ssh -F \"$0\" target \"$1\" | head -c 100 | wc -c; exit ${PIPESTATUS[0]}"]);
                c.arg(a.way.ssh_config()).arg(MUCH);
                a.finish(c, b"")
            })
            .not(&[Plink, Dbclient], "it has no such message")
            .driver(json!({ "do": "no_more_output", "command": MUCH })),
        Scenario::new("requests: global ones nobody knows", &["exit 0"], "")
            .not(PROGRAMS, "it sends only requests it knows")
            .driver(json!({ "do": "global_requests" })),
        Scenario::new("requests: a second command on one channel", &["exit 0"], "")
            .not(PROGRAMS, "it sends one")
            .driver(json!({ "do": "second_command" })),
        Scenario::new("order: output, end of output, exit status, close", &["exit 2"], "")
            .not(PROGRAMS, "it does not show the order")
            .not(&[Paramiko], "it does not show the order")
            .driven(Asyncssh, json!({ "do": "order" })),
    ]
}

fn strange_bytes() -> Scenario {
    const COMMAND: &[u8] = b"printf '%s' '\xff\xfe \xc3\xa4 \x01' | od -An -tx1";
    Scenario::new("exec: a command that is not UTF-8", &["exit 0"], "ff fe")
        .by(&[OpenSsh, Dbclient], |a| a.exec(&[], OsStr::from_bytes(COMMAND), b""))
        .not(&[Plink], "it recodes the words of its command line")
        .driven(Paramiko, json!({ "do": "exec", "command": STANDARD.encode(COMMAND), "input": "" }))
        .not(&[Asyncssh], "it encodes every command as UTF-8")
}

fn forced() -> Scenario {
    let at_strict = |a: &Attempt<'_>| a.finish(a.command("strict", &[], Some("rm -rf everything")), b"");
    Scenario::new("exec: the target forces another command", &["exit 9"], "not here: rm -rf everything")
        .by(PROGRAMS, at_strict)
        .driver(json!({ "do": "exec", "place": "strict", "command": STANDARD.encode("rm -rf everything"), "input": "" }))
}

fn environment() -> Scenario {
    let pairs = [["LANG", "C.UTF-8"], ["LC_ALL", "POSIX"], ["FOO", "bar"], ["LD_PRELOAD", "/nowhere"], ["BASH_ENV", "/nowhere"]];
    let openssh = move |a: &Attempt<'_>| {
        let words: Vec<_> = pairs.iter().map(|[n, v]| format!("{n}={v}")).collect();
        let option = format!("-oSetEnv={}", words.join(" "));
        a.exec(&[&option], ENVIRONMENT, b"")
    };
    let plink = |a: &Attempt<'_>| a.finish(a.command("target-env", &[], Some(ENVIRONMENT)), b"");
    Scenario::new("environment: language passes, the rest does not", &["exit 0"], "LANG=C.UTF-8\nLC_ALL=POSIX\n")
        .by(&[OpenSsh], openssh)
        .by(&[Plink], plink)
        .not(&[Dbclient], "it sends no environment")
        .driver(json!({ "do": "exec", "command": STANDARD.encode(ENVIRONMENT), "input": "", "env": pairs }))
}

fn strange_environment(scenario: &'static str, name: &'static str) -> Scenario {
    const SHOW: &str = "printf '%s' \"$LC_NAME$FOO\" | od -An -tx1; echo still here";
    let openssh = move |a: &Attempt<'_>| -> Result<Outcome> {
        let mut c = a.command("target", &[&format!("-oSendEnv={name}")], Some(SHOW));
        c.env(name, OsStr::from_bytes(b"\xff\xfe."));
        a.finish(c, b"")
    };
    Scenario::new(scenario, &["exit 0"], "still here")
        .by(&[OpenSsh], openssh)
        .not(&[Plink, Dbclient], "it cannot send one")
        .driver(json!({ "do": "exec", "command": STANDARD.encode(SHOW), "input": "", "raw_env": [[name, STANDARD.encode(b"\xff\xfe.")]] }))
}
