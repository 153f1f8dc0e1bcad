//! A server as a child process, with its log in a file. It cannot outlive the test, however that ends.
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
    // The kernel ends the child when the thread that started it does: that thread waits for this to be dropped.
    _keeper: mpsc::Sender<()>,
}

impl Daemon {
    /// A command that becomes a daemon: its own process group, signalled when we die. `death` is a signal's name.
    pub fn command(program: impl AsRef<OsStr>, death: &str) -> Command {
        use std::os::unix::process::CommandExt;
        let mut c = Command::new("setpriv");
        c.args(["--pdeathsig", death, "--"]).arg(program).process_group(0);
        c
    }

    /// Starts it; what it prints on stderr is added to `log`.
    pub fn start(mut command: Command, log: &Path) -> Result<Self> {
        command.stdout(Stdio::null());
        Self::start_with(command, open_log(log)?, log)
    }

    /// Starts it; what it prints anywhere is added to `log`.
    pub fn start_told(mut command: Command, log: &Path) -> Result<Self> {
        let file = open_log(log)?;
        command.stdout(file.try_clone()?);
        Self::start_with(command, file, log)
    }

    fn start_with(mut command: Command, file: File, log: &Path) -> Result<Self> {
        command.stdin(Stdio::null()).stderr(file);
        let (keeper, dropped) = mpsc::channel::<()>();
        let (tell, started) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = tell.send(command.spawn());
            let _ = dropped.recv();
        });
        let child = started.recv().context("the keeper died")?.context("cannot start setpriv (package util-linux)")?;
        Ok(Self { child, log: log.to_owned(), _keeper: keeper })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, signal).context("cannot signal")
    }

    pub fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub fn ended(&mut self, limit: Duration) -> Result<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.has_ended()? {
                return Ok(status);
            }
            if began.elapsed() > limit {
                bail!("process {} did not end within {limit:?}", self.pid());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// As a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// In good order.
    pub fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        if self.has_ended()?.is_none() {
            self.signal(Signal::TERM)?;
        }
        self.ended(limit)
    }
}

fn open_log(log: &Path) -> Result<File> {
    File::options().create(true).append(true).open(log).with_context(|| format!("cannot write {}", log.display()))
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.stop(Duration::from_secs(15)).is_err() {
            let _ = self.kill();
        }
    }
}
