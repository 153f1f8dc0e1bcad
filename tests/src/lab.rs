//! The product on free loopback ports without a person: what `make lab` starts, and benchmarks and probes run on.
//!
//! Nothing is switched off. The admin and the approver are passkeys of software that go through enrolment, request, approval and
//! step-up over the portal's real routes; only the time a step-up is remembered differs from the default, which policy allows.
use crate::harness::{Person, Sshd, World, WorldOptions, keygen};
use anteroom_test_swarm::Target;
use anyhow::{Context, Result};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};
use time::{Duration, OffsetDateTime};

/// Grant and remembered step-up.
const HOURS: i64 = 8;
/// Everything a grant can hold: what is measured and probed is the road, not the refusals.
const CAPABILITIES: [&str; 7] = ["shell", "exec", "download", "upload", "local-forward:*", "remote-forward:*", "agent-forwarding"];

/// The target that costs little, for many sessions at once, and its account.
pub(crate) const LIGHT: (&str, &str) = ("lab-light", "light");

/// A running lab. Dropping it ends every process.
#[derive(Debug)]
pub struct Lab {
    world: World,
    jump: Sshd,
    light: Target,
}

impl Lab {
    /// Starts everything in `dir`, which is emptied first.
    pub fn start(dir: &Path) -> Result<Self> {
        if dir.exists() {
            fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
        }
        // Many connections and channels at once are what benchmarks and probes do.
        let many = "MaxStartups 500\nMaxSessions 200\n";
        let world = World::with(WorldOptions {
            dir: Some(dir.to_owned()),
            target: "lab-target".into(),
            remember_step_up: format!("{HOURS}h"),
            sshd: many.into(),
            max_channels: 200,
            // All of them come from one address.
            ssh: "max_unauthenticated = 1000\nmax_unauthenticated_per_address = 1000\n".into(),
            ..Default::default()
        })?;
        let jump = Sshd::start(&world.dir.join("jump"), "jump", many)?;
        let light = start_light(&world)?;
        let lab = Self { world, jump, light };
        let admin = lab.open_the_door()?;
        lab.write_ssh_config(&admin)?;
        lab.write_facts(&admin)?;
        Ok(lab)
    }

    pub fn portal(&self) -> &str {
        self.world.origin.as_str()
    }

    /// In order: sessions are told, recordings sealed, then the rest.
    pub fn stop(self) -> Result<()> {
        self.world.stop_gateway()
    }

    /// People, request, approval, key, and one confirmed connection.
    fn open_the_door(&self) -> Result<Person> {
        let w = &self.world;
        let admin = w.admin("lab-admin")?;
        let approver = w.person("lab-approver", &["approver", "auditor", "operator"])?;
        let until = OffsetDateTime::now_utc() + Duration::hours(HOURS);
        approver.approve(&admin.request_all_until(&w.target.name, &w.target.account, &CAPABILITIES, until)?)?;
        w.ssh(&admin)?.command("true").run()?.good()?;
        approver.approve(&admin.request_all_until(LIGHT.0, LIGHT.1, &["shell", "exec"], until)?)?;
        w.ssh(&admin)?.login(&light_login()).command("true").run()?.good()?;
        Ok(admin)
    }

    fn write_ssh_config(&self, admin: &Person) -> Result<()> {
        let w = &self.world;
        let hosts = [
            ("direct", w.target.port, w.target.account.clone(), w.target.dir.join("account_key"), w.target.host_key.clone()),
            ("jumphost", self.jump.port, self.jump.account.clone(), self.jump.dir.join("account_key"), self.jump.host_key.clone()),
            ("gateway", w.ssh_port(), w.login(), admin.ssh_key.clone(), w.gateway_host_key()?),
        ];
        let known = w.dir.join("known_hosts");
        let mut keys = String::new();
        let mut config = String::from("# Written by the lab: ssh -F this-file direct|jump|gateway\n");
        for (name, port, user, identity, key) in &hosts {
            keys += &format!("[127.0.0.1]:{port} {}\n", key.trim());
            // The target once more, through the plain jump host.
            let name = if *name == "direct" { "direct jump" } else { name };
            config += &format!("Host {name}\n    Port {port}\n    User {user}\n    IdentityFile {}\n", identity.display());
        }
        config += &format!(
            "Host jump\n    ProxyJump jumphost\n\
             Host direct jump jumphost gateway\n    HostName 127.0.0.1\n    IdentitiesOnly yes\n    IdentityAgent none\n    \
             UserKnownHostsFile {}\n    GlobalKnownHostsFile /dev/null\n    StrictHostKeyChecking yes\n    BatchMode yes\n    \
             ConnectTimeout 20\n    LogLevel ERROR\n",
            known.display()
        );
        fs::write(known, keys)?;
        Ok(fs::write(self.ssh_config(), config)?)
    }

    fn ssh_config(&self) -> PathBuf {
        self.world.dir.join("ssh_config")
    }

    fn write_facts(&self, admin: &Person) -> Result<()> {
        let w = &self.world;
        let facts = json!({
            "gateway_pid": w.gateway_pid(),
            "portal_url": w.origin.as_str(),
            "config": w.dir.join("anteroom.toml"),
            "data_dir": w.dir.join("state"),
            "recordings_dir": w.recordings,
            "ssh_config": self.ssh_config(),
            "target": w.target.name,
            "account": w.target.account,
            "light": { "login": light_login(), "key": admin.ssh_key, "host_key": w.gateway_host_key()?, "port": self.light.address.port() },
            "ports": { "gateway": w.ssh_port(), "portal": w.origin.port(), "target": w.target.port, "jump": self.jump.port },
        });
        Ok(fs::write(w.dir.join("lab.json"), serde_json::to_string_pretty(&facts)?)?)
    }
}

pub(crate) fn light_login() -> String {
    format!("{}@{}", LIGHT.1, LIGHT.0)
}

pub(crate) fn start_light(world: &World) -> Result<Target> {
    let dir = world.dir.join("light");
    fs::create_dir_all(&dir)?;
    let (host, account) = (dir.join("host_key"), dir.join("account_key"));
    for key in [&host, &account] {
        keygen(key)?;
    }
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let target = Target::start(&read(&host)?, &read(&account.with_extension("pub"))?)?;
    world.register(LIGHT.0, target.address.port(), &read(&host.with_extension("pub"))?, LIGHT.1, &read(&account)?)?;
    Ok(target)
}
