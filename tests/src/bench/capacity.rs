//! How many sessions at once, how many new ones a second, and what each of them takes.
use super::lab::Lab;
use anyhow::{Result, ensure};
use std::{thread, time::Duration};

/// Terminals are quiet for this long before their memory is read: what a session gives back when nothing happens is given back then.
const QUIET: Duration = Duration::from_secs(8);
/// Opened and closed before anything is measured, so that what is made once is there.
const WARM_UP: usize = 50;

/// What was seen.
#[derive(Debug)]
pub struct Capacity {
    /// Idle terminals while memory was read.
    pub idle: usize,
    /// Resident memory a session, KiB.
    pub kib_each: f64,
    /// Sessions held at the end, of how many.
    pub held: usize,
    pub wanted: usize,
    /// New sessions a second, while the rest was opened.
    pub per_second: f64,
    /// From a connection to its terminal, milliseconds.
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// The gateway's CPU for a new session, milliseconds.
    pub cpu_ms: f64,
    pub failed: Vec<(String, usize)>,
    /// Of the held ones, how many still echo.
    pub echoing: usize,
}

/// Opens half of the terminals, reads memory, opens the rest at `per_second`, and types into all of them.
pub fn measure(lab: &Lab, sessions: usize, per_second: u32) -> Result<Capacity> {
    ensure!(sessions >= 2, "at least two sessions");
    let clients = lab.swarm()?;
    drop(clients.open(WARM_UP, per_second.min(50)));
    thread::sleep(QUIET);
    let before = lab.gateway_memory_mib()?;
    let (mut held, first) = clients.open(sessions / 2, per_second);
    let idle = held.len();
    thread::sleep(QUIET);
    let kib_each = (lab.gateway_memory_mib()? - before) * 1024.0 / idle.max(1) as f64;
    let cpu = lab.gateway_cpu()?;
    let (mut more, second) = clients.open(sessions - sessions / 2, per_second);
    let cpu_ms = (lab.gateway_cpu()? - cpu) * 1e3 / more.len().max(1) as f64;
    let echoing = clients.all_echo(&mut held) + clients.all_echo(&mut more);
    let at = |part: f64| {
        second.each.get((second.each.len().saturating_sub(1) as f64 * part) as usize).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3)
    };
    Ok(Capacity {
        idle,
        kib_each,
        held: held.len() + more.len(),
        wanted: sessions,
        per_second: more.len() as f64 / second.took.as_secs_f64(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        cpu_ms,
        failed: first.failed.into_iter().chain(second.failed.clone()).collect(),
        echoing,
    })
}
