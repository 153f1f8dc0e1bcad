//! `make lab`: starts the lab, says that it is ready, waits for Ctrl-C.
use anteroom_tests::lab::Lab;
use anyhow::Result;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<()> {
    // Before anything is started: a signal during the start must end it cleanly, too.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut term, mut int) =
        runtime.block_on(async { anyhow::Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)) })?;
    let lab = Lab::start(Path::new("target/lab"))?;
    println!(
        "ready: ssh -F target/lab/ssh_config direct|jump|gateway    portal {}    facts in target/lab/lab.json",
        lab.stack().portal_url()
    );
    println!("Ctrl-C stops it.");
    runtime.block_on(async {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    });
    lab.stop()
}
