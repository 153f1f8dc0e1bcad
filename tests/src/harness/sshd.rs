//! A target: a real OpenSSH server on a port of its own, with its own host key and one account: whoever runs the test.
use super::{daemon::Daemon, ports, wait::wait_for};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::Read as _,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const PROGRAM: &str = "/usr/sbin/sshd";

#[derive(Debug)]
pub struct Sshd {
    pub name: String,
    pub account: String,
    pub port: u16,
    pub dir: PathBuf,
    /// One line, as `target pin` takes it.
    pub host_key: String,
    daemon: Daemon,
}

impl Sshd {
    /// `dir` is made; `extra` are lines of `sshd_config`. One that names a subsystem is instead of sftp.
    pub fn start(dir: &Path, name: &str, extra: &str) -> Result<Self> {
        fs::create_dir_all(dir)?;
        for key in ["host_key", "account_key"] {
            keygen(&dir.join(key))?;
        }
        fs::copy(dir.join("account_key.pub"), dir.join("authorized_keys"))?;
        // The empty home keeps the tester's own start-up files out of the way.
        fs::create_dir_all(dir.join("home"))?;
        for file in [".bashrc", ".bash_profile"] {
            fs::write(dir.join("home").join(file), "PS1='target$ '\n")?;
        }
        if account_here()? == "root" {
            // Where a root sshd locks its unprivileged half in.
            fs::create_dir_all("/run/sshd")?;
        }
        for attempt in 0.. {
            match Self::try_start(dir, name, extra) {
                Ok(started) => return Ok(started),
                Err(e) if attempt < 4 && format!("{e:#}").contains("in use") => {}
                Err(e) => return Err(e),
            }
        }
        unreachable!()
    }

    fn try_start(dir: &Path, name: &str, extra: &str) -> Result<Self> {
        let (port, account, d) = (ports::candidate(), account_here()?, dir.display());
        let sftp = if extra.contains("Subsystem") { "" } else { "Subsystem sftp internal-sftp\n" };
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {d}/host_key\nAuthorizedKeysFile {d}/authorized_keys\nAuthenticationMethods publickey\n\
             StrictModes no\nUsePAM no\nPidFile none\nPrintMotd no\nPrintLastLog no\nPermitRootLogin prohibit-password\nMaxStartups 500\nMaxSessions 200\n\
             AcceptEnv LANG LC_*\n{sftp}{extra}\nSetEnv HOME={d}/home HISTFILE=/dev/null ANTEROOM_TARGET={name}\n"
        );
        let file = dir.join("sshd_config");
        fs::write(&file, config)?;
        let log = dir.join("sshd.log");
        let _ = fs::remove_file(&log);
        let mut command = Daemon::command(PROGRAM, "TERM");
        command.args(["-D", "-e", "-f"]).arg(&file);
        let daemon = Daemon::start(command, &log)?;
        let host_key = fs::read_to_string(dir.join("host_key.pub"))?.trim().to_owned();
        let mut this = Self { name: name.into(), account, port, dir: dir.into(), host_key, daemon };
        wait_for("the target's sshd", Duration::from_secs(10), || {
            if let Some(status) = this.daemon.has_ended()? {
                bail!("sshd ended ({status}): {}", this.daemon.log().trim());
            }
            let Ok(mut s) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return Ok(None) };
            s.set_read_timeout(Some(Duration::from_secs(5)))?;
            let mut greeting = [0; 4];
            Ok((s.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-").then_some(()))
        })?;
        Ok(this)
    }

    /// What the vault gets.
    pub fn account_key(&self) -> Result<String> {
        Ok(fs::read_to_string(self.dir.join("account_key"))?)
    }

    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

/// An Ed25519 key without a passphrase, made once.
/// An Ed25519 key in OpenSSH's format at this path, unless there is one.
pub fn keygen(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"]).arg(path).output();
    let made = made.context("cannot run ssh-keygen (package openssh-client)")?;
    if !made.status.success() {
        bail!("ssh-keygen: {}", String::from_utf8_lossy(&made.stderr).trim());
    }
    Ok(())
}

/// Login name of whoever runs this.
pub fn account_here() -> Result<String> {
    let out = Command::new("id").arg("-un").output().context("cannot run id")?;
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}
