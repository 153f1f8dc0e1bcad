//! The demo's unsealer: a process of its own with a directory of its own, which nobody but it reads.
use super::state::State;
use crate::{
    child::{Child, Ending, tied},
    keys,
};
use anteroom_unsealer::{Site, Trust};
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use std::{
    fs::{self, OpenOptions},
    os::unix::{fs::OpenOptionsExt, net::UnixStream},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use url::Url;

pub(super) const END: Ending = Ending { first: Signal::TERM, patience: Duration::from_secs(5), last: Signal::KILL };

pub(super) async fn start(state: &State, socket: &Path, origin: &Url) -> Result<Child> {
    let dir = state.unsealer_dir();
    if !state.trust_file().exists() {
        let site = Site { rp_id: origin.host_str().unwrap_or_default().into(), origin: origin.origin().ascii_serialization() };
        Trust::nobody(site).save(&state.trust_file())?;
    }
    let config = dir.join("unsealer.toml");
    if !config.exists() {
        let [a, b] = keys::CUSTODY_SEALED;
        let origin = origin.origin().ascii_serialization();
        let text = format!(
            "socket = \"socket\"\nrecordings = \"../recordings\"\nstate = \"state\"\ntrust = \"trust.toml\"\norigin = \"{origin}\"\nkeys = [\"{a}\", \"{b}\"]\n"
        );
        fs::write(&config, text).context("cannot write the unsealer's configuration")?;
    }
    let log = dir.join("unsealer.log");
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&log).context("cannot write the unsealer's log")?;
    let mut unsealer = tied(std::env::current_exe().context("cannot find this program")?, None, "TERM");
    unsealer.args(["unsealer", "serve", "--config"]).arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    let child = Child::spawn("unsealer", unsealer)?;
    let began = Instant::now();
    while UnixStream::connect(socket).is_err() {
        if child.has_ended().is_some() || began.elapsed() > Duration::from_secs(10) {
            let text = fs::read_to_string(&log).unwrap_or_default();
            bail!("the unsealer did not start: {}", text.lines().last().unwrap_or("it said nothing"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(child)
}

/// Resolves when it ended by itself.
pub(super) async fn ended(child: Option<&Child>) -> anyhow::Error {
    match child {
        Some(child) => drop(child.ended().await),
        None => std::future::pending().await,
    }
    anyhow::anyhow!("the unsealer ended by itself; see unsealer/unsealer.log")
}
