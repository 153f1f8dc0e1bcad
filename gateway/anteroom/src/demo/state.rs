//! The demo's directory: keys, configuration, ports. Made once, kept.
use crate::{compose::private_dir, keys};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

pub(super) const CONFIG: &str = "anteroom.toml";
pub(super) const DB: &str = "db";
const UNSEALER: &str = "unsealer";

pub(super) struct State {
    dir: PathBuf,
    pub(super) ports: Ports,
}

/// Chosen at the first start and kept: addresses are in the database and in people's shell history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Ports {
    pub(super) portal: u16,
    pub(super) ssh: u16,
    pub(super) ehr_db_1: u16,
    pub(super) infusion_pump_7: u16,
    /// A demo that was made before there were desktops has 0 here, and none.
    #[serde(default)]
    pub(super) rdp: u16,
    #[serde(default)]
    pub(super) reading_room_1: u16,
}

impl State {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // The database's account passes through; what is secret is 0700 below.
        fs::set_permissions(dir, fs::Permissions::from_mode(0o711)).with_context(|| format!("cannot set the mode of {}", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("cannot find {}", dir.display()))?;
        keys::generate(&dir.join("keys"))?;
        for d in ["state", "recordings", "targets"] {
            private_dir(&dir.join(d))?;
        }
        unsealer_dir(&dir)?;
        let ports = ports(&dir.join("ports.json"))?;
        let this = Self { dir, ports };
        if !this.config_file().exists() {
            fs::write(this.config_file(), this.config_text()).context("cannot write the demo's configuration")?;
        }
        Ok(this)
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.dir.join(CONFIG)
    }
    pub(super) fn db_dir(&self) -> PathBuf {
        self.dir.join(DB)
    }
    pub(super) fn log_file(&self) -> PathBuf {
        self.dir.join("anteroom.log")
    }
    pub(super) fn unsealer_dir(&self) -> PathBuf {
        self.dir.join(UNSEALER)
    }
    pub(super) fn trust_file(&self) -> PathBuf {
        self.unsealer_dir().join("trust.toml")
    }
    pub(super) fn target_dir(&self, name: &str) -> PathBuf {
        self.dir.join("targets").join(name)
    }

    /// None in a directory whose name is too long for a socket in it: the demo is the same without unmasking.
    fn unmask_text(&self) -> &'static str {
        match self.unsealer_dir().join("socket").as_os_str().len() {
            ..=100 => {
                "# Another process, which has the sealed keys and believes signatures only.\n[unmask]\nsocket = \"unsealer/socket\"\n\n"
            }
            _ => "",
        }
    }

    fn config_text(&self) -> String {
        let Ports { portal, ssh, rdp, .. } = self.ports;
        let [sealed_a, sealed_b] = keys::CUSTODY_SEALED;
        format!(
            "# Written by `anteroom demo`. Yours to change; `anteroom demo --reset` forgets it.\n\
             [gateway]\nname = \"demo\"\ndata_dir = \"state\"\n\n\
             [database]\nprivate_dir = \"{DB}\"\n\n\
             # In clear, which is allowed on loopback only; browsers take localhost for safe.\n\
             [portal]\nlisten = \"127.0.0.1:{portal}\"\norigin = \"http://localhost:{portal}\"\n\n\
             [ssh]\nlisten = \"127.0.0.1:{ssh}\"\nhost_key = \"keys/{host}\"\n\
             # How long a confirmed connection counts for the next one with the same key, address and target.\nremember_step_up = \"0s\"\n\n\
             # Desktops, for RDP clients. The certificate is made at the first start and kept in state/.\n[rdp]\nlisten = \"127.0.0.1:{rdp}\"\n\n\
             [recording]\ndir = \"recordings\"\n\
             recipients = {{ masked = \"keys/{masked}.pub\", sealed = [\"keys/{sealed_a}.pub\", \"keys/{sealed_b}.pub\"] }}\n\n\
             # All in one place for the demo. In real use this key and the sealed ones are not on the gateway.\n\
             [replay]\nmasked_key = \"keys/{masked}\"\n\n{unmask}\
             [keys]\nvault = \"keys/{vault}\"\naudit_log = \"keys/{log}\"\nmanifest = \"keys/{manifest}\"\n",
            unmask = self.unmask_text(),
            host = keys::SSH_HOST,
            masked = keys::CUSTODY_MASKED,
            vault = keys::VAULT,
            log = keys::AUDIT_LOG,
            manifest = keys::MANIFEST,
        )
    }
}

/// The unsealer's own directory, with the sealed keys: the gateway has their public halves.
fn unsealer_dir(dir: &Path) -> Result<()> {
    for d in [UNSEALER, "unsealer/state"] {
        private_dir(&dir.join(d))?;
    }
    for name in keys::CUSTODY_SEALED {
        let (from, to) = (dir.join("keys").join(name), dir.join(UNSEALER).join(name));
        if from.exists() {
            fs::rename(&from, &to).with_context(|| format!("cannot move {name} to the unsealer"))?;
        }
    }
    Ok(())
}

fn ports(file: &Path) -> Result<Ports> {
    if let Ok(text) = fs::read_to_string(file) {
        let ports: Ports = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; forget the demo with: anteroom demo --reset", file.display()))?;
        // Told before anything is started, and not after half of it.
        for port in [ports.portal, ports.ssh, ports.ehr_db_1, ports.infusion_pump_7, ports.rdp, ports.reading_room_1] {
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
                bail!("port {port} on 127.0.0.1 is taken by another program (this demo, running already?); stop that one first");
            }
        }
        return Ok(ports);
    }
    let ports = Ports {
        portal: free(7070)?,
        ssh: free(7022)?,
        ehr_db_1: free(7122)?,
        infusion_pump_7: free(7123)?,
        rdp: free(7389)?,
        reading_room_1: free(7124)?,
    };
    fs::write(file, serde_json::to_string_pretty(&ports)?).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(ports)
}

/// The wished-for port, or else any that is free.
fn free(wish: u16) -> Result<u16> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|l| l.local_addr()).map(|a| a.port());
    bind(wish).or_else(|_| bind(0)).context("no free port on 127.0.0.1")
}
