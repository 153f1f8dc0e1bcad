//! Processes that end with us, and small things every part needs.
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    fs::File,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Ended by the kernel when the thread that started it dies, so a killed lab leaves nothing running.
pub fn tied(program: impl AsRef<OsStr>, signal: &str) -> Command {
    let mut c = Command::new("setpriv");
    c.args(["--pdeathsig", signal, "--"]).arg(program).stdin(Stdio::null());
    // Its own group: Ctrl-C reaches the lab alone, which ends its parts in its order.
    std::os::unix::process::CommandExt::process_group(&mut c, 0);
    c
}

/// Output goes to `log`; `what` is how complaints name it.
#[derive(Debug)]
pub struct Running {
    what: String,
    child: Child,
}

impl Running {
    pub fn start(what: &str, mut command: Command, log: &Path) -> Result<Self> {
        let out = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command.stdout(out.try_clone()?).stderr(out).spawn().with_context(|| format!("cannot start {what}"))?;
        Ok(Self { what: what.to_owned(), child })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so.
    pub fn until(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<()> {
        let began = Instant::now();
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at once: {status}", self.what);
            }
            ensure!(began.elapsed() < limit, "{} is not ready after {limit:?}", self.what);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Asks it to end and waits.
    pub fn stop(mut self, limit: Duration) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            ensure!(began.elapsed() < limit, "{} did not end within {limit:?}", self.what);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
            for _ in 0..100 {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

pub fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// An Ed25519 key without a passphrase, and its `.pub`.
pub fn private_key(path: &Path) -> Result<()> {
    let out =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]).arg(path).stdin(Stdio::null()).output()?;
    ensure!(out.status.success(), "ssh-keygen: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

/// The public line of a private key file.
pub fn public_line(path: &Path) -> Result<String> {
    let out = Command::new("ssh-keygen").arg("-y").arg("-f").arg(path).output()?;
    ensure!(out.status.success(), "ssh-keygen -y: {}", String::from_utf8_lossy(&out.stderr));
    Ok(String::from_utf8(out.stdout)?)
}

pub fn user_name() -> Result<String> {
    let out = Command::new("id").arg("-un").output()?;
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}
