//! The program `anteroom`: command line, configuration, and the one place that puts all parts together.
#![forbid(unsafe_code)]

mod child;
mod cli;
mod compose;
mod config;
mod database;
mod demo;
mod keys;
mod logging;
mod postgres;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
