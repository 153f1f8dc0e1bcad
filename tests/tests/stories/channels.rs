//! What a grant does not hold is refused with a reason and written down, whatever door it comes by (THREATS 3, 5).
use anteroom_tests::harness::{Daemon, World, ports, soon};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

#[test]
fn every_side_door_is_closed_and_says_so() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let ssh = || w.ssh(&ada).unwrap();
    let target_port = w.target.port;

    let sftp = ssh().option("-s").command("sftp").run().unwrap();
    assert!(sftp.stderr.contains("sftp is not allowed by your grant"), "sftp: {}", sftp.said());
    assert_ne!(sftp.status, Some(0));

    let direct = ssh().option("-W").option(&format!("127.0.0.1:{target_port}")).run().unwrap();
    assert!(direct.stderr.contains("is not allowed by your grant"), "-W: {}", direct.said());
    assert!(!direct.text().contains("SSH-2.0-OpenSSH"), "the target answered: {}", direct.text());

    let socket = w.dir.join("local.sock");
    for (option, hello) in [("-L", &b""[..]), ("-D", &[4, 1, (target_port >> 8) as u8, target_port as u8, 127, 0, 0, 1, 0][..])] {
        let local = ports::candidate();
        let spec = if option == "-L" { format!("127.0.0.1:{local}:127.0.0.1:{target_port}") } else { format!("127.0.0.1:{local}") };
        let s = ssh().option("-oExitOnForwardFailure=yes").option(option).option(&spec).command("echo ready; cat").spawn().unwrap();
        s.expect("ready").unwrap();
        let mut through = TcpStream::connect(("127.0.0.1", local)).unwrap();
        through.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        through.write_all(hello).unwrap();
        let mut got = Vec::new();
        let _ = through.read_to_end(&mut got);
        assert!(!String::from_utf8_lossy(&got).contains("SSH-"), "{option}: the target answered");
        s.expect("is not allowed by your grant").unwrap();
    }

    for spec in [format!("0:127.0.0.1:{target_port}"), socket.display().to_string() + ":127.0.0.1:1"] {
        let out = ssh().option("-oExitOnForwardFailure=yes").option("-R").option(&spec).command("echo in").run().unwrap();
        assert!(out.stderr.contains("remote port forwarding failed") && out.status != Some(0), "-R {spec}: {}", out.said());
    }

    // An agent and a display that could be forwarded; the target must see neither.
    let agent = w.dir.join("agent.sock");
    let mut command = Daemon::command("ssh-agent", "TERM");
    command.arg("-D").arg("-a").arg(&agent);
    let _agent = Daemon::start(command, &w.dir.join("agent.log")).unwrap();
    soon("the agent", || Ok(agent.exists())).unwrap();
    let out = ssh().option("-A").option("-oIdentityAgent=SSH_AUTH_SOCK").env("SSH_AUTH_SOCK", agent.to_str().unwrap());
    let out = out.command("echo agent=${SSH_AUTH_SOCK:-none}").run().unwrap();
    assert_eq!(out.good().unwrap(), "agent=none\n");
    let out = ssh().option("-Y").env("DISPLAY", "127.0.0.1:77").command("echo display=${DISPLAY:-none}").run().unwrap();
    assert!(out.text().contains("display=none"), "{}", out.said());

    let refused = w.audited("channel_refused").unwrap();
    let kinds: std::collections::BTreeSet<_> = refused.iter().map(|r| r["channel"].as_str().unwrap().to_owned()).collect();
    for kind in ["files", "local-forward", "remote-forward", "remote-socket", "agent", "x11"] {
        assert!(kinds.contains(kind), "{kind} is not in the log; there are {kinds:?}");
    }
}

#[test]
fn an_unknown_target_is_answered_like_a_forbidden_one() {
    let w = World::start().unwrap();
    let eve = w.admin("eve").unwrap();
    let answer = |login: &str| {
        let out = w.ssh(&eve).unwrap().login(login).command("echo in").run().unwrap();
        assert_ne!(out.status, Some(0));
        let (account, target) = login.rsplit_once('@').unwrap();
        (out.status, out.text(), out.stderr.replace(target, "TARGET").replace(account, "ACCOUNT"))
    };
    let forbidden = answer(&w.login());
    assert!(forbidden.2.contains("Ask for access"), "{forbidden:?}");
    for unknown in [format!("{}@no-such-target", w.target.account), "nobody@ehr-db-1".into(), "x@..".into(), "a b@ehr-db-1".into()] {
        let got = answer(&unknown);
        // The hint's link encodes what was typed; the words around it are the same.
        let words = |s: &str| s.lines().map(|l| l.split("http").next().unwrap_or_default().to_owned()).collect::<Vec<_>>();
        assert_eq!((got.0, &got.1, words(&got.2)), (forbidden.0, &forbidden.1, words(&forbidden.2)), "{unknown}");
    }
}
