//! The lab as a child process, and what it says about itself.
use anteroom_test_swarm::Clients;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Ticks a second in `/proc/PID/stat`: 100 on every Linux (proc(5)).
const USER_HZ: f64 = 100.0;

#[derive(Debug, Deserialize)]
struct Facts {
    gateway_pid: u32,
    light: Light,
    ports: Ports,
}

#[derive(Debug, Deserialize)]
struct Light {
    login: String,
    key: PathBuf,
    host_key: String,
}

#[derive(Debug, Deserialize)]
struct Ports {
    gateway: u16,
}

#[derive(Debug)]
pub struct Lab {
    process: Child,
    dir: PathBuf,
    facts: Facts,
}

impl Lab {
    /// Starts the `lab` that was built beside this program and waits until it says that it is ready.
    pub fn start() -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("lab");
        let mut process = Command::new(&program)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut said = BufReader::new(process.stdout.take().context("no output of the lab")?);
        loop {
            let mut line = String::new();
            if said.read_line(&mut line)? == 0 {
                bail!("the lab ended before it was ready");
            }
            if line.starts_with("ready") {
                break;
            }
        }
        let dir = PathBuf::from("target/lab");
        let facts = serde_json::from_slice(&std::fs::read(dir.join("lab.json"))?)?;
        Ok(Self { process, dir, facts })
    }

    /// `ssh` with the lab's configuration.
    pub fn ssh(&self, host: &str) -> Command {
        let mut c = Command::new("ssh");
        c.arg("-F").arg(self.dir.join("ssh_config")).arg("-o").arg("LogLevel=ERROR").arg(host);
        c
    }

    /// `sftp` with the lab's configuration, reading its commands from standard input.
    pub fn sftp(&self, host: &str) -> Command {
        let mut c = Command::new("sftp");
        c.args(["-q", "-b", "-", "-F"]).arg(self.dir.join("ssh_config")).arg("-o").arg("LogLevel=ERROR").arg(host);
        c
    }

    /// Where a transfer may put something.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        Ok(std::path::absolute(self.dir.join(name))?)
    }

    /// Clients of the target that costs little, through the gateway.
    pub fn swarm(&self) -> Result<Clients> {
        let light = &self.facts.light;
        Clients::new((Ipv4Addr::LOCALHOST, self.facts.ports.gateway).into(), &light.login, &light.key, &light.host_key)
    }

    /// A file of noise, the same for every way.
    pub fn noise(&self, megabytes: usize) -> Result<PathBuf> {
        let path = std::path::absolute(self.dir.join(format!("noise-{megabytes}")))?;
        if std::fs::metadata(&path).map(|m| m.len()).ok() != Some((megabytes as u64) << 20) {
            let mut random = std::fs::File::open("/dev/urandom")?;
            let mut file = std::fs::File::create(&path)?;
            std::io::copy(&mut std::io::Read::take(&mut random, (megabytes as u64) << 20), &mut file)?;
        }
        Ok(path)
    }

    /// User and system time of the gateway so far, in seconds.
    pub fn gateway_cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.facts.gateway_pid))?;
        let after = stat.rsplit_once(')').context("unreadable /proc stat")?.1;
        let ticks: f64 = after.split_ascii_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
        Ok(ticks / USER_HZ)
    }

    pub fn gateway_memory_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.facts.gateway_pid))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? / 1024.0)
    }

    pub fn stop(mut self) -> Result<()> {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // On an error only; after `stop` there is nothing left to kill.
        if let Ok(None) = self.process.try_wait() {
            let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.process), rustix::process::Signal::TERM);
            let _ = self.process.wait();
        }
    }
}
