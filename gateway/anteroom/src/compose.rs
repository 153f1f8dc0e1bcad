//! The one place that knows everybody: puts database, approvals, recorder, gateway and portal together, and takes them
//! apart again in the order that loses nothing.
use crate::{
    config::{Checked, Custody},
    database::Database,
    janitor::Janitor,
};
use anteroom_approvals::{Approvals, Options, SafeMode};
use anteroom_domain::{EndReason, RecordingState, TargetProbe};
use anteroom_gateway::{
    Cores, Gateway, SshConfig,
    rdp::{Identity, RdpConfig, RdpService},
    ssh::{Prober, load_host_key},
};
use anteroom_recorder::{Recorder, RecorderOptions, Replayer, unmask::Unsealer};
use anteroom_unsealer::Client;
use anteroom_web::{Portal, PortalConfig, RdpAddress, Reload, SshAddress, Tls};
use anyhow::{Context, Result};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long stopping may take in all; what is not done then is left to the next start's recovery.
const STOP_LIMIT: Duration = Duration::from_secs(25);
/// How long the web's open requests and the audit spool get, each.
const DRAIN: Duration = Duration::from_secs(8);

/// A running gateway.
pub(crate) struct Running {
    pub(crate) approvals: Approvals,
    recorder: Recorder,
    gateway: Gateway,
    rdp: Option<RdpService>,
    portal: JoinHandle<Result<(), anteroom_web::PortalError>>,
    portal_address: SocketAddr,
    reload: Reload,
    background: JoinHandle<()>,
    janitor: JoinHandle<()>,
    stop_portal: CancellationToken,
    stop_background: CancellationToken,
    database: Database,
    /// Last: the database's connections may belong to one of these.
    cores: Cores,
}

/// Opens the approvals for a command that touches data.
pub(crate) async fn open_for_command(config: &Checked, database: &Database) -> Result<Approvals> {
    let approvals = Approvals::open_for_command(database.pool(), options(config, None)?).await?;
    approvals.set_unanswered_for(config.unanswered_after);
    Ok(approvals)
}

fn options(config: &Checked, safe_mode: Option<SafeMode>) -> Result<Options> {
    let state = &config.data_dir;
    let (spool_dir, checkpoint_dir) = (state.join("audit-spool"), state.join("checkpoints"));
    for dir in [&spool_dir, &checkpoint_dir] {
        private_dir(dir)?;
    }
    Ok(Options {
        rp_id: config.portal.origin.host_str().unwrap_or("localhost").to_owned(),
        origin: config.portal.origin.clone(),
        vault_key: config.custody.vault.clone(),
        log_key: config.custody.audit_log.clone(),
        log_name: log_name(config),
        remember_step_up: config.ssh.remember_step_up,
        certificate_lifetime: config.ssh.certificate_lifetime,
        web_idle: config.portal.idle,
        web_absolute: config.portal.absolute,
        spool_dir,
        checkpoint_dir,
        safe_mode,
    })
}

pub(crate) fn open_replayer(custody: &Custody) -> Result<Option<Replayer>> {
    custody
        .masked_key
        .as_ref()
        .map(|key| key.open().map(|key| Replayer::with_key(&custody.storage, key)))
        .transpose()
        .context("[replay] masked_key")
}

/// Of the audit log that this gateway writes.
pub(crate) fn log_name(config: &Checked) -> String {
    format!("anteroom/{}", config.name)
}

/// Of a gateway that serves; commands want the database.
pub(crate) fn safe_mode(config: &Checked) -> Result<Option<SafeMode>> {
    if config.safe_mode.is_zero() {
        return Ok(None);
    }
    let dir = config.data_dir.join("safe-mode");
    private_dir(&dir)?;
    Ok(Some(SafeMode { longest: config.safe_mode, dir, gateway: config.name.clone() }))
}

impl Running {
    pub(crate) async fn start(config: &Checked, database: Database) -> Result<Self> {
        let approvals = Approvals::open(database.pool(), options(config, safe_mode(config)?)?).await?;
        approvals.set_unanswered_for(config.unanswered_after);
        let c = &config.custody;
        let options = RecorderOptions {
            root: c.recordings.clone(),
            gateway: config.name.clone(),
            recipients: c.recipients.clone(),
            rules: c.rules.clone(),
            manifest_key: c.manifest.clone(),
            max_lag: c.max_lag,
        };
        let recorder = Recorder::open_in(c.storage.clone(), options)?;
        let stop_background = CancellationToken::new();
        let background = {
            let (approvals, stop) = (approvals.clone(), stop_background.clone());
            let channels = config.channels.clone();
            tokio::spawn(async move { tokio::join!(approvals.run(stop.clone()), approvals.deliver_notices(&channels, stop)).0 })
        };
        let cores = Cores::start().context("cannot start the threads of the SSH side")?;
        let gateway = Gateway::start(approvals.clone(), recorder.clone(), ssh_config(config)?, &cores).await?;
        settle_lost(&approvals, &recorder, &gateway).await;
        let rdp = match rdp_config(config)? {
            Some(rdp) => Some(RdpService::start(gateway.common(), rdp, &cores).await?),
            None => None,
        };
        let (replayer, terminals) = (open_replayer(c)?, Some(gateway.terminals()));
        let portal = portal_config(config, &gateway, rdp.as_ref());
        let unsealer = c.unsealer_socket.as_ref().map(|socket| Arc::new(Client::new(socket.clone())) as Arc<dyn Unsealer>);
        let prober: Arc<dyn TargetProbe> = Arc::new(Prober::default());
        let portal = Portal::bind(portal, approvals.clone(), replayer, gateway.control(), terminals, Some(prober), unsealer)?;
        let (portal_address, reload) = (portal.local_addr(), portal.reload_handle());
        let janitor = Janitor { approvals: approvals.clone(), recordings: c.recordings.clone(), keep: c.keep };
        let janitor = tokio::spawn(janitor.run(stop_background.clone()));
        let stop_portal = CancellationToken::new();
        let portal = tokio::spawn(portal.run(stop_portal.clone()));
        Ok(Self {
            approvals,
            recorder,
            gateway,
            rdp,
            portal,
            portal_address,
            reload,
            background,
            janitor,
            stop_portal,
            stop_background,
            database,
            cores,
        })
    }

    pub(crate) fn portal_address(&self) -> SocketAddr {
        self.portal_address
    }
    pub(crate) fn rdp_addresses(&self) -> &[SocketAddr] {
        self.rdp.as_ref().map_or(&[], RdpService::addresses)
    }
    pub(crate) fn ssh_addresses(&self) -> &[SocketAddr] {
        self.gateway.addresses()
    }

    pub(crate) fn reload_certificate(&self) {
        match self.reload.reload() {
            Ok(()) => tracing::info!("portal certificate read again"),
            Err(e) => tracing::warn!(error = %e, "the old portal certificate stays"),
        }
    }

    /// Resolves when a part ended that should not: the caller stops the rest and says so.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        let database = async {
            match self.database.postgres() {
                Some(p) => p.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = database => anyhow::anyhow!("the private Postgres ended by itself; see postgres.log"),
            r = &mut self.portal => match r {
                Ok(Ok(())) => anyhow::anyhow!("the portal ended by itself"),
                Ok(Err(e)) => e.into(),
                Err(_) => anyhow::anyhow!("the portal broke"),
            },
            _ = &mut self.janitor => anyhow::anyhow!("who keeps and ends recordings ended by itself"),
            _ = &mut self.background => anyhow::anyhow!("the audit log's keeper ended by itself"),
        }
    }

    /// Tells the sessions, seals their recordings, drains audit and requests, within a bound.
    pub(crate) async fn stop(self) {
        let Self { recorder, gateway, rdp, portal, background, janitor, stop_portal, stop_background, database, cores, .. } = self;
        let all = async {
            stop_portal.cancel();
            // Sessions are finished now: their recordings do not wait for all pictures to be read.
            recorder.hurry();
            // Both at once: each tells its sessions, within its own bounds.
            tokio::join!(gateway.stop(), async {
                if let Some(rdp) = rdp {
                    rdp.stop().await;
                }
            });
            recorder.shutdown().await;
            let _ = tokio::time::timeout(DRAIN, portal).await;
            stop_background.cancel();
            let _ = tokio::time::timeout(DRAIN, janitor).await;
            let _ = tokio::time::timeout(DRAIN, background).await;
        };
        if tokio::time::timeout(STOP_LIMIT, all).await.is_err() {
            tracing::error!("not everything ended in time; the next start settles what is left");
        }
        database.stop().await;
        drop(cores);
    }
}

/// Sessions that the database believes to run here, but whose process is gone: what is missing of their end is written down.
async fn settle_lost(approvals: &Approvals, recorder: &Recorder, gateway: &Gateway) {
    let filter = anteroom_approvals::SessionFilter { live_only: true, ..Default::default() };
    let Ok(listed) = approvals.sessions(filter, anteroom_approvals::Page { number: 0, size: 500 }).await else { return };
    let here: Vec<_> = gateway.control().list().into_iter().map(|s| s.id).collect();
    for lost in listed.rows.into_iter().filter(|s| !here.contains(&s.id)) {
        if lost.recording == RecordingState::Recording {
            // Its manifest may be there although nobody was told. Without one it runs on another gateway, or recovery has it.
            let (recorder, id) = (recorder.clone(), lost.id);
            let Ok(Some(sealed)) = tokio::task::spawn_blocking(move || recorder.sealed(id)).await else { continue };
            approvals.session_ended(lost.id, &EndReason::GatewayLost).await;
            approvals.recording_sealed(anteroom_gateway::enforcement::record_of(sealed)).await;
        } else {
            approvals.session_ended(lost.id, &EndReason::GatewayLost).await;
        }
    }
}

fn ssh_config(config: &Checked) -> Result<SshConfig> {
    let s = &config.ssh;
    let keys = s.host_keys.iter().map(|k| load_host_key(k)).collect::<Result<Vec<_>, _>>()?;
    let mut ssh = SshConfig::new(s.listen.clone(), keys, config.portal.origin.clone(), config.name.clone());
    if let Some(h) = &s.public_host {
        ssh.public_host.clone_from(h);
    }
    if let Some(p) = s.public_port {
        ssh.public_port = p;
    }
    ssh.max_unauthenticated = s.max_unauthenticated;
    ssh.max_unauthenticated_per_address = s.max_unauthenticated_per_address;
    ssh.login_grace = s.login_grace;
    ssh.supervisor_wait = s.supervisor_wait;
    ssh.banner.clone_from(&s.banner);
    ssh.recording_notice = s.recording_notice;
    ssh.trust_security_keys = s.trust_security_keys;
    ssh.max_channels = s.max_channels;
    ssh.patients = config.patients;
    ssh.commands.clone_from(&s.commands.rules);
    Ok(ssh)
}

/// None if there is no `[rdp]`.
fn rdp_config(config: &Checked) -> Result<Option<RdpConfig>> {
    let Some(r) = &config.rdp else { return Ok(None) };
    let identity = match &r.tls {
        Some((cert, key)) => Identity::load(cert, key),
        None => {
            private_dir(&config.data_dir)?;
            let host = r.public_host.clone().or_else(|| config.portal.origin.host_str().map(str::to_owned));
            Identity::kept_in(&config.data_dir, &[host.unwrap_or_else(|| config.name.clone())])
        }
    };
    let mut rdp = RdpConfig::new(r.listen.clone(), identity.context("[rdp] certificate")?);
    rdp.tls_without_nla = r.tls_without_nla;
    rdp.reconnect_window = r.reconnect_window;
    rdp.login_grace = r.login_grace;
    Ok(Some(rdp))
}

fn portal_config(config: &Checked, gateway: &Gateway, rdp: Option<&RdpService>) -> PortalConfig {
    let p = &config.portal;
    let host = config.ssh.public_host.clone().or_else(|| p.origin.host_str().map(str::to_owned)).unwrap_or_default();
    let port = config.ssh.public_port.or_else(|| gateway.addresses().first().map(SocketAddr::port)).unwrap_or(22);
    PortalConfig {
        listen: p.listen,
        origin: p.origin.clone(),
        tls: p.tls.clone().map(|(cert, key)| Tls { cert, key }),
        ssh: SshAddress { host, port },
        rdp: config.rdp.as_ref().zip(rdp).map(|(r, running)| RdpAddress {
            host: r.public_host.clone().or_else(|| p.origin.host_str().map(str::to_owned)).unwrap_or_default(),
            port: r.public_port.or_else(|| running.addresses().first().map(SocketAddr::port)).unwrap_or(3389),
            // One of the operator's is known to people's machines, or compared by other means.
            certificate: r.tls.is_none().then(|| running.certificate()),
        }),
        clipboard: p.clipboard,
        search: config.custody.search,
    }
}

pub(crate) fn private_dir(dir: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| format!("cannot make {}", dir.display()))
}
