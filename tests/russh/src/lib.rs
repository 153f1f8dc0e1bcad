//! russh 0.65.1 between two ends in one process: what it does wrong as it is, and that our patches cure it.
//!
//! Every test in `tests/traps` runs its scenario with [`Switches::ours`] and must find the trap closed. Where a switch of the
//! patched crate turns the cure off, the same scenario runs with [`Switches::stock`] too, and must fall into it. What no switch turns off is
//! shown by `deploy/lint/russh-stock`, which builds all of it against the pristine crate (feature `stock`).
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_debug_implementations)]

pub mod ends;
pub mod relay;
mod switches;
pub mod wire;

pub use switches::Switches;

use std::time::Duration;

/// Longer than any scenario takes, on a machine that is busy with something else.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs one scenario. An error says what went wrong.
pub fn block(scenario: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let end = runtime.block_on(async { tokio::time::timeout(LIMIT, scenario).await });
    runtime.shutdown_background();
    end.unwrap_or_else(|_| Err("the scenario did not end".into()))
}
