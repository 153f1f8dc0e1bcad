//! `anteroom demo`: the whole product on one machine, with made-up people, targets and patients. Loopback only.
mod desktop;
mod patients;
mod seed;
mod sshd;
mod state;
mod steps;
mod story;
mod unsealer;

use crate::{
    child::Child,
    cli::Out,
    compose::Running,
    config,
    database::Database,
    logging,
    postgres::{self, Database as Name, Layout, Postgres},
    serve::Signals,
};
use anyhow::{Context, Result, bail};
use state::State;
use std::path::Path;
use steps::step;

/// The demo server's own database, beside ours in the private cluster and out of reach for each other.
const EHR: Name = Name { name: "ehr", owner: "ehr_owner", guest: "dba" };

pub(crate) async fn run(dir: &Path, out: &mut Out) -> Result<()> {
    let mut signals = Signals::new()?;
    let state = State::open(dir)?;
    logging::start_in_file("info", &state.log_file())?;
    let mut demo = tokio::select! {
        started = Demo::start(&state) => started?,
        () = signals.stop() => bail!("stopped while starting"),
    };
    story::tell(&state, &demo.enrol_links, demo.desktop.is_some(), out)?;
    let failed = tokio::select! {
        () = signals.stop() => None,
        e = demo.running.failed() => Some(e),
        e = sshd::any_ended(&demo.targets) => Some(e),
        e = unsealer::ended(demo.unsealer.as_ref()) => Some(e),
        e = desktop::ended(demo.desktop.as_ref()) => Some(e),
    };
    step("stopping (sessions are told, recordings sealed)", Box::pin(demo.stop())).await;
    failed.map_or(Ok(()), Err)
}

struct Demo {
    running: Running,
    targets: Vec<sshd::Sshd>,
    unsealer: Option<Child>,
    desktop: Option<desktop::Desktop>,
    enrol_links: Vec<seed::EnrolLink>,
}

impl Demo {
    async fn start(state: &State) -> Result<Self> {
        let first = !state.db_dir().join("data").exists();
        let layout = Layout { extra: Some(EHR), guests: sshd::guest_account() };
        let postgres = step(
            if first { "making a private Postgres (first start only)" } else { "starting the private Postgres" },
            Postgres::start(&state.db_dir(), &layout),
        )
        .await?;
        let socket = postgres.guest_socket().unwrap_or(postgres.socket()).to_owned();
        step("filling the hospital's database with invented patients", patients::fill(&postgres)).await?;
        let database = Database::private(postgres, 16);
        step("bringing the schema up to date", database.migrate()).await?;
        let targets = step("starting the targets ehr-db-1 and infusion-pump-7", sshd::start_all(state, &socket)).await?;
        let config = config::load(&state.config_file())?;
        let unsealer = match &config.custody.unsealer_socket {
            Some(socket) => Some(step("starting the unsealer", unsealer::start(state, socket, &config.portal.origin)).await?),
            None => None,
        };
        let desktop = match config.rdp.is_some() && desktop::possible() {
            true => Some(step("starting the desktop reading-room-1", desktop::Desktop::start(state, state.ports.reading_room_1)).await?),
            false => None,
        };
        let running = step("starting gateway and portal", Box::pin(Running::start(&config, database))).await?;
        let enrol_links = seed::seed(&running.approvals, state, &targets, &config.portal.origin).await?;
        if let Some(d) = &desktop {
            seed::add_desktop(&running.approvals, d).await?;
        }
        Ok(Self { running, targets, unsealer, desktop, enrol_links })
    }

    async fn stop(self) {
        self.running.stop().await;
        for t in &self.targets {
            t.stop().await;
        }
        if let Some(d) = &self.desktop {
            d.stop().await;
        }
        if let Some(u) = &self.unsealer {
            u.stop(unsealer::END).await;
        }
    }
}

/// Forgets everything, unless it is in use.
pub(crate) fn reset(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    if !dir.join(state::CONFIG).exists() {
        bail!("{} is not the state of a demo; nothing was removed", dir.display());
    }
    let db = dir.join(state::DB);
    if Postgres::running_socket(&db).is_some() {
        bail!("the demo in {} is running; stop it first (Ctrl-C)", dir.display());
    }
    postgres::forget(&db)?;
    std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))
}
