//! A whole installation in a directory of its own: keys, configuration, private Postgres, gateway, portal and one target.
use super::{Cli, Daemon, Person, Route, Ssh, Sshd, ports, wait::wait_for};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use url::Url;

/// The first start makes a database cluster.
const START_LIMIT: Duration = Duration::from_secs(60);
/// What the program logs when a part of it panicked. No story may end with that.
const BROKEN: &str = "broken: please report this place";
const STOP_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub struct WorldOptions {
    /// Where to build it; a fresh directory that is removed again if not given.
    pub dir: Option<PathBuf>,
    pub target: String,
    /// `ssh.remember_step_up`
    pub remember_step_up: String,
    /// Lines of the target's `sshd_config`.
    pub sshd: String,
    /// Where recordings go, if not beside the rest.
    pub recordings: Option<PathBuf>,
    pub max_channels: usize,
    /// Lines of `[ssh]` besides those.
    pub ssh: String,
    /// `[database]`, if it is not the private one.
    pub database: Option<String>,
    /// More sections of the configuration.
    pub more: String,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            dir: None,
            target: "ehr-db-1".into(),
            remember_step_up: "0s".into(),
            sshd: String::new(),
            recordings: None,
            max_channels: 64,
            ssh: String::new(),
            database: None,
            more: String::new(),
        }
    }
}

#[derive(Debug)]
pub struct World {
    pub dir: PathBuf,
    pub origin: Url,
    pub cli: Cli,
    pub target: Sshd,
    pub recordings: PathBuf,
    gateway: Mutex<Option<Running>>,
    litter: Mutex<Vec<PathBuf>>,
    // Last: removed when everything above has ended.
    _own: Option<tempfile::TempDir>,
}

#[derive(Debug)]
struct Running {
    daemon: Daemon,
    ssh_port: u16,
    /// 0 if there is no `[rdp]`.
    rdp_port: u16,
}

/// A gateway beside a [`World`]'s own; ends when dropped.
#[derive(Debug)]
pub struct SecondGateway(Running);

impl SecondGateway {
    pub fn ssh_port(&self) -> u16 {
        self.0.ssh_port
    }
    pub fn pid(&self) -> u32 {
        self.0.daemon.pid()
    }
}

impl World {
    pub fn start() -> Result<Self> {
        Self::with(WorldOptions::default())
    }

    pub fn with(options: WorldOptions) -> Result<Self> {
        let own = match options.dir {
            Some(_) => None,
            None => Some(tempfile::Builder::new().prefix("anteroom-test-").tempdir()?),
        };
        let dir = options.dir.clone().or_else(|| own.as_ref().map(|d| d.path().to_owned())).context("no directory")?;
        fs::create_dir_all(&dir)?;
        let dir = dir.canonicalize()?;
        // The database's account has to pass through.
        fs::set_permissions(&dir, Permissions::from_mode(0o711))?;
        for part in ["ssh", "targets"] {
            fs::create_dir_all(dir.join(part))?;
        }
        let target = Sshd::start(&dir.join("targets").join(&options.target), &options.target, &options.sshd)?;
        let config = dir.join("anteroom.toml");
        let cli = Cli::new(Some(&config))?;
        let keys = dir.join("keys").display().to_string();
        cli.good(&["keys", "generate", "--dir", &keys])?;
        let recordings = options.recordings.clone().unwrap_or_else(|| dir.join("recordings"));
        let mut attempt = 0;
        let (origin, running) = loop {
            let port = ports::candidate();
            let origin = Url::parse(&format!("http://localhost:{port}"))?;
            fs::write(&config, config_text(&options, &origin, port, &recordings))?;
            if options.database.is_some() {
                cli.good(&["migrate"])?;
            }
            match launch(&cli, &dir, "anteroom.toml", "gateway.log") {
                Ok(running) => break (origin, running),
                Err(e) if attempt < 3 && format!("{e:#}").contains("in use (os error") => attempt += 1,
                Err(e) => return Err(e),
            }
        };
        let world = Self { dir, origin, cli, target, recordings, gateway: Mutex::new(Some(running)), litter: Mutex::default(), _own: own };
        world.make_target_known(&world.target)?;
        Ok(world)
    }

    /// Starts one more target; its account's key goes into the vault.
    pub fn add_target(&self, name: &str, sshd: &str) -> Result<Sshd> {
        let target = Sshd::start(&self.dir.join("targets").join(name), name, sshd)?;
        self.make_target_known(&target)?;
        Ok(target)
    }

    fn make_target_known(&self, t: &Sshd) -> Result<()> {
        self.register(&t.name, t.port, &t.host_key, &t.account, &t.account_key()?)
    }

    /// Makes a target on this machine known, with its pinned key and an account whose key goes into the vault.
    pub fn register(&self, name: &str, port: u16, host_key: &str, account: &str, account_key: &str) -> Result<()> {
        // A kept directory knows it already.
        if self.cli.good(&["target", "list", "--json", name])?.contains(&format!("\"{name}\"")) {
            return Ok(());
        }
        self.cli.good(&["target", "add", name, "--host", "127.0.0.1", "--port", &port.to_string(), "--description", "a test's own"])?;
        self.cli.good_with(&["target", "pin", name], host_key.as_bytes())?;
        self.cli.good_with(&["target", "credential", name, account, "--kind", "key"], account_key.as_bytes())?;
        Ok(())
    }

    // --- People -----------------------------------------------------------------------------------------------------

    /// Adds somebody; their one-time link.
    pub fn add_person(&self, handle: &str, roles: &[&str]) -> Result<String> {
        let name = format!("{}{} Example", handle[..1].to_uppercase(), &handle[1..]);
        let mut args = vec!["person", "add", handle, "--name", &name];
        args.extend(roles.iter().flat_map(|r| ["--role", r]));
        Ok(self.cli.good(&args)?.trim().to_owned())
    }

    /// Somebody who has a passkey and is signed in.
    pub fn person(&self, handle: &str, roles: &[&str]) -> Result<Person> {
        let link = self.add_person(handle, roles)?;
        let person = Person::new(handle, &self.origin, self.dir.join("ssh").join(handle));
        person.enrol(&link)?;
        Ok(person)
    }

    /// Somebody who may ask for access and has an SSH key too.
    pub fn admin(&self, handle: &str) -> Result<Person> {
        let person = self.person(handle, &["admin"])?;
        person.add_ssh_key()?;
        Ok(person)
    }

    /// Request and approval for an hour on the target; the grant's id.
    pub fn grant(&self, to: &Person, by: &Person) -> Result<String> {
        by.approve(&to.request(&self.target.name, &self.target.account)?)
    }

    /// ada, who may connect for an hour, and ben, who approved it.
    /// What counts from now on: the default policy with this after it.
    pub fn add_to_policy(&self, more: &str) -> Result<()> {
        let file = self.dir.join("more.cedar");
        fs::write(&file, format!("{}\n{more}", self.cli.good(&["policy", "default"])?))?;
        self.cli.good(&["policy", "set", &file.display().to_string(), "--note", "for a test"]).map(drop)
    }

    pub fn ada_and_ben(&self) -> Result<(Person, Person)> {
        let (ada, ben) = (self.admin("ada")?, self.person("ben", &["approver", "operator"])?);
        self.grant(&ada, &ben)?;
        Ok((ada, ben))
    }

    // --- ssh --------------------------------------------------------------------------------------------------------

    /// To the target through the gateway, confirmed by the same person in the background.
    pub fn ssh(&self, person: &Person) -> Result<Ssh> {
        Ok(Ssh::new(self, Route::Gateway(person.clone()))?.login(&self.login()))
    }

    /// Straight to the target, with its own account's key.
    pub fn direct(&self) -> Result<Ssh> {
        Ok(Ssh::new(self, Route::Direct)?.login(&self.target.account))
    }

    /// `account@target`
    pub fn login(&self) -> String {
        format!("{}@{}", self.target.account, self.target.name)
    }

    pub(super) fn ssh_config(&self, route: &Route) -> Result<PathBuf> {
        let (name, host, port, identity, key) = match route {
            Route::Gateway(p) => {
                (p.handle.as_str(), "gateway", self.ssh_port(), p.ssh_key.clone(), public_half(&self.dir.join("keys/ssh-host.key"))?)
            }
            Route::Direct => ("direct", "direct", self.target.port, self.target.dir.join("account_key"), self.target.host_key.clone()),
        };
        let at = |suffix: &str| self.dir.join("ssh").join(format!("{name}.{suffix}"));
        let words: Vec<&str> = key.split_ascii_whitespace().take(2).collect();
        write_whole(&at("known_hosts"), &format!("{host} {}\n", words.join(" ")))?;
        let text = format!(
            "Host *\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias {host}\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  \
             StrictHostKeyChecking yes\n  CheckHostIP no\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  \
             PreferredAuthentications publickey,keyboard-interactive\n  ControlPath none\n  ConnectTimeout 20\n",
            at("known_hosts").display(),
            identity.display()
        );
        write_whole(&at("config"), &text)?;
        Ok(at("config"))
    }

    // --- The gateway's process --------------------------------------------------------------------------------------

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.gateway.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ssh_port(&self) -> u16 {
        self.running().as_ref().map_or(0, |r| r.ssh_port)
    }

    pub fn rdp_port(&self) -> u16 {
        self.running().as_ref().map_or(0, |r| r.rdp_port)
    }

    /// The gateway's public host key, one line.
    pub fn gateway_host_key(&self) -> Result<String> {
        public_half(&self.dir.join("keys/ssh-host.key"))
    }

    pub fn gateway_pid(&self) -> u32 {
        self.running().as_ref().map_or(0, |r| r.daemon.pid())
    }

    pub fn gateway_log(&self) -> String {
        fs::read_to_string(self.dir.join("gateway.log")).unwrap_or_default()
    }

    /// As a power cut would: nothing is closed, nothing is said.
    pub fn kill_gateway(&self) -> Result<()> {
        let mut running = self.running().take().context("the gateway does not run")?;
        // What a killed process could not remove itself.
        if let Ok(socket) = fs::read_to_string(self.dir.join("db/socket")) {
            self.litter.lock().unwrap_or_else(PoisonError::into_inner).push(socket.trim().into());
        }
        running.daemon.kill()
    }

    pub fn stop_gateway(&self) -> Result<()> {
        let mut running = self.running().take().context("the gateway does not run")?;
        let status = running.daemon.stop(STOP_LIMIT)?;
        if !status.success() {
            bail!("the gateway ended with {status}");
        }
        Ok(())
    }

    pub fn start_gateway(&self) -> Result<()> {
        let started = launch(&self.cli, &self.dir, "anteroom.toml", "gateway.log")?;
        *self.running() = Some(started);
        Ok(())
    }

    /// Runs one statement in the private Postgres as the schema's owner: somebody who tampers.
    pub fn sql(&self, statement: &str) -> Result<String> {
        let socket = fs::read_to_string(self.dir.join("db/socket")).context("the private Postgres does not run here")?;
        super::postgres::psql(Path::new(socket.trim()), "anteroom_owner", "anteroom", statement)
    }

    /// One more gateway on the same database, with the same host key, as behind a load balancer. Needs [`WorldOptions::database`].
    pub fn second_gateway(&self) -> Result<SecondGateway> {
        let first = fs::read_to_string(self.dir.join("anteroom.toml"))?;
        let (listen, recordings) = (ports::candidate(), self.dir.join("recordings-second"));
        let own = |line: &str| match line {
            "name = \"test\"" => "name = \"second\"".to_owned(),
            "data_dir = \"state\"" => "data_dir = \"state-second\"".to_owned(),
            l if l.starts_with("dir = ") => format!("dir = \"{}\"", recordings.display()),
            // The portal's, which comes before ssh's.
            l if l.starts_with("listen = ") && !l.ends_with(":0\"") => format!("listen = \"127.0.0.1:{listen}\""),
            l => l.to_owned(),
        };
        let text: Vec<String> = first.lines().map(own).collect();
        fs::write(self.dir.join("second.toml"), text.join("\n"))?;
        Ok(SecondGateway(launch(&self.cli, &self.dir, "second.toml", "second.log")?))
    }

    // --- What the product says about itself ---------------------------------------------------------------------------

    /// Sessions, newest first, as `session list --json` tells them.
    pub fn sessions(&self) -> Result<Vec<Value>> {
        Ok(serde_json::from_str(&self.cli.good(&["session", "list", "--json"])?)?)
    }

    /// Waits until the newest session is over and its recording closed.
    pub fn sealed_session(&self) -> Result<Value> {
        wait_for("the recording to be closed", Duration::from_secs(20), || {
            let newest = self.sessions()?.into_iter().next();
            Ok(newest.filter(|s| !s["ended_at"].is_null() && s["recording"] != "recording"))
        })
    }

    /// Every entry of the audit log, oldest first.
    pub fn audit(&self) -> Result<Vec<Value>> {
        let lines = self.cli.good(&["audit", "tail", "-n", "500", "--json"])?;
        lines.lines().map(|l| Ok(serde_json::from_str::<Value>(l)?["record"].clone())).collect()
    }

    /// Entries of one kind.
    pub fn audited(&self, kind: &str) -> Result<Vec<Value>> {
        Ok(self.audit()?.into_iter().filter(|r| r["kind"] == kind).collect())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let tail = |text: String| text.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
            eprintln!("--- gateway.log\n{}\n--- sshd.log\n{}", tail(self.gateway_log()), tail(self.target.log()));
        }
        // Stopped while its target is still there.
        self.running().take();
        for dir in self.litter.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = fs::remove_dir_all(dir);
        }
        let broken = self.gateway_log().lines().find(|l| l.contains(BROKEN)).map(str::to_owned);
        assert!(broken.is_none() || std::thread::panicking(), "a part of the gateway panicked: {broken:?}");
    }
}

fn public_half(key: &Path) -> Result<String> {
    let out = Command::new("ssh-keygen").args(["-y", "-f"]).arg(key).output().context("cannot run ssh-keygen")?;
    if !out.status.success() {
        bail!("ssh-keygen -y: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(String::from_utf8(out.stdout)?)
}

/// Others may be reading it: replaced, never half written.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().context("no directory")?)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn config_text(o: &WorldOptions, origin: &Url, portal: u16, recordings: &Path) -> String {
    format!(
        r#"[gateway]
name = "test"
data_dir = "state"
[database]
{database}
[portal]
listen = "127.0.0.1:{portal}"
origin = "{origin}"
[ssh]
listen = "127.0.0.1:0"
host_key = "keys/ssh-host.key"
remember_step_up = "{remember}"
max_channels = {channels}
{ssh}
[recording]
dir = "{recordings}"
recipients = {{ masked = "keys/custody-masked.key.pub", sealed = ["keys/custody-sealed-a.key.pub", "keys/custody-sealed-b.key.pub"] }}
[replay]
masked_key_file = "keys/custody-masked.key"
[keys]
vault = "keys/vault.key"
audit_log = "keys/audit-log.key"
manifest = "keys/manifest.key"
[log]
format = "json"
{more}
"#,
        origin = origin.as_str().trim_end_matches('/'),
        remember = o.remember_step_up,
        channels = o.max_channels,
        ssh = o.ssh,
        more = o.more,
        database = o.database.as_deref().unwrap_or("private_dir = \"db\""),
        recordings = recordings.display(),
    )
}

/// Starts `anteroom serve` and waits until it says that it is ready, and where.
fn launch(cli: &Cli, dir: &Path, config: &str, log: &str) -> Result<Running> {
    let log = dir.join(log);
    let before = fs::metadata(&log).map_or(0, |m| m.len()) as usize;
    let mut command = Daemon::command(cli.program(), "TERM");
    command.args(["serve", "--config"]).arg(dir.join(config)).env_remove("ANTEROOM_LOG");
    let mut daemon = Daemon::start(command, &log)?;
    let (ssh_port, rdp_port) = wait_for("the gateway to be ready", START_LIMIT, || {
        let text = daemon.log();
        let new = text.get(before..).unwrap_or_default();
        if let Some(status) = daemon.has_ended()? {
            bail!("the gateway ended ({status}): {}", new.trim());
        }
        let ready = new.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()).find(|l| l["fields"]["message"] == "ready");
        let port = |of: &str| ready.as_ref().and_then(|r| r["fields"][of].as_str()?.rsplit(':').next()?.parse().ok());
        Ok(port("ssh").map(|ssh| (ssh, port("rdp").unwrap_or(0))))
    })?;
    Ok(Running { daemon, ssh_port, rdp_port })
}
