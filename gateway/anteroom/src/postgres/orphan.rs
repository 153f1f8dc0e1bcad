//! A server that outlived its parent (it should not: see `child`) would keep us from starting; it is ended first.
use anyhow::{Result, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Ends a server that still runs in `data`. The caller holds the directory's lock, so whoever started it is gone.
pub(super) async fn end(data: &Path) -> Result<()> {
    let Some(pid) = running(data) else { return Ok(()) };
    tracing::info!(pid = pid.as_raw_nonzero().get(), "ending a Postgres that an earlier run left behind");
    for (signal, patience) in [(Signal::INT, 20), (Signal::QUIT, 10)] {
        let _ = kill_process(pid, signal);
        let until = Instant::now() + Duration::from_secs(patience);
        while Instant::now() < until {
            if running(data).is_none() || test_kill_process(pid).is_err() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    bail!("a Postgres (process {}) left behind in {} does not end", pid.as_raw_nonzero(), data.display())
}

/// The process in `postmaster.pid`, if it lives and works in this very directory: ids are recycled.
fn running(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let raw: i32 = text.lines().next()?.trim().parse().ok()?;
    let cwd = std::fs::read_link(format!("/proc/{raw}/cwd")).ok()?;
    (cwd == data.canonicalize().ok()?).then(|| Pid::from_raw(raw)).flatten()
}
