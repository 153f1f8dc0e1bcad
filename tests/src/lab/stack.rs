//! The real binary with a configuration of its own: gateway, portal, private Postgres.
use super::child::{Running, answers, free_port, public_line, tied};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use url::Url;

#[derive(Debug)]
pub struct Stack {
    dir: PathBuf,
    portal_port: u16,
    ssh_port: u16,
    process: Running,
}

/// `anteroom`, built beside whatever runs now (a test binary lies one folder deeper).
pub fn program() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let found = me.ancestors().skip(1).take(2).map(|d| d.join("anteroom")).find(|p| p.is_file());
    found.context("the program anteroom is not built; run: cargo build -p anteroom")
}

impl Stack {
    /// Keys, configuration and a running gateway in `dir`.
    pub fn start(dir: &Path, remember_step_up: &str) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let (portal_port, ssh_port) = (free_port()?, free_port()?);
        let made = Command::new(program()?).args(["keys", "generate", "--dir"]).arg(dir.join("keys")).output()?;
        ensure!(made.status.success(), "keys generate: {}", String::from_utf8_lossy(&made.stderr));
        fs::write(dir.join("anteroom.toml"), config(portal_port, ssh_port, remember_step_up))?;
        let mut serve = tied(program()?, "TERM");
        serve.args(["serve", "--config"]).arg(dir.join("anteroom.toml"));
        let log = dir.join("anteroom.log");
        let mut process = Running::start("anteroom", serve, &log)?;
        // The portal comes last.
        let ready = process.until(Duration::from_secs(60), || answers(portal_port) && answers(ssh_port));
        ready.with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self { dir: dir.to_owned(), portal_port, ssh_port, process })
    }

    /// One `anteroom` command on this stack; its output.
    pub fn command(&self, args: &[&str], stdin: Option<&str>) -> Result<String> {
        let mut c = Command::new(program()?);
        c.args(args).arg("--config").arg(self.config_file());
        let mut child = c.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut to) = child.stdin.take() {
            to.write_all(stdin.unwrap_or_default().as_bytes())?;
        }
        let out = child.wait_with_output()?;
        ensure!(out.status.success(), "anteroom {}: {}", args.join(" "), String::from_utf8_lossy(&out.stderr));
        Ok(String::from_utf8(out.stdout)?)
    }

    /// Adds somebody; their one-time enrolment link.
    pub fn add_person(&self, handle: &str, name: &str, roles: &[&str]) -> Result<Url> {
        let mut args = vec!["person", "add", handle, "--name", name];
        for r in roles {
            args.extend(["--role", r]);
        }
        Ok(self.command(&args, None)?.trim().parse()?)
    }

    pub fn portal_url(&self) -> Url {
        #[allow(clippy::expect_used, reason = "made of a number")]
        format!("http://localhost:{}", self.portal_port).parse().expect("a URL")
    }
    pub fn portal_port(&self) -> u16 {
        self.portal_port
    }
    pub fn ssh_port(&self) -> u16 {
        self.ssh_port
    }
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }
    pub fn config_file(&self) -> PathBuf {
        self.dir.join("anteroom.toml")
    }
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("state")
    }
    pub fn recordings_dir(&self) -> PathBuf {
        self.dir.join("recordings")
    }
    pub fn host_key(&self) -> Result<String> {
        public_line(&self.dir.join("keys/ssh-host.key"))
    }

    pub fn stop(self) -> Result<()> {
        self.process.stop(Duration::from_secs(40))
    }
}

fn config(portal: u16, ssh: u16, remember: &str) -> String {
    format!(
        r#"[gateway]
name = "lab"
data_dir = "state"
[database]
private_dir = "db"
[portal]
listen = "127.0.0.1:{portal}"
origin = "http://localhost:{portal}"
[ssh]
listen = "127.0.0.1:{ssh}"
host_key = "keys/ssh-host.key"
remember_step_up = "{remember}"
max_unauthenticated = 1000
max_unauthenticated_per_address = 1000
[recording]
dir = "recordings"
recipients = {{ masked = "keys/custody-masked.key.pub", sealed = ["keys/custody-sealed-a.key.pub", "keys/custody-sealed-b.key.pub"] }}
[replay]
masked_key_file = "keys/custody-masked.key"
[keys]
vault = "keys/vault.key"
audit_log = "keys/audit-log.key"
manifest = "keys/manifest.key"
"#
    )
}
