//! Clients that open terminals at a steady rate and keep them.
use crate::READY;
use anyhow::{Context, Result, bail};
use russh::{
    ChannelMsg, Preferred,
    client::{self, Handle},
    keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate, load_secret_key},
};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep_until, timeout},
};

/// A client that has no terminal after this long has failed.
const LIMIT: Duration = Duration::from_secs(30);

/// Who connects, to what.
#[derive(Debug)]
pub struct Clients {
    runtime: Runtime,
    one: Arc<One>,
}

#[derive(Debug)]
struct One {
    address: SocketAddr,
    login: String,
    key: Arc<PrivateKey>,
    host_key: PublicKey,
    config: Arc<client::Config>,
}

/// How the opening went.
#[derive(Debug)]
pub struct Opening {
    /// From the first connection to the last terminal.
    pub took: Duration,
    /// Of each connection from its start to its terminal, sorted.
    pub each: Vec<Duration>,
    /// What went wrong, once a kind, and how often.
    pub failed: Vec<(String, usize)>,
}

/// Open terminals. They close when this is dropped.
#[derive(Debug)]
pub struct Held(Vec<Terminal>);

struct Terminal {
    _connection: Handle<Pinned>,
    channel: russh::Channel<client::Msg>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Terminal")
    }
}

struct Pinned(PublicKey);

impl client::Handler for Pinned {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(matches!(key, PublicKeyOrCertificate::PublicKey { key, .. } if key.key_data() == self.0.key_data()))
    }
}

impl Clients {
    /// `login` is the user name, `key` the file of the private key, `host_key` a line in OpenSSH's format.
    pub fn new(address: SocketAddr, login: &str, key: &Path, host_key: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let host_key = host_key.trim().parse().context("the gateway's host key")?;
        let key = Arc::new(load_secret_key(key, None).context("the person's key")?);
        // What OpenSSH would agree on with a gateway that prefers AES-GCM.
        let cipher = vec![russh::cipher::AES_256_GCM].into();
        let config = client::Config { nodelay: true, preferred: Preferred { cipher, ..Default::default() }, ..Default::default() };
        let one = One { address, login: login.to_owned(), key, host_key, config: Arc::new(config) };
        Ok(Self { runtime, one: Arc::new(one) })
    }

    /// Opens `count` terminals, one every 1/`per_second`, whether or not the earlier ones are ready by then.
    pub fn open(&self, count: usize, per_second: u32) -> (Held, Opening) {
        self.runtime.block_on(async {
            let began = Instant::now();
            let apart = Duration::from_secs(1) / per_second.max(1);
            let mut opening = Vec::new();
            for n in 0..count {
                sleep_until(began + apart * u32::try_from(n).unwrap_or(u32::MAX)).await;
                let one = self.one.clone();
                opening.push(tokio::spawn(async move {
                    let began = Instant::now();
                    let opened = timeout(LIMIT, one.open()).await.context("no terminal in time").and_then(|o| o);
                    opened.map(|t| (t, began.elapsed()))
                }));
            }
            let (mut held, mut each, mut failed) = (Vec::new(), Vec::new(), Vec::<(String, usize)>::new());
            for task in opening {
                match task.await.context("a client broke").and_then(|o| o) {
                    Ok((terminal, took)) => {
                        held.push(terminal);
                        each.push(took);
                    }
                    Err(e) => {
                        let what = format!("{e:#}");
                        match failed.iter_mut().find(|(known, _)| *known == what) {
                            Some((_, times)) => *times += 1,
                            None => failed.push((what, 1)),
                        }
                    }
                }
            }
            let took = began.elapsed();
            each.sort();
            (Held(held), Opening { took, each, failed })
        })
    }

    /// Types one key into every terminal; how many show it.
    pub fn all_echo(&self, held: &mut Held) -> usize {
        self.runtime.block_on(async {
            let mut shown = 0;
            for terminal in &mut held.0 {
                if timeout(LIMIT, terminal.echoes()).await.is_ok_and(|echoed| echoed.is_ok()) {
                    shown += 1;
                }
            }
            shown
        })
    }
}

impl Clients {
    /// Does something while every terminal is watched; how long after its beginning each was over, shortest first. One that lives on for
    /// half a minute is left out.
    pub fn ends_after<E>(&self, held: Vec<Held>, done: impl FnOnce() -> Result<(), E>) -> Result<Vec<Duration>, E> {
        let watched: Vec<_> =
            held.into_iter().flat_map(|h| h.0).map(|t| self.runtime.spawn(async { timeout(LIMIT, t.over()).await })).collect();
        let began = Instant::now();
        done()?;
        let mut each: Vec<Duration> = self.runtime.block_on(async {
            let mut each = Vec::new();
            for task in watched {
                if let Ok(Ok(at)) = task.await {
                    each.push(at.saturating_duration_since(began));
                }
            }
            each
        });
        each.sort();
        Ok(each)
    }
}

impl Held {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl One {
    async fn open(&self) -> Result<Terminal> {
        let mut connection = client::connect(self.config.clone(), self.address, Pinned(self.host_key.clone())).await?;
        let key = PrivateKeyWithHashAlg::new(self.key.clone(), None);
        if !connection.authenticate_publickey(self.login.clone(), key).await?.success() {
            bail!("not let in");
        }
        let channel = connection.channel_open_session().await?;
        channel.request_pty(false, "xterm", 80, 24, 0, 0, &[]).await?;
        channel.request_shell(false).await?;
        let mut terminal = Terminal { _connection: connection, channel };
        terminal.reads(READY).await?;
        Ok(terminal)
    }
}

impl Terminal {
    /// When nothing more can come.
    async fn over(mut self) -> Instant {
        while !matches!(self.channel.wait().await, None | Some(ChannelMsg::Close)) {}
        Instant::now()
    }

    async fn echoes(&mut self) -> Result<()> {
        self.channel.data_bytes(&b"x"[..]).await?;
        self.reads(b"x").await
    }

    async fn reads(&mut self, end: &[u8]) -> Result<()> {
        let (mut seen, mut said) = (Vec::new(), String::new());
        while !seen.ends_with(end) {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => seen.extend_from_slice(&data),
                Some(ChannelMsg::ExtendedData { data, .. }) => said.push_str(&String::from_utf8_lossy(&data)),
                Some(_) => {}
                None => bail!("the terminal closed: {}", said.trim()),
            }
        }
        Ok(())
    }
}
