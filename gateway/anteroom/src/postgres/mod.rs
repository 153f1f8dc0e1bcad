//! A private Postgres: a child process nobody else can reach.
//!
//! Debian's server binaries, a Unix socket in a 0700 directory, peer authentication, fsync and checksums on. Nothing listens on
//! the network and no password exists. When we are root it runs as an unprivileged account, because Postgres refuses root.
mod binaries;
mod cluster;
mod orphan;

use crate::child::{Child, Ending, RunAs, tied};
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use sqlx::{
    Connection as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    fs::{File, OpenOptions, Permissions},
    os::unix::fs::{OpenOptionsExt, PermissionsExt, chown},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

pub(crate) use cluster::{Database, Layout, forget};

/// SIGINT is Postgres' fast shutdown: sessions are cut, everything committed is kept.
const FAST: Ending = Ending { first: Signal::INT, patience: Duration::from_secs(20), last: Signal::QUIT };
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running private cluster. Ends with us, however we end.
#[derive(Debug)]
pub(crate) struct Postgres {
    child: Child,
    sockets: SocketDirs,
    // Held as long as the cluster runs: one gateway a directory.
    _lock: File,
}

/// Where the sockets are: in short, freshly made directories, because a socket's path holds 107 bytes at most.
#[derive(Debug)]
struct SocketDirs {
    own: tempfile::TempDir,
    guests: Option<tempfile::TempDir>,
}

impl Postgres {
    /// Starts the cluster in `dir`, making it first if there is none. The second start takes well under a second.
    pub(crate) async fn start(dir: &Path, layout: &Layout) -> Result<Self> {
        let lock = lock(dir)?;
        let run_as = unprivileged()?;
        let data = cluster::place(dir, run_as)?;
        let bin = binaries::find(&data)?;
        orphan::end(&data).await?;
        cluster::ensure(&data, &bin, run_as, layout).await?;
        remove_leftover(dir);
        let sockets = SocketDirs::make(run_as, layout.guests)?;

        let log = log_file(dir)?;
        let mut postgres = tied(bin.join("postgres"), run_as, "INT");
        let mut directories = sockets.own.path().display().to_string();
        if let Some(g) = &sockets.guests {
            directories = format!("{directories},{}", g.path().display());
        }
        postgres.arg("-D").arg(&data).arg("-c").arg(format!("unix_socket_directories={directories}"));
        postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = Child::spawn("postgres", postgres)?;
        let this = Self { child, sockets, _lock: lock };
        this.until_ready(dir).await?;
        // For commands that are run beside us; believed only while our lock is held.
        std::fs::write(dir.join("socket"), this.socket().display().to_string()).context("cannot note where the socket is")?;
        Ok(this)
    }

    /// The socket of a cluster that another process runs in `dir` right now.
    pub(crate) fn running_socket(dir: &Path) -> Option<std::path::PathBuf> {
        let lock = File::open(dir.join("lock")).ok()?;
        if lock.try_lock_shared().is_ok() {
            return None;
        }
        let socket = std::fs::read_to_string(dir.join("socket")).ok()?;
        Some(socket.into())
    }

    async fn until_ready(&self, dir: &Path) -> Result<()> {
        let began = Instant::now();
        let options = self.options(Database::ANTEROOM, "anteroom_owner");
        loop {
            if let Some(status) = self.child.has_ended() {
                bail!("the private Postgres ended at once ({status}); see {}", dir.join("postgres.log").display());
            }
            match sqlx::postgres::PgConnection::connect_with(&options).await {
                Ok(_) => return Ok(()),
                Err(e) if began.elapsed() > START_LIMIT => {
                    return Err(e)
                        .with_context(|| format!("the private Postgres does not answer; see {}", dir.join("postgres.log").display()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Connects as `role`, by peer authentication.
    pub(crate) fn options(&self, database: &str, role: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(self.sockets.own.path()).username(role).database(database)
    }

    pub(crate) async fn pool(&self, database: &str, role: &str, size: u32) -> Result<PgPool, sqlx::Error> {
        PgPoolOptions::new().max_connections(size).acquire_timeout(Duration::from_secs(5)).connect_with(self.options(database, role)).await
    }

    /// Directory of the socket that guests (accounts of a demo target) may use.
    pub(crate) fn guest_socket(&self) -> Option<&Path> {
        self.sockets.guests.as_ref().map(tempfile::TempDir::path)
    }

    pub(crate) fn socket(&self) -> &Path {
        self.sockets.own.path()
    }

    /// Resolves when it ended without being asked.
    pub(crate) async fn ended(&self) {
        self.child.ended().await;
    }

    pub(crate) async fn stop(&self) {
        self.child.stop(FAST).await;
    }
}

impl SocketDirs {
    fn make(run_as: Option<RunAs>, guests: Option<RunAs>) -> Result<Self> {
        let make = |mode: u32, gid: Option<u32>| -> Result<tempfile::TempDir> {
            // Not TMPDIR: it may be long. 0700 from the first moment, then handed over.
            let d = tempfile::Builder::new()
                .prefix("anteroom-pg-")
                .tempdir_in("/tmp")
                .context("cannot make a directory for the socket in /tmp")?;
            if let Some(u) = run_as {
                chown(d.path(), Some(u.uid), Some(gid.unwrap_or(u.gid))).context("cannot hand over the socket directory")?;
            }
            std::fs::set_permissions(d.path(), Permissions::from_mode(mode)).context("cannot set the socket directory's mode")?;
            Ok(d)
        };
        Ok(Self { own: make(0o700, None)?, guests: guests.map(|g| make(0o750, Some(g.gid))).transpose()? })
    }
}

/// The socket directory of a run that was killed: we hold the lock, so nobody uses it.
fn remove_leftover(dir: &Path) {
    if let Ok(old) = std::fs::read_to_string(dir.join("socket"))
        && old.starts_with("/tmp/anteroom-pg-")
        && !old.contains("..")
    {
        let _ = std::fs::remove_dir_all(old);
    }
}

/// The account that runs Postgres when we are root: Debian's own if it is there.
fn unprivileged() -> Result<Option<RunAs>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let found = ["postgres", "nobody"].into_iter().find_map(RunAs::account);
    Ok(Some(found.context("started as root, but there is neither an account postgres nor nobody to run the database as")?))
}

/// One process a directory; the lock goes when its holder does, however it ends.
fn lock(dir: &Path) -> Result<File> {
    if !dir.exists() {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // The server's account has to pass through; the cluster itself is 0700.
        std::fs::set_permissions(dir, Permissions::from_mode(0o711)).with_context(|| format!("cannot open {}", dir.display()))?;
    }
    let path = dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    if file.try_lock().is_err() {
        bail!("{} is in use by another anteroom; stop that one first", dir.display());
    }
    Ok(file)
}

/// Only the last two runs' worth: it says when the server started and stopped, and no statement is ever logged.
fn log_file(dir: &Path) -> Result<File> {
    let path = dir.join("postgres.log");
    if std::fs::metadata(&path).is_ok_and(|m| m.len() > 1 << 20) {
        let _ = std::fs::rename(&path, dir.join("postgres.log.1"));
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(&path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests;
