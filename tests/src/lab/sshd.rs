//! A plain OpenSSH server on loopback, for the user who runs the lab.
use super::child::{Running, answers, private_key, tied};
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

#[derive(Debug)]
pub struct Sshd {
    dir: PathBuf,
    port: u16,
    process: Running,
}

impl Sshd {
    /// `authorized` are the public keys that open it.
    pub fn start(dir: &Path, port: u16, authorized: &str) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let at = |f: &str| dir.join(f).display().to_string();
        private_key(&dir.join("host_key"))?;
        fs::write(dir.join("authorized_keys"), authorized)?;
        // Many parallel connections and channels are what benchmarks and probes do.
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\nPrintLastLog no\nMaxStartups 500\nMaxSessions 200\nSubsystem sftp internal-sftp\n",
            at("host_key"),
            at("authorized_keys"),
        );
        fs::write(dir.join("sshd_config"), config)?;
        if rustix::process::geteuid().is_root() {
            // Where a root sshd locks its unprivileged half in.
            fs::create_dir_all("/run/sshd")?;
        }
        let mut sshd = tied("/usr/sbin/sshd", "TERM");
        sshd.args(["-D", "-e", "-f"]).arg(dir.join("sshd_config"));
        let mut process = Running::start("sshd", sshd, &dir.join("sshd.log"))?;
        process.until(Duration::from_secs(10), || answers(port))?;
        Ok(Self { dir: dir.to_owned(), port, process })
    }

    pub fn port(&self) -> u16 {
        self.port
    }
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Its public host key, one line.
    pub fn host_key(&self) -> Result<String> {
        Ok(fs::read_to_string(self.dir.join("host_key.pub"))?)
    }

    pub fn stop(self) -> Result<()> {
        self.process.stop(Duration::from_secs(10))
    }
}
