//! The product on free loopback ports without a person: what `make lab` starts, and benchmarks and probes run on.
//!
//! Nothing is switched off. The admin and the approver are software passkeys that go through enrolment, request, approval and
//! step-up over the portal's real routes; only the time a step-up is remembered differs from the default, which policy allows.
pub mod child;
pub mod portal;
pub mod sshd;
pub mod stack;

use anyhow::{Context, Result, ensure};
use child::free_port;
use portal::Portal;
use serde_json::json;
use sshd::Sshd;
use stack::Stack;
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const TARGET: &str = "lab-target";

/// A running lab. Dropping it ends every process.
#[derive(Debug)]
pub struct Lab {
    dir: PathBuf,
    stack: Stack,
    target: Sshd,
    jump: Sshd,
}

impl Lab {
    /// Starts everything in `dir`, which is emptied first.
    pub fn start(dir: &Path) -> Result<Self> {
        if dir.exists() {
            fs::remove_dir_all(dir).with_context(|| format!("cannot empty {}", dir.display()))?;
        }
        fs::create_dir_all(dir)?;
        let dir = dir.canonicalize()?;
        child::private_key(&dir.join("admin_key"))?;
        child::private_key(&dir.join("vault_key"))?;
        let keys = [fs::read_to_string(dir.join("admin_key.pub"))?, fs::read_to_string(dir.join("vault_key.pub"))?].concat();
        let target = Sshd::start(&dir.join("target"), free_port()?, &keys)?;
        let jump = Sshd::start(&dir.join("jump"), free_port()?, &keys)?;
        let stack = Stack::start(&dir.join("gateway"), "8h")?;
        let lab = Self { dir, stack, target, jump };
        lab.write_ssh_config()?;
        lab.write_facts()?;
        lab.open_the_door()?;
        Ok(lab)
    }

    /// Tells every process to end, in order, and waits.
    pub fn stop(self) -> Result<()> {
        self.stack.stop()?;
        self.jump.stop()?;
        self.target.stop()
    }

    pub fn ssh_config(&self) -> PathBuf {
        self.dir.join("ssh_config")
    }

    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// People, target, request, approval, key, and one confirmed connection.
    fn open_the_door(&self) -> Result<()> {
        let user = child::user_name()?;
        let s = &self.stack;
        s.command(
            &[
                "target",
                "add",
                TARGET,
                "--host",
                "127.0.0.1",
                "--port",
                &self.target.port().to_string(),
                "--description",
                "the lab's own sshd",
            ],
            None,
        )?;
        s.command(&["target", "pin", TARGET], Some(&self.target.host_key()?))?;
        s.command(&["target", "credential", TARGET, &user, "--kind", "key"], Some(&fs::read_to_string(self.dir.join("vault_key"))?))?;
        let mut admin = Portal::new(s.portal_url());
        admin.enrol(&s.add_person("lab-admin", "Labia Example", &["admin"])?)?;
        let mut approver = Portal::new(s.portal_url());
        approver.enrol(&s.add_person("lab-approver", "Labert Sample", &["approver", "auditor", "operator"])?)?;
        admin.add_ssh_key(&fs::read_to_string(self.dir.join("admin_key.pub"))?, "lab")?;
        let request = admin.request(TARGET, &user, "the lab measures the gateway", 8)?;
        approver.approve(&request)?;
        self.confirm_once(&mut admin)
    }

    /// Connects once, reads the link in the terminal's text and confirms it as a person would.
    fn confirm_once(&self, admin: &mut Portal) -> Result<()> {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(self.ssh_config()).args(["-o", "BatchMode=no", "gateway", "true"]);
        let mut ssh = ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut told = String::new();
        let mut id = None;
        let mut lines = BufReader::new(ssh.stderr.take().context("ssh has no stderr")?);
        while id.is_none() {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                break;
            }
            id = line.trim().rsplit_once("/step-up/").map(|(_, id)| id.to_owned());
            told.push_str(&line);
        }
        let id = id.with_context(|| format!("the gateway asked for no step-up; it said: {told}"))?;
        // Goes on reading, so that ssh never waits for us.
        let rest = std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        admin.confirm(&id)?;
        let status = ssh.wait()?;
        let _ = rest.join();
        ensure!(status.success(), "the confirmed connection failed: {status}");
        let again = Command::new("ssh").arg("-F").arg(self.ssh_config()).args(["gateway", "true"]).output()?;
        ensure!(again.status.success(), "the step-up was not remembered: {}", String::from_utf8_lossy(&again.stderr));
        Ok(())
    }

    fn write_ssh_config(&self) -> Result<()> {
        let user = child::user_name()?;
        let dir = self.dir.display();
        let (target, jump, gateway) = (self.target.port(), self.jump.port(), self.stack.ssh_port());
        let known = [(target, self.target.host_key()?), (jump, self.jump.host_key()?), (gateway, self.stack.host_key()?)];
        let known: String = known.iter().map(|(port, key)| format!("[127.0.0.1]:{port} {}\n", key.trim())).collect();
        fs::write(self.dir.join("known_hosts"), known)?;
        let config = format!(
            "# Written by the lab: ssh -F this-file direct|jump|gateway\n\
             Host direct jump\n    Port {target}\n    User {user}\n\
             Host jump\n    ProxyJump jumphost\n\
             Host jumphost\n    Port {jump}\n    User {user}\n\
             Host gateway\n    Port {gateway}\n    User {user}@{TARGET}\n\
             Host direct jump jumphost gateway\n    HostName 127.0.0.1\n    IdentityFile {dir}/admin_key\n    IdentitiesOnly yes\n    IdentityAgent none\n\
             \u{20}   UserKnownHostsFile {dir}/known_hosts\n    GlobalKnownHostsFile /dev/null\n    StrictHostKeyChecking yes\n    BatchMode yes\n    ConnectTimeout 20\n    LogLevel ERROR\n"
        );
        Ok(fs::write(self.ssh_config(), config)?)
    }

    fn write_facts(&self) -> Result<()> {
        let s = &self.stack;
        let facts = json!({
            "gateway_pid": s.pid(),
            "portal_url": s.portal_url(),
            "config": s.config_file(),
            "data_dir": s.data_dir(),
            "recordings_dir": s.recordings_dir(),
            "ssh_config": self.ssh_config(),
            "target": TARGET,
            "account": child::user_name()?,
            "ports": { "gateway": s.ssh_port(), "portal": s.portal_port(), "target": self.target.port(), "jump": self.jump.port() },
            "target_pid": self.target.pid(),
            "jump_pid": self.jump.pid(),
        });
        Ok(fs::write(self.dir.join("lab.json"), serde_json::to_string_pretty(&facts)?)?)
    }
}
