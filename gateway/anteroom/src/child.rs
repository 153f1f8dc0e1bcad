//! A child process that cannot outlive us.
//!
//! Linux ends it when the *thread* that started it dies (`PR_SET_PDEATHSIG`), so one thread is kept for each child: it starts
//! it, waits for it and alone sends signals to it, so that no signal ever reaches a recycled process id. The flag itself is set
//! by `setpriv` of util-linux: doing it here would need code between fork and exec, which is unsafe.
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    os::unix::process::CommandExt,
    process::{Command, ExitStatus},
    sync::mpsc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How often the keeper looks whether its child has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Whom a child runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunAs {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl RunAs {
    /// The uid and gid of an account in `/etc/passwd`.
    pub(crate) fn account(name: &str) -> Option<Self> {
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        passwd.lines().find_map(|l| {
            let mut f = l.split(':');
            (f.next()? == name).then_some(())?;
            Some(Self { uid: f.nth(1)?.parse().ok()?, gid: f.next()?.parse().ok()? })
        })
    }
}

/// A command that `setpriv` starts: signalled when its parent dies, as somebody else if asked.
/// Its environment is empty but for `PATH` and the locale.
pub(crate) fn tied(program: impl AsRef<OsStr>, run_as: Option<RunAs>, death: &str) -> Command {
    let mut c = Command::new("setpriv");
    c.args(["--pdeathsig", death]);
    if let Some(RunAs { uid, gid }) = run_as {
        c.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
    }
    c.arg("--").arg(program);
    c.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
    // Its own group: Ctrl-C is for us alone, and we end our children in our order.
    c.process_group(0).current_dir("/");
    c
}

/// How a child is asked to end, mildest first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    pub(crate) first: Signal,
    pub(crate) patience: Duration,
    pub(crate) last: Signal,
}

#[derive(Debug)]
pub(crate) struct Child {
    what: &'static str,
    orders: mpsc::Sender<Ending>,
    ended: watch::Receiver<Option<ExitStatus>>,
}

impl Child {
    pub(crate) fn spawn(what: &'static str, mut command: Command) -> Result<Self> {
        let (orders, inbox) = mpsc::channel::<Ending>();
        let (tell, ended) = watch::channel(None);
        let (started, is_started) = mpsc::channel();
        std::thread::Builder::new()
            .name(format!("keep-{what}"))
            .spawn(move || match command.spawn() {
                Ok(child) => {
                    let _ = started.send(Ok(()));
                    keep(child, &inbox, &tell);
                }
                Err(e) => drop(started.send(Err(e))),
            })
            .context("cannot start a thread")?;
        match is_started.recv().context("the keeper thread died")? {
            Ok(()) => Ok(Self { what, orders, ended }),
            Err(e) => bail!("cannot start {what}: {e} (is util-linux's setpriv installed?)"),
        }
    }

    pub(crate) fn has_ended(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Resolves when it ended, for whatever reason.
    pub(crate) async fn ended(&self) -> Option<ExitStatus> {
        let mut ended = self.ended.clone();
        ended.wait_for(Option::is_some).await.ok().and_then(|s| *s)
    }

    /// Asks it to end and waits until it has.
    pub(crate) async fn stop(&self, how: Ending) {
        if self.orders.send(how).is_ok() && tokio::time::timeout(how.patience * 2, self.ended()).await.is_err() {
            tracing::warn!(child = self.what, "did not end in time");
        }
    }
}

fn keep(mut child: std::process::Child, inbox: &mpsc::Receiver<Ending>, tell: &watch::Sender<Option<ExitStatus>>) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let send = |signal| {
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    };
    let mut deadline: Option<(Instant, Signal)> = None;
    let mut orphaned = false;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let _ = tell.send(Some(status));
                return;
            }
            Ok(None) => {}
            Err(_) => return,
        }
        if let Some((_, last)) = deadline.take_if(|(at, _)| Instant::now() > *at) {
            send(last);
        }
        match inbox.recv_timeout(LOOK) {
            Ok(how) => {
                send(how.first);
                deadline = Some((Instant::now() + how.patience, how.last));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            // Whoever held the handle is gone without a word: end the child, and go on waiting for it.
            Err(mpsc::RecvTimeoutError::Disconnected) if !orphaned => {
                orphaned = true;
                // The mildest order that both Postgres (fast shutdown) and sshd obey.
                send(Signal::INT);
                deadline.get_or_insert((Instant::now() + Duration::from_secs(10), Signal::QUIT));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_child_ends_when_asked_and_says_so() {
        let mut c = tied("sleep", None, "KILL");
        c.arg("60");
        let child = Child::spawn("sleep", c).unwrap();
        assert!(child.has_ended().is_none());
        child.stop(Ending { first: Signal::TERM, patience: Duration::from_secs(5), last: Signal::KILL }).await;
        assert!(child.has_ended().is_some());
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_of_its_own() {
        let mut c = Command::new("/nowhere/anteroom");
        c.arg("x");
        assert!(Child::spawn("nothing", c).unwrap_err().to_string().contains("cannot start nothing"));
    }

    #[test]
    fn root_is_in_the_password_file() {
        assert_eq!(RunAs::account("root"), Some(RunAs { uid: 0, gid: 0 }));
        assert_eq!(RunAs::account("no-such-account"), None);
    }
}
