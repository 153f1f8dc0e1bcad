//! A Postgres that others run, as `database.url` names one: the test can take it away and bring it back.
use super::{Daemon, wait::wait_for};
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Connections it accepts: the gateway's, the commands' and `psql`'s.
#[derive(Debug)]
pub struct Cluster {
    dir: tempfile::TempDir,
    bin: PathBuf,
    /// Postgres refuses to run as root.
    run_as: Option<(u32, u32)>,
    server: Option<Daemon>,
    /// Whether a commit waits for the disk.
    durable: bool,
}

impl Cluster {
    /// Makes and starts one with an empty database `anteroom` and the two roles.
    pub fn start() -> Result<Self> {
        Self::new(false)
    }

    /// One that keeps what it says it has kept, for measuring.
    pub fn start_durable() -> Result<Self> {
        Self::new(true)
    }

    fn new(durable: bool) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("anteroom-cluster-").tempdir_in("/tmp")?;
        fs::set_permissions(dir.path(), Permissions::from_mode(0o711))?;
        let run_as = if super::account_here()? == "root" { Some(account("postgres")?) } else { None };
        for part in ["data", "socket"] {
            let path = dir.path().join(part);
            fs::create_dir(&path)?;
            fs::set_permissions(&path, Permissions::from_mode(0o700))?;
            if let Some((uid, gid)) = run_as {
                chown(&path, Some(uid), Some(gid))?;
            }
        }
        let mut this = Self { bin: newest()?, dir, run_as, server: None, durable };
        let mut initdb = this.command("initdb");
        initdb.arg("-D").arg(this.data()).args(["-U", "anteroom_owner", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        let initdb = initdb.output().context("cannot run initdb")?;
        if !initdb.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&initdb.stderr));
        }
        this.bring_back()?;
        this.psql("postgres", "create role anteroom_app login")?;
        this.psql("postgres", "create database anteroom")?;
        Ok(this)
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
    fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    fn command(&self, program: &str) -> Command {
        let mut c = Command::new("setpriv");
        self.who(&mut c);
        c.arg("--").arg(self.bin.join(program)).current_dir("/");
        c
    }

    fn who(&self, c: &mut Command) {
        if let Some((uid, gid)) = self.run_as {
            c.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
        } else {
            c.arg("--no-new-privs");
        }
    }

    /// Transactions a second of one statement, by Postgres' own `pgbench`: several clients, some seconds.
    pub fn pgbench(&self, statement: &str, clients: u32, seconds: u32) -> Result<f64> {
        let script = self.dir.path().join("statement.sql");
        fs::write(&script, statement)?;
        fs::set_permissions(&script, Permissions::from_mode(0o644))?;
        let mut c = self.command("pgbench");
        c.arg("-h").arg(self.socket()).args(["-U", "anteroom_owner", "-n", "-M", "prepared", "-j", "2"]);
        c.args(["-c", &clients.to_string(), "-T", &seconds.to_string(), "-f"]).arg(&script).arg("anteroom");
        let out = c.output().context("cannot run pgbench")?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let rate = text.lines().find_map(|l| l.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
        rate.with_context(|| format!("pgbench: {text} {}", String::from_utf8_lossy(&out.stderr)))
    }

    /// As `database.url` and `database.owner_url` name it.
    pub fn url(&self, role: &str) -> String {
        format!("postgres://{role}@localhost/anteroom?host={}", self.socket().display())
    }

    /// Cuts every connection, keeps what was committed.
    pub fn take_away(&mut self) -> Result<()> {
        let mut server = self.server.take().context("it does not run")?;
        server.signal(Signal::INT)?;
        server.ended(Duration::from_secs(30))?;
        Ok(())
    }

    pub fn bring_back(&mut self) -> Result<()> {
        let log = self.dir.path().join("postgres.log");
        let mut c = Command::new("setpriv");
        c.args(["--pdeathsig", "INT"]);
        self.who(&mut c);
        c.arg("--").arg(self.bin.join("postgres")).arg("-D").arg(self.data()).current_dir("/");
        c.args(["-c", "listen_addresses=", "-c", if self.durable { "fsync=on" } else { "fsync=off" }, "-c"])
            .arg(format!("unix_socket_directories={}", self.socket().display()));
        self.server = Some(Daemon::start(c, &log)?);
        wait_for("Postgres", Duration::from_secs(30), || Ok(self.psql("postgres", "select 1").is_ok().then_some(())))
    }

    /// It neither answers nor hangs up, until [`thaw`](Self::thaw).
    pub fn freeze(&self) -> Result<()> {
        // The postmaster first, so that it starts nobody new.
        self.signal_all(Signal::STOP)?;
        self.signal_all(Signal::STOP)
    }
    pub fn thaw(&self) -> Result<()> {
        self.signal_all(Signal::CONT)
    }

    fn signal_all(&self, signal: Signal) -> Result<()> {
        let main = self.server.as_ref().context("it does not run")?.pid();
        let children = fs::read_to_string(format!("/proc/{main}/task/{main}/children"))?;
        for pid in std::iter::once(main.to_string()).chain(children.split_ascii_whitespace().map(str::to_owned)) {
            // A backend may end in this very moment.
            let _ = kill_process(Pid::from_raw(pid.parse()?).context("no process")?, signal);
        }
        Ok(())
    }

    pub fn psql(&self, database: &str, sql: &str) -> Result<String> {
        psql(&self.socket(), "anteroom_owner", database, sql)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What is stopped cannot end.
        let _ = self.thaw();
        let _ = self.take_away();
    }
}

/// What one statement prints, as bare rows.
pub(super) fn psql(socket: &Path, role: &str, database: &str, sql: &str) -> Result<String> {
    let mut c = Command::new("psql");
    c.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"]).arg(socket).args(["-U", role, "-d", database, "-c", sql]);
    let out = c.output().context("cannot run psql (package postgresql-client)")?;
    if !out.status.success() {
        bail!("psql: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// Debian keeps the server's programs off the PATH.
fn newest() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").context("no Postgres server (package postgresql)")?;
    let newest = versions.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<u32>().ok()).max().context("no Postgres server")?;
    Ok(PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin")))
}

fn account(name: &str) -> Result<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd")?;
    let line = passwd.lines().find(|l| l.split(':').next() == Some(name)).with_context(|| format!("no account {name}"))?;
    let f: Vec<&str> = line.split(':').collect();
    Ok((f[2].parse()?, f[3].parse()?))
}
