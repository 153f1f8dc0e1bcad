//! `anteroom serve`: starts everything, obeys signals, stops in good order.
use crate::{
    compose::Running,
    config,
    config::{Checked, Ssh},
    database::Database,
    logging::LogLevel,
};
use anyhow::{Context, Result};
use std::path::Path;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) async fn serve(path: &Path, config: Checked, log: LogLevel) -> Result<()> {
    let mut signals = Signals::new()?;
    let database = Database::open(&config.database).await?;
    if database.postgres().is_some() {
        database.migrate().await?;
    }
    let mut running = Running::start(&config, database).await?;
    ready(&config, &running);
    let mut config = config;
    let failed = loop {
        tokio::select! {
            order = signals.next() => match order {
                Order::Stop => break None,
                Order::Reload => config = reload(path, config, &running, &log),
            },
            e = running.failed() => break Some(e),
        }
    };
    tracing::info!("stopping: sessions are told and their recordings sealed");
    drop(signals);
    running.stop().await;
    tracing::info!("stopped");
    failed.map_or(Ok(()), Err)
}

fn ready(config: &Checked, running: &Running) {
    let rdp: Vec<_> = running.rdp_addresses().iter().map(ToString::to_string).collect();
    let ssh: Vec<_> = running.ssh_addresses().iter().map(ToString::to_string).collect();
    tracing::info!(gateway = %config.name, portal = %config.portal.origin, portal_listen = %running.portal_address(), ssh = ssh.join(","), rdp = rdp.join(","), "ready");
    // For supervisors that wait for it (systemd's sd_notify protocol); nothing else reads this variable.
    if let Some(path) = std::env::var_os("NOTIFY_SOCKET")
        && let Ok(socket) = std::os::unix::net::UnixDatagram::unbound()
    {
        let _ = socket.send_to(b"READY=1\n", &path);
    }
}

/// Takes over what can change while running. A file with a problem changes nothing.
fn reload(path: &Path, old: Checked, running: &Running, log: &LogLevel) -> Checked {
    let new = match config::load(path) {
        Ok(new) => new,
        Err(e) => {
            tracing::warn!(error = %e, "the configuration was not taken over");
            return old;
        }
    };
    if new.log_level != old.log_level {
        log.set(&new.log_level);
        tracing::info!(level = new.log_level, "log level changed");
    }
    if new.ssh.remember_step_up != old.ssh.remember_step_up {
        running.approvals.set_remember_step_up(new.ssh.remember_step_up);
        tracing::info!(seconds = new.ssh.remember_step_up.as_secs(), "how long a confirmed connection is remembered changed");
    }
    let live_ssh = Ssh { remember_step_up: new.ssh.remember_step_up, ..old.ssh.clone() };
    running.reload_certificate();
    let parts: Vec<&str> = [
        ("gateway", new.name != old.name || new.data_dir != old.data_dir),
        ("database", format!("{:?}", new.database) != format!("{:?}", old.database)),
        ("portal", format!("{:?}", new.portal) != format!("{:?}", old.portal)),
        ("ssh", new.ssh != live_ssh),
        ("rdp", new.rdp != old.rdp),
        ("patients", new.patients != old.patients),
        (
            "recording",
            new.custody.recordings != old.custody.recordings
                || new.custody.storage_options != old.custody.storage_options
                || new.custody.max_lag != old.custody.max_lag
                || new.custody.keep != old.custody.keep
                || new.custody.rules.sha256() != old.custody.rules.sha256(),
        ),
        ("unmask", new.custody.unsealer_socket != old.custody.unsealer_socket),
        (
            "keys",
            new.custody.vault != old.custody.vault
                || new.custody.audit_log != old.custody.audit_log
                || new.custody.manifest != old.custody.manifest,
        ),
    ]
    .into_iter()
    .filter_map(|(part, changed)| changed.then_some(part))
    .collect();
    if !parts.is_empty() {
        tracing::warn!(sections = parts.join(","), "these sections changed and need a restart");
    }
    // What needs a restart stays as it was started, so that the next reload compares with what runs.
    Checked { log_level: new.log_level, ssh: live_ssh, ..old }
}

/// SIGTERM and SIGINT stop, SIGHUP reloads.
pub(crate) struct Signals {
    term: Signal,
    int: Signal,
    hangup: Signal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Stop,
    Reload,
}

impl Signals {
    pub(crate) fn new() -> Result<Self> {
        let of = |kind| signal(kind).context("cannot listen to signals");
        Ok(Self { term: of(SignalKind::terminate())?, int: of(SignalKind::interrupt())?, hangup: of(SignalKind::hangup())? })
    }

    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            _ = self.term.recv() => Order::Stop,
            _ = self.int.recv() => Order::Stop,
            _ = self.hangup.recv() => Order::Reload,
        }
    }

    /// For what has nothing to reload.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != Order::Stop {}
    }
}
