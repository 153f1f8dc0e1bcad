//! Plain OpenSSH as people run it: to the gateway with one's own key and a step-up, or straight to the target to compare.
use super::{Person, wait::wait_for, world::World};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long what `ssh` said before its end may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How `ssh` gets there.
#[derive(Debug, Clone)]
pub enum Route {
    Gateway(Person),
    Direct,
}

/// Who touches the passkey when the terminal shows a link.
#[derive(Debug, Clone)]
pub enum Confirm {
    /// This person, at once.
    By(Person),
    /// The test, with [`SshSession::link`].
    Later,
}

/// What the terminal shows to be confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    pub step_up: String,
    pub number: String,
}

/// A command line of `ssh` that is being put together.
#[derive(Debug, Clone)]
pub struct Ssh {
    config: PathBuf,
    login: Option<String>,
    host: &'static str,
    options: Vec<String>,
    env: Vec<(String, String)>,
    command: Option<String>,
    terminal: Option<(u16, u16)>,
    sizes: PathBuf,
    confirm: Option<Confirm>,
}

impl Ssh {
    pub(super) fn new(world: &World, route: Route) -> Result<Self> {
        let config = world.ssh_config(&route)?;
        let (host, confirm) = match route {
            Route::Gateway(p) => ("gateway", Some(Confirm::By(p))),
            Route::Direct => ("direct", None),
        };
        Ok(Self {
            config,
            login: None,
            host,
            options: Vec::new(),
            env: Vec::new(),
            command: None,
            terminal: None,
            sizes: world.dir.join("ssh/sizes"),
            confirm,
        })
    }

    /// The user name that is sent: `account@target` to the gateway.
    pub fn login(mut self, login: &str) -> Self {
        self.login = Some(login.into());
        self
    }
    pub fn confirm(mut self, confirm: Confirm) -> Self {
        self.confirm = Some(confirm);
        self
    }
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.into());
        self
    }
    /// For `ssh` itself, not for what it starts over there.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
    pub fn command(mut self, command: &str) -> Self {
        self.command = Some(command.into());
        self
    }
    /// Runs in a terminal of this many columns and rows; what it prints on both streams is then in `stdout`.
    pub fn terminal(mut self, cols: u16, rows: u16) -> Self {
        self.terminal = Some((cols, rows));
        self
    }

    /// The words of the command line, for other programs of the family.
    pub fn config_file(&self) -> &std::path::Path {
        &self.config
    }

    /// The command itself, for tests that drive it in their own way. Nobody confirms it.
    pub fn build(&self) -> Command {
        let mut words = vec!["ssh".to_owned(), "-F".into(), self.config.display().to_string()];
        words.extend(self.options.iter().cloned());
        if let Some(login) = &self.login {
            words.extend(["-l".into(), login.clone()]);
        }
        words.push(self.host.into());
        words.extend(self.command.iter().cloned());
        let Some((cols, rows)) = self.terminal else {
            let mut c = Command::new("ssh");
            c.args(&words[1..]).env_remove("SSH_AUTH_SOCK").envs(self.env.iter().cloned());
            return c;
        };
        // `script` (util-linux) gives it a real terminal.
        let line: Vec<String> = words.iter().map(|w| format!("'{}'", w.replace('\'', "'\\''"))).collect();
        let mut c = Command::new("script");
        // New sizes come through a fifo: the kernel tells `ssh` of them as of a window that is dragged.
        let sizes = self.sizes.display();
        let resizer = format!("(while read -r c r <'{sizes}'; do stty cols $c rows $r; done) 2>/dev/null </dev/tty &");
        let begin = format!("stty cols {cols} rows {rows}; [ -p '{sizes}' ] && {resizer}");
        // A closed terminal hangs up, also where the tests themselves run under `nohup`, which ssh would inherit.
        c.args(["-qefc", &format!("{begin} exec env --default-signal=HUP {}", line.join(" ")), "/dev/null"]);
        c.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").env_remove("SSH_AUTH_SOCK").envs(self.env.iter().cloned());
        c
    }

    /// Runs it to its end with nothing on stdin.
    pub fn run(&self) -> Result<SshOutput> {
        self.run_with(b"")
    }

    pub fn run_with(&self, input: &[u8]) -> Result<SshOutput> {
        let mut s = self.spawn()?;
        if let Some(mut stdin) = s.stdin.take() {
            let input = input.to_vec();
            std::thread::spawn(move || drop(stdin.write_all(&input)));
        }
        s.finish(Duration::from_secs(60))
    }

    pub fn spawn(&self) -> Result<SshSession> {
        SshSession::start(self.build(), self.confirm.clone())
    }
}

/// What came out of it.
#[derive(Debug, Clone)]
pub struct SshOutput {
    pub status: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl SshOutput {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Both streams.
    pub fn said(&self) -> String {
        format!("{}{}", self.text(), self.stderr)
    }

    /// Its output, if it ended with status 0.
    pub fn good(self) -> Result<String> {
        if self.status != Some(0) {
            bail!("ssh ended with {:?}: {}", self.status, self.said());
        }
        Ok(self.text())
    }
}

#[derive(Debug, Default)]
struct Seen {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Why confirming failed.
    trouble: Option<String>,
    link: Option<Link>,
}

/// A running `ssh`.
#[derive(Debug)]
pub struct SshSession {
    child: Child,
    pub stdin: Option<ChildStdin>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    readers: Vec<JoinHandle<()>>,
}

impl SshSession {
    /// Any command that ends up in `ssh`, like `sftp`.
    pub fn start(mut command: Command, confirm: Option<Confirm>) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env("LC_ALL", "C.UTF-8");
        let mut child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
        let seen = Arc::<(Mutex<Seen>, Condvar)>::default();
        let (stdout, stderr) = (child.stdout.take().context("stdout")?, child.stderr.take().context("stderr")?);
        let readers = vec![
            reader(stdout, seen.clone(), confirm.clone(), |s| &mut s.stdout),
            reader(stderr, seen.clone(), confirm, |s| &mut s.stderr),
        ];
        Ok(Self { stdin: child.stdin.take(), child, seen, readers })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn stdout(&self) -> Vec<u8> {
        self.seen().stdout.clone()
    }

    /// Both streams so far.
    pub fn said(&self) -> String {
        let s = self.seen();
        format!("{}{}", String::from_utf8_lossy(&s.stdout), String::from_utf8_lossy(&s.stderr))
    }

    pub fn write(&mut self, text: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        stdin.write_all(text.as_bytes())?;
        Ok(stdin.flush()?)
    }

    /// End of input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits until both streams together hold `text`.
    pub fn expect(&self, text: &str) -> Result<()> {
        let found = wait_for(&format!("{text:?} from ssh"), Duration::from_secs(20), || {
            if let Some(t) = &self.seen().trouble {
                bail!("confirming failed: {t}");
            }
            Ok(self.said().contains(text).then_some(()))
        });
        found.with_context(|| format!("ssh said: {}", self.said()))
    }

    /// Waits until the terminal asks to be confirmed.
    pub fn link(&self) -> Result<Link> {
        let found = wait_for("a link in the terminal", Duration::from_secs(20), || Ok(self.seen().link.clone()));
        found.with_context(|| format!("ssh said: {}", self.said()))
    }

    /// Its status if it has ended; what it said last is there then.
    pub fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            // Something it left behind may hold the streams open for ever.
            let end = Instant::now() + LAST_WORDS;
            while Instant::now() < end && !self.readers.iter().all(JoinHandle::is_finished) {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(status)
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        Ok(kill_process(pid, signal)?)
    }

    /// Waits for its end, leaving stdin as it is; how long that took.
    pub fn ended(&mut self, limit: Duration) -> Result<Duration> {
        let began = Instant::now();
        while self.has_ended()?.is_none() {
            if began.elapsed() > limit {
                bail!("ssh did not end within {limit:?}; it said: {}", self.said());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(began.elapsed())
    }

    /// Closes stdin, waits for the end and gives everything.
    pub fn finish(mut self, limit: Duration) -> Result<SshOutput> {
        self.close_stdin();
        self.outcome(limit)
    }

    /// Waits for the end and gives everything.
    pub fn outcome(mut self, limit: Duration) -> Result<SshOutput> {
        self.ended(limit)?;
        let status = self.child.wait()?.code();
        for r in self.readers.drain(..) {
            let _ = r.join();
        }
        let mut s = self.seen();
        if let Some(t) = &s.trouble {
            bail!("confirming failed: {t}");
        }
        let stdout = std::mem::take(&mut s.stdout);
        Ok(SshOutput { status, stdout, stderr: String::from_utf8_lossy(&s.stderr).into_owned() })
    }
}

impl Drop for SshSession {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Stream = fn(&mut Seen) -> &mut Vec<u8>;

fn reader(
    mut from: impl Read + Send + 'static,
    to: Arc<(Mutex<Seen>, Condvar)>,
    confirm: Option<Confirm>,
    stream: Stream,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let (mut buffer, mut looking) = (vec![0; 64 * 1024], confirm.is_some());
        while let Ok(n) = from.read(&mut buffer)
            && n > 0
        {
            let mut seen = to.0.lock().unwrap_or_else(PoisonError::into_inner);
            let all = stream(&mut seen);
            all.extend_from_slice(&buffer[..n]);
            if !looking {
                continue;
            }
            // The link comes first of all; later output is not searched for ever.
            let Some(link) = Link::find(&String::from_utf8_lossy(&all[..all.len().min(8192)])) else {
                looking = all.len() < 8192;
                continue;
            };
            looking = false;
            seen.link = Some(link.clone());
            if let Some(Confirm::By(person)) = confirm.clone() {
                let to = to.clone();
                std::thread::spawn(move || {
                    if let Err(e) = person.confirm(&link.step_up, &link.number) {
                        to.0.lock().unwrap_or_else(PoisonError::into_inner).trouble = Some(format!("{e:#}"));
                    }
                });
            }
        }
        to.1.notify_all();
    })
}

impl Link {
    /// Both parts, or nothing yet.
    fn find(text: &str) -> Option<Self> {
        let (before, after) = text.split_once("/step-up/")?;
        let step_up: String = after.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').collect();
        let number: String = after.split_once("Number: ")?.1.chars().take_while(|c| c.is_ascii_digit() || *c == ' ').collect();
        let origin = &before[before.rfind("http")?..];
        let number = number.trim().to_owned();
        (step_up.len() == 36 && number.len() == 7).then(|| Self { url: format!("{origin}/step-up/{step_up}"), step_up, number })
    }
}
