//! One client on one way, doing one scenario.
use super::{
    clients::{Client, quoted},
    outcome::{Outcome, end_of},
    stage::{Stage, Way},
};
use anteroom_tests::harness::SshSession;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    ffi::OsStr,
    io::{Read, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

/// Longer than the slowest scenario on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) way: &'a Way,
    pub(crate) client: Client,
    /// Its own directory, empty; the target sees it under the same name.
    pub(crate) dir: PathBuf,
}

impl Attempt<'_> {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn word(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// The client's command line to a place.
    pub(crate) fn command(&self, place: &str, options: &[&str], command: Option<impl AsRef<OsStr>>) -> Command {
        self.client.command(self.way, place, options, command)
    }

    /// A program of the client's family with the surroundings of this way.
    pub(crate) fn program(&self, name: &str, args: &[&str]) -> Command {
        let mut c = Command::new(name);
        c.args(args).current_dir(&self.dir);
        self.way.surroundings(&mut c);
        c
    }

    /// Runs it to its end.
    pub(crate) fn finish(&self, command: Command, input: &[u8]) -> Result<Outcome> {
        self.finish_within(LIMIT, command, input)
    }

    pub(crate) fn finish_within(&self, limit: Duration, mut command: Command, input: &[u8]) -> Result<Outcome> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        let (mut stdin, input) = (child.stdin.take().context("stdin")?, input.to_vec());
        std::thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = collect(child.stdout.take().context("stdout")?);
        let stderr = collect(child.stderr.take().context("stderr")?);
        let began = Instant::now();
        let end = loop {
            if let Some(status) = child.try_wait()? {
                break end_of(status);
            }
            if began.elapsed() > limit {
                let _ = kill_process_group(group, Signal::KILL);
                child.wait()?;
                break format!("failed: no end within {limit:?}");
            }
            std::thread::sleep(Duration::from_millis(3));
        };
        // What it leaves in the background may hold a stream open.
        let rest = Duration::from_secs(5);
        let (stdout, stderr) = (stdout.recv_timeout(rest).unwrap_or_default(), stderr.recv_timeout(rest).unwrap_or_default());
        Ok(Outcome { end, stdout, stderr, ..Default::default() })
    }

    /// Runs a command at the target account.
    pub(crate) fn exec(&self, options: &[&str], command: impl AsRef<OsStr>, input: &[u8]) -> Result<Outcome> {
        self.finish(self.command("target", options, Some(command)), input)
    }

    /// Runs it in a terminal of 101 columns and 37 rows that somebody set up a little unusually.
    pub(crate) fn in_terminal(&self, command: &Command) -> Result<SshSession> {
        let line: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).map(|w| quoted(&w.to_string_lossy())).collect();
        let sizes = self.word("sizes");
        let made = Command::new("mkfifo").arg(&sizes).status()?;
        anyhow::ensure!(made.success(), "mkfifo {sizes}");
        // New sizes come through a fifo: the kernel tells the client of them as of a window that is dragged.
        let script = format!(
            "stty cols 101 rows 37 erase '^H' intr '^X' -ixon; \
             (while read -r c r <'{sizes}'; do stty cols $c rows $r; done) 2>/dev/null </dev/tty & exec {}",
            line.join(" ")
        );
        let mut c = self.program("script", &["-qefc", &script, "/dev/null"]);
        c.env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
        SshSession::start(c, None)
    }

    pub(crate) fn ended(&self, session: SshSession) -> Result<Outcome> {
        let out = session.outcome(LIMIT)?;
        let end = out.status.map_or("killed".into(), |s| format!("exit {s}"));
        Ok(Outcome { end, stdout: out.stdout, stderr: out.stderr.into_bytes(), ..Default::default() })
    }

    /// A file of `size` bytes that no compression makes smaller, the same on both ways.
    pub(crate) fn noise(&self, name: &str, size: usize) -> Result<Vec<u8>> {
        let bytes = noise(size);
        std::fs::write(self.file(name), &bytes)?;
        Ok(bytes)
    }
}

pub(crate) fn noise(size: usize) -> Vec<u8> {
    // xorshift64* (Vigna 2016).
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        bytes.extend_from_slice(&x.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

fn collect(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = tell.send(bytes);
    });
    told
}
