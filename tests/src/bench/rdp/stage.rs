//! A gateway, two targets, and somebody who may see them.
use super::page::Page;
use crate::harness::{
    Person, World,
    rdp::{Client, Freerdp, Shadow},
};
use anyhow::{Context, Result};
use std::{fs, path::PathBuf};

/// Ticks a second in `/proc/PID/stat`: 100 on every Linux (proc(5)).
const USER_HZ: f64 = 100.0;
/// The same codec on both roads, whatever else a client would ask for.
const CODEC: &str = "/gfx:RFX";

#[derive(Debug)]
pub struct Stage {
    pub world: World,
    person: Person,
    approver: Person,
    clients: std::cell::Cell<usize>,
}

/// CPU in seconds: the process itself, and its children (OCR), running or gone.
#[derive(Debug, Clone, Copy)]
pub struct Cpu {
    pub own: f64,
    pub children: f64,
}

impl Stage {
    pub fn start() -> Result<Self> {
        let world = World::with_desktops("", "")?;
        let (person, approver) = (world.person("bench-admin", &["admin"])?, world.person("bench-approver", &["approver", "operator"])?);
        Ok(Self { world, person, approver, clients: std::cell::Cell::new(0) })
    }

    /// A target that shows this, known to the gateway; a grant for it.
    pub fn target(&self, name: &str, page: Page) -> Result<(Shadow, String)> {
        let dir = self.world.dir.join("desktops").join(name);
        let shadow = Shadow::of(&dir, page.desk(&dir.join("desk"))?)?;
        self.world.register_desktop(name, &shadow.login, shadow.login.port)?;
        let grant = self.world.grant_desktop(&self.person, &self.approver, name, &shadow.login.account, &["desktop"])?;
        Ok((shadow, grant))
    }

    fn dir(&self) -> PathBuf {
        self.clients.set(self.clients.get() + 1);
        self.world.dir.join("clients").join(self.clients.get().to_string())
    }

    pub fn direct(&self, to: &Shadow) -> Result<Client> {
        seen(Freerdp::to(to.login.port, &to.login.account, &to.login.password).with(CODEC).start(&self.dir())?)
    }

    pub fn through(&self, grant: &str) -> Result<Client> {
        // Has the same codec already.
        seen(self.person.ticket(grant)?.freerdp(&self.world)?.start(&self.dir())?)
    }

    /// Of the gateway.
    pub fn cpu(&self) -> Result<Cpu> {
        let pid = self.world.gateway_pid();
        let ticks = |pid: u32, fields: [usize; 2]| -> Result<f64> {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
            let after = stat.rsplit_once(')').context("unreadable /proc stat")?.1;
            let all: Vec<f64> = after.split_ascii_whitespace().map(|t| t.parse().unwrap_or(0.0)).collect();
            Ok(fields.iter().filter_map(|f| all.get(*f)).sum::<f64>() / USER_HZ)
        };
        let running = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let mut children = ticks(pid, [13, 14])?;
        for child in fs::read_dir("/proc")?.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()) {
            let parent = fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
            let ours = parent.lines().any(|l| l.strip_prefix("PPid:").is_some_and(|p| p.trim() == pid.to_string()));
            if ours || running.split_whitespace().any(|c| c == child.to_string()) {
                children += ticks(child, [11, 12]).unwrap_or(0.0);
            }
        }
        Ok(Cpu { own: ticks(pid, [11, 12])?, children })
    }

    /// Bytes of all recordings so far.
    pub fn recorded(&self) -> u64 {
        fn of(dir: &std::path::Path) -> u64 {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries.map(|e| if e.path().is_dir() { of(&e.path()) } else { e.metadata().map_or(0, |m| m.len()) }).sum()
        }
        of(&self.world.recordings)
    }
}

fn seen(mut client: Client) -> Result<Client> {
    client.sees("a desktop", |p| Ok((p.drawn() > 0.01).then_some(())))?;
    Ok(client)
}
