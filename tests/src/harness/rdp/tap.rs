//! Between a gateway and its target: counts what comes, and can lead elsewhere. How a test knows that a target saw no packet.
use crate::harness::{clients::venv, daemon::Daemon, wait::wait_for};
use anyhow::{Result, bail};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

#[derive(Debug, Default)]
struct Counts {
    to: AtomicU16,
    connections: AtomicU64,
    up: AtomicU64,
    down: AtomicU64,
    over: AtomicBool,
}

#[derive(Debug)]
pub struct Tap {
    pub port: u16,
    counts: Arc<Counts>,
    listening: Option<thread::JoinHandle<()>>,
}

impl Tap {
    /// In front of this port.
    pub fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let counts = Arc::new(Counts { to: to.into(), ..Default::default() });
        let mine = Arc::clone(&counts);
        let listening = thread::spawn(move || {
            for client in listener.incoming() {
                if mine.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                mine.connections.fetch_add(1, Ordering::SeqCst);
                if let Ok(target) = TcpStream::connect((Ipv4Addr::LOCALHOST, mine.to.load(Ordering::SeqCst))) {
                    join(&client, &target, &mine);
                }
            }
        });
        Ok(Self { port, counts, listening: Some(listening) })
    }

    /// Connections from now on go there.
    pub fn lead_to(&self, port: u16) {
        self.counts.to.store(port, Ordering::SeqCst);
    }

    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::SeqCst)
    }

    /// Bytes toward the target and from it.
    pub fn bytes(&self) -> (u64, u64) {
        (self.counts.up.load(Ordering::SeqCst), self.counts.down.load(Ordering::SeqCst))
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.counts.over.store(true, Ordering::SeqCst);
        // Wakes the listener.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(l) = self.listening.take() {
            let _ = l.join();
        }
    }
}

/// Copies both ways until one side ends; threads of their own end with their sockets.
fn join(client: &TcpStream, target: &TcpStream, counts: &Arc<Counts>) {
    let _ = (client.set_nodelay(true), target.set_nodelay(true));
    for (from, to, up) in [(client, target, true), (target, client, false)] {
        let (Ok(from), Ok(to), counts) = (from.try_clone(), to.try_clone(), Arc::clone(counts)) else { return };
        thread::spawn(move || copy(from, to, if up { &counts.up } else { &counts.down }));
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut room = vec![0; 64 << 10];
    while let Ok(n @ 1..) = from.read(&mut room) {
        count.fetch_add(n as u64, Ordering::SeqCst);
        if to.write_all(&room[..n]).is_err() {
            break;
        }
    }
    let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
}

/// A way to this machine's port that comes from another of its loopback addresses.
#[derive(Debug)]
pub struct Elsewhere {
    pub port: u16,
    _running: Daemon,
}

impl Elsewhere {
    /// `dir` is made; `address` is 127.0.0.2, say.
    pub fn start(dir: &Path, to: u16, address: &str) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/from_elsewhere.py");
        let mut command = Daemon::command(venv("python")?, "TERM");
        command.arg("-B").arg(script).args([&to.to_string(), address]);
        let mut running = Daemon::start(command, &dir.join("elsewhere.log"))?;
        let port = wait_for("the way from elsewhere", Duration::from_secs(20), || {
            if let Some(status) = running.has_ended()? {
                bail!("it ended ({status}): {}", running.log().trim());
            }
            Ok(running.log().lines().next().and_then(|l| l.parse().ok()))
        })?;
        Ok(Self { port, _running: running })
    }
}
