//! The demo's targets: OpenSSH servers of their own, on loopback, with one account each.
//!
//! The accounts exist nowhere but in a file that `libnss_wrapper` shows to this sshd, so the machine's own accounts are neither
//! needed nor touched. Only the vaulted key opens them, and they run as nobody when we are root.
use super::state::State;
use crate::child::{Child, Ending, RunAs, tied};
use anyhow::{Context, Result, anyhow, bail};
use rustix::process::Signal;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const SSHD: &str = "/usr/sbin/sshd";
const END: Ending = Ending { first: Signal::TERM, patience: Duration::from_secs(3), last: Signal::KILL };
const DEVICE: &str = include_str!("infusion-pump.sh");

/// A running target.
pub(super) struct Sshd {
    pub(super) name: &'static str,
    pub(super) account: &'static str,
    pub(super) port: u16,
    pub(super) host_key: String,
    /// For the vault.
    pub(super) account_key: PathBuf,
    child: Child,
    _files: tempfile::TempDir,
}

/// Whom the targets' users are on this machine: nobody when we are root, else ourselves.
pub(super) fn guest_account() -> Option<RunAs> {
    rustix::process::geteuid().is_root().then(|| RunAs::account("nobody")).flatten()
}

pub(super) async fn start_all(state: &State, database: &Path) -> Result<Vec<Sshd>> {
    let psql = format!("SetEnv PGHOST={} PGUSER=dba PGDATABASE=ehr PAGER=cat", database.display());
    let ehr = Sshd::start(state, "ehr-db-1", "dba", state.ports.ehr_db_1, &psql, None);
    let pump = Sshd::start(state, "infusion-pump-7", "service", state.ports.infusion_pump_7, "", Some(DEVICE));
    Ok(vec![ehr.await?, pump.await?])
}

/// Resolves when one ended by itself.
pub(super) async fn any_ended(targets: &[Sshd]) -> anyhow::Error {
    let mut waiting: Vec<_> = targets.iter().map(|t| Box::pin(t.child.ended())).collect();
    std::future::poll_fn(|cx| {
        for (w, t) in waiting.iter_mut().zip(targets) {
            if w.as_mut().poll(cx).is_ready() {
                return std::task::Poll::Ready(anyhow!("the demo target {} ended by itself", t.name));
            }
        }
        std::task::Poll::Pending
    })
    .await
}

impl Sshd {
    async fn start(state: &State, name: &'static str, account: &'static str, port: u16, extra: &str, forced: Option<&str>) -> Result<Self> {
        let kept = state.target_dir(name);
        crate::compose::private_dir(&kept)?;
        let (host, account_key) = (key(&kept, "host_key")?, key(&kept, "account_key")?);
        let files = lay_out(name, account, &kept, port, extra, forced)?;
        let at = |f: &str| files.path().join(f);
        let mut sshd = tied(SSHD, None, "TERM");
        sshd.args(["-D", "-e", "-f"]).arg(at("sshd_config"));
        sshd.env("LD_PRELOAD", "libnss_wrapper.so").env("NSS_WRAPPER_PASSWD", at("passwd")).env("NSS_WRAPPER_GROUP", at("group"));
        let log = fs::File::create(kept.join("sshd.log")).context("cannot write the target's log")?;
        sshd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = Child::spawn("sshd", sshd)?;
        let host_key = fs::read_to_string(host.with_extension("pub")).context("the target's public host key")?;
        let this = Self { name, account, port, host_key: host_key.trim().to_owned(), account_key, child, _files: files };
        this.until_ready(&kept).await?;
        Ok(this)
    }

    async fn until_ready(&self, kept: &Path) -> Result<()> {
        let began = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        loop {
            if self.child.has_ended().is_some() || began.elapsed() > Duration::from_secs(10) {
                let log = fs::read_to_string(kept.join("sshd.log")).unwrap_or_default();
                bail!("the demo target {} did not start: {}", self.name, log.lines().last().unwrap_or("it said nothing"));
            }
            if TcpStream::connect(address).is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) async fn stop(&self) {
        self.child.stop(END).await;
    }
}

/// A key made once and kept, so that the pinned host key goes on to fit.
fn key(dir: &Path, name: &str) -> Result<PathBuf> {
    let path = dir.join(name);
    if !path.exists() {
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&path).stdin(Stdio::null()).output();
        let made = made.context("cannot run ssh-keygen (package openssh-client)")?;
        if !made.status.success() {
            bail!("ssh-keygen failed: {}", String::from_utf8_lossy(&made.stderr).trim());
        }
    }
    Ok(path)
}

/// What the server and its account read, in a directory that the account can reach wherever the demo's state lies. Nothing here is secret.
fn lay_out(name: &str, account: &str, kept: &Path, port: u16, extra: &str, forced: Option<&str>) -> Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new().prefix("anteroom-target-").tempdir_in("/tmp").context("cannot make a directory in /tmp")?;
    let at = |f: &str| dir.path().join(f);
    let write = |f: &str, text: &str, mode: u32| -> Result<()> {
        fs::write(at(f), text)
            .and_then(|()| fs::set_permissions(at(f), fs::Permissions::from_mode(mode)))
            .with_context(|| format!("cannot write {f} of the demo target"))
    };
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).context("cannot open the target's directory")?;
    fs::create_dir(at("home")).context("cannot make the account's home")?;
    let me = RunAs { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() };
    let who = guest_account().unwrap_or(me);
    chown(at("home"), Some(who.uid), Some(who.gid)).context("cannot hand over the account's home")?;
    let rc = format!("PS1='{account}@{name}:\\w\\$ '\n");
    write("home/.bashrc", &rc, 0o644)?;
    write("home/.bash_profile", &rc, 0o644)?;
    write("authorized_keys", &fs::read_to_string(kept.join("account_key.pub")).context("the account's public key")?, 0o644)?;
    let home = at("home");
    write(
        "passwd",
        &format!(
            "{}{account}:x:{}:{}:Demo account:{}:/bin/bash\n",
            system_lines("/etc/passwd", &["root", "sshd"]),
            who.uid,
            who.gid,
            home.display()
        ),
        0o644,
    )?;
    write("group", &fs::read_to_string("/etc/group").unwrap_or_default(), 0o644)?;
    let mut config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\nAuthorizedKeysFile {keys}\nAuthenticationMethods publickey\nAllowUsers {account}\n\
         StrictModes no\nUsePAM no\nPidFile none\nPrintMotd no\nPrintLastLog no\nX11Forwarding no\nMaxStartups 200:30:400\nMaxSessions 100\nSubsystem sftp internal-sftp\n{extra}\n",
        host_key = kept.join("host_key").display(),
        keys = at("authorized_keys").display(),
    );
    match forced {
        Some(script) => {
            write("device", script, 0o755)?;
            config.push_str(&format!("DisableForwarding yes\nForceCommand {}\n", at("device").display()));
        }
        None => config.push_str("AllowTcpForwarding local\nAllowAgentForwarding no\n"),
    }
    write("sshd_config", &config, 0o644)?;
    if me.uid == 0 {
        // Where a root sshd locks its unprivileged half in; a machine whose own sshd never ran lacks it.
        fs::create_dir_all("/run/sshd").context("cannot make /run/sshd")?;
    }
    Ok(dir)
}

fn system_lines(file: &str, names: &[&str]) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter(|l| l.split(':').next().is_some_and(|n| names.contains(&n))).fold(String::new(), |s, l| s + l + "\n")
}
