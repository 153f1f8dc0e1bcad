//! Work through the gateway looks like work without it: bytes, streams, exit status, signals, many channels at once.
use anteroom_tests::harness::{Confirm, Person, SshSession, World, WorldOptions, wait_for};
use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

/// A file of noise that no compression makes smaller.
fn noise(w: &World, megabytes: u64) -> PathBuf {
    let path = w.dir.join(format!("noise-{megabytes}"));
    let mut random = std::fs::File::open("/dev/urandom").unwrap().take(megabytes << 20);
    std::io::copy(&mut random, &mut std::fs::File::create(&path).unwrap()).unwrap();
    path
}

/// A connection that others share, as `ControlMaster` makes it; confirmed once.
struct Master {
    _session: SshSession,
    socket: String,
}

impl Master {
    fn open(w: &World, ada: &Person) -> Self {
        let socket = w.dir.join("ssh/m.sock").display().to_string();
        let ssh = w.ssh(ada).unwrap().option("-N").option("-oControlMaster=yes").option(&format!("-oControlPath={socket}"));
        let session = ssh.spawn().unwrap();
        wait_for("the shared connection", Duration::from_secs(20), || Ok(Path::new(&socket).exists().then_some(()))).unwrap();
        Self { _session: session, socket }
    }
    /// Never opens a connection of its own.
    fn ssh(&self, w: &World, ada: &Person) -> anteroom_tests::harness::Ssh {
        w.ssh(ada)
            .unwrap()
            .confirm(Confirm::Later)
            .option("-oControlMaster=no")
            .option("-oProxyCommand=false")
            .option(&format!("-oControlPath={}", self.socket))
    }
}

#[test]
fn commands_end_as_they_do_without_the_gateway() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let through = Master::open(&w, &ada);
    for (command, input) in [
        ("echo out; echo err >&2; exit 7", &b""[..]),
        ("true", b""),
        ("false", b""),
        ("exit 255", b""),
        ("printf 'no newline'", b""),
        ("printf '\\000\\001\\377\\r\\n'", b""),
        ("cat", b"typed\n\x04\x00\xff end"),
        ("cat >/dev/null; echo after the end of input; exit 3", b"x"),
        ("head -c 1", b"more than is read"),
        ("exec >&-; echo only errors >&2; exit 4", b""),
        ("for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done", b""),
        ("kill -TERM $$; sleep 5", b""),
        ("kill -KILL $$; sleep 5", b""),
        ("no-such-command-here", b""),
        ("seq 1 100000", b""),
        ("head -c 3000000 /dev/zero >&2; exit 9", b""),
        ("tty; test -t 0; echo $?", b""),
        ("echo \"$LC_TEST $LD_PRELOAD\" '  two  spaces \" quotes $HOME'", b""),
    ] {
        let direct = w.direct().unwrap().command(command).run_with(input).unwrap();
        let gateway = through.ssh(&w, &ada).command(command).run_with(input).unwrap();
        assert_eq!(gateway.status, direct.status, "{command}: {}", gateway.stderr);
        assert!(gateway.stdout == direct.stdout, "{command}: {} and {} bytes", gateway.stdout.len(), direct.stdout.len());
        assert_eq!(gateway.stderr, direct.stderr, "{command}");
    }
}

#[test]
fn large_binary_data_passes_unchanged_both_ways() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let through = Master::open(&w, &ada);
    let file = noise(&w, 24);
    let bytes = std::fs::read(&file).unwrap();
    let down = through.ssh(&w, &ada).command(&format!("cat {}", file.display())).run().unwrap();
    assert!(down.stdout == bytes && down.status == Some(0), "{} of {} bytes came down", down.stdout.len(), bytes.len());
    let there = w.dir.join("arrived");
    let up = through.ssh(&w, &ada).command(&format!("cat > {}", there.display())).run_with(&bytes).unwrap();
    assert_eq!(up.status, Some(0), "{}", up.stderr);
    assert!(std::fs::read(&there).unwrap() == bytes, "what arrived is not what was sent");
    // Both ways at once: a relay that answers for its windows too early stands still here.
    let both = through.ssh(&w, &ada).command("cat").run_with(&bytes).unwrap();
    assert!(both.stdout == bytes, "{} of {} bytes came back", both.stdout.len(), bytes.len());
}

#[test]
fn one_channel_that_nobody_reads_holds_up_no_other() {
    const SIZE: u64 = 300_000_000;
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let through = Master::open(&w, &ada);
    // Its own ssh writes into a pipe that nobody empties.
    let writer = w.dir.join("writer");
    let command = format!("echo $$ > {}; exec head -c {SIZE} /dev/zero", writer.display());
    let mut stalled = through.ssh(&w, &ada).command(&command).build();
    let mut stalled = Stalled(stalled.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    // Until every window on the way is full: nothing more of it is taken from the target.
    let mut last = 0;
    wait_for("the stalled channel to fill up", Duration::from_secs(30), || {
        std::thread::sleep(Duration::from_millis(400));
        let now = std::fs::read_to_string(&writer).ok().and_then(|pid| written_by(pid.trim())).unwrap_or(0);
        let still = now > 0 && now == last;
        last = now;
        Ok(still.then_some(()))
    })
    .unwrap();
    // The windows are the bound, not the gateway's memory.
    assert!(last < 64 << 20, "{last} bytes were taken that nobody wants");
    for n in 0..5 {
        let began = Instant::now();
        let out = through.ssh(&w, &ada).command(&format!("head -c 2000000 /dev/zero | wc -c; echo {n}")).run().unwrap();
        assert_eq!(out.good().unwrap(), format!("2000000\n{n}\n"));
        assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    }
    // And it is only held, not lost.
    let mut rest = stalled.0.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    while let Ok(n) = rest.read(&mut buffer)
        && n > 0
    {
        total += n as u64;
    }
    assert_eq!(total, SIZE);
}

/// A writer that waits for window has to hear that its connection is gone (russh alone does not tell it).
#[test]
fn a_client_that_is_gone_while_nothing_moves_leaves_nothing_running() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let through = Master::open(&w, &ada);
    let writer = w.dir.join("writer");
    let mut stalled = through.ssh(&w, &ada).command(&format!("echo $$ > {}; exec cat /dev/zero", writer.display())).build();
    let _stalled = Stalled(stalled.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let pid = || std::fs::read_to_string(&writer).ok().and_then(|pid| pid.trim().parse::<u32>().ok());
    let mut last = 0;
    wait_for("the stalled channel to fill up", Duration::from_secs(30), || {
        std::thread::sleep(Duration::from_millis(400));
        let now = pid().and_then(|pid| written_by(&pid.to_string())).unwrap_or(0);
        let still = now > 0 && now == last;
        last = now;
        Ok(still.then_some(()))
    })
    .unwrap();
    let pid = pid().unwrap();
    assert!(alive(pid));
    drop(through);
    wait_for("what ran over there to end", Duration::from_secs(20), || Ok((!alive(pid)).then_some(()))).unwrap();
    assert_eq!(w.sealed_session().unwrap()["recording"], "complete");
}

#[test]
fn forty_channels_of_one_connection_keep_their_answers_apart() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let through = Master::open(&w, &ada);
    let running: Vec<_> = (0..40)
        .map(|n| {
            let ssh = through.ssh(&w, &ada).command(&format!("read x; echo \"$x is {n}\"; echo err{n} >&2; exit {n}"));
            (n, ssh.spawn().unwrap())
        })
        .collect();
    for (n, mut s) in running {
        s.write("mine\n").unwrap();
        let out = s.finish(Duration::from_secs(60)).unwrap();
        assert_eq!((out.status, out.text(), out.stderr.trim()), (Some(n), format!("mine is {n}\n"), &*format!("err{n}")));
    }
    drop(through);
    let sealed = w.sealed_session().unwrap();
    assert_eq!((sealed["recording"].as_str(), w.sessions().unwrap().len()), (Some("complete"), 1));
}

#[test]
fn more_channels_than_allowed_are_refused_in_words() {
    let w = World::with(WorldOptions { max_channels: 2, ..Default::default() }).unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let through = Master::open(&w, &ada);
    let held: Vec<_> = (0..2).map(|_| through.ssh(&w, &ada).command("echo ready; cat").spawn().unwrap()).collect();
    held.iter().for_each(|s| s.expect("ready").unwrap());
    let third = through.ssh(&w, &ada).command("echo in").run().unwrap();
    assert!(third.status == Some(255) && !third.text().contains("in"), "{}", third.said());
    drop(held);
    wait_for("room for another channel", Duration::from_secs(20), || {
        Ok((through.ssh(&w, &ada).command("echo in").run()?.stdout == b"in\n").then_some(()))
    })
    .unwrap();
}

#[test]
fn a_terminal_has_its_size_and_a_closed_one_ends_what_runs_in_it() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let sizes = w.dir.join("ssh/sizes");
    assert!(std::process::Command::new("mkfifo").arg(&sizes).status().unwrap().success());
    let mut s = w.ssh(&ada).unwrap().terminal(101, 37).spawn().unwrap();
    s.expect("target$ ").unwrap();
    s.write("stty size; tty; echo pid=$$.\n").unwrap();
    s.expect("37 101").unwrap();
    s.expect("/dev/pts/").unwrap();
    let said = s.said();
    let pid = said.rsplit("pid=").find_map(|t| t.split('.').next()?.parse::<u32>().ok()).expect("the shell's pid");
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    // The window is dragged smaller, and the far end knows.
    std::fs::write(&sizes, "90 20\n").unwrap();
    wait_for("the new size", Duration::from_secs(20), || {
        s.write("stty size\n")?;
        std::thread::sleep(Duration::from_millis(200));
        Ok(s.said().contains("20 90").then_some(()))
    })
    .unwrap();
    // The window is closed: the client is gone without a word.
    drop(s);
    wait_for("the shell over there to end", Duration::from_secs(10), || Ok((!alive(pid)).then_some(()))).unwrap();
}

#[test]
fn a_terminal_says_what_is_recorded_and_programs_are_told_nothing() {
    const LINE: &str = "anteroom: what you see and type is recorded, sealed. Your grant ends ";
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let plain = w.ssh(&ada).unwrap().command("echo out; echo err >&2").run().unwrap();
    assert!((plain.text().as_str(), plain.stderr.ends_with("err\n")) == ("out\n", true), "{}", plain.said());
    assert!(!plain.said().contains("recorded, sealed"), "{}", plain.said());
    // In a terminal, beside its bytes and not among them, and before everything else.
    let screen = w.ssh(&ada).unwrap().option("-tt").command("echo out").run().unwrap();
    assert_eq!(screen.text(), "out\r\n");
    assert_eq!(screen.stderr.matches(LINE).count(), 1, "{}", screen.said());
    let mut shell = w.ssh(&ada).unwrap().terminal(80, 24).spawn().unwrap();
    shell.expect("target$ ").unwrap();
    // Sent before the target's first byte; but a client that reads both at once writes its stdout first.
    shell.expect(LINE).unwrap();
    assert_eq!(shell.said().matches(LINE).count(), 1, "{}", shell.said());
    shell.write("exit\n").unwrap();
    shell.ended(Duration::from_secs(10)).unwrap();
    // It is in the recording too.
    let session = w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    let _cleo = w.person("cleo", &["auditor"]).unwrap();
    let played = w.cli.good(&["recording", "play", &session, "--as", "cleo"]).unwrap();
    // And there it stands before anything the target said.
    let said = played.find("target$ ").or_else(|| played.find("out\r")).or_else(|| played.find("out\n"));
    let told = played.find("what you see and type is recorded");
    assert!(told.is_some() && said.is_none_or(|said| told < Some(said)), "{played}");
}

#[test]
fn a_target_that_gives_no_terminal_gets_no_line_either() {
    let w = World::with(WorldOptions { sshd: "PermitTTY no".into(), ..Default::default() }).unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let out = w.ssh(&ada).unwrap().option("-tt").command("echo out").run().unwrap();
    assert!(!out.said().contains("recorded, sealed"), "{}", out.said());
}

/// Bytes that a process has written anywhere; none if it is gone.
fn written_by(pid: &str) -> Option<u64> {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    io.lines().find_map(|l| l.strip_prefix("wchar: "))?.parse().ok()
}

fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

struct Stalled(std::process::Child);
impl Drop for Stalled {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
