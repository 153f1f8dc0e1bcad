//! `make lab`: starts the lab, says that it is ready, waits for Ctrl-C.
use anteroom_tests::lab::Lab;
use anyhow::Result;
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> Result<()> {
    // A signal before this point ends us at once, and the kernel then ends what was started: see `harness::Daemon`.
    let lab = Lab::start(Path::new("target/lab"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut term, mut int) =
        runtime.block_on(async { anyhow::Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)) })?;
    say(&format!("ready: ssh -F target/lab/ssh_config direct|jump|gateway    portal {}    facts in target/lab/lab.json", lab.portal()));
    runtime.block_on(async {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    });
    lab.stop()
}

fn say(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
