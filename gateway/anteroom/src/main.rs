//! The program `anteroom`: command line, configuration, and the one place that puts all parts together.
#![forbid(unsafe_code)]

mod child;
mod cli;
mod compose;
mod config;
mod database;
mod demo;
mod janitor;
mod keys;
mod logging;
mod login;
mod postgres;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Invariant 10: a panic's message may quote what it choked on, and that may be a patient's name.
    std::panic::set_hook(Box::new(|p| {
        let at = p.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "broken: please report this place in the code");
        // Commands that keep no log say it where they are used.
        eprintln!("anteroom: broken at {at}; please report this");
    }));
    cli::run()
}
