//! An SSH server that lets one key in and echoes what is typed.
use crate::READY;
use anyhow::{Context, Result};
use russh::{
    Channel, ChannelId, MethodKind, MethodSet, Pty,
    keys::{PrivateKey, PublicKey},
    server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey},
};
use std::{net::SocketAddr, sync::Arc, thread, time::Duration};
use tokio::net::TcpListener;

/// Serves until the process ends.
#[derive(Debug)]
pub struct Target {
    pub address: SocketAddr,
}

impl Target {
    /// Listens on a free loopback port, on threads of its own. Keys are in OpenSSH's text format: its own private one, and the public
    /// one of the account.
    pub fn start(host_key: &str, account_key: &str) -> Result<Self> {
        let host_key = PrivateKey::from_openssh(host_key).context("the target's host key")?;
        let account: PublicKey = account_key.trim().parse().context("the account's key")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let methods: &[MethodKind] = &[MethodKind::PublicKey];
        let config = server::Config {
            keys: vec![host_key],
            methods: MethodSet::from(methods),
            auth_rejection_time: Duration::ZERO,
            inactivity_timeout: None,
            nodelay: true,
            ..Default::default()
        };
        thread::Builder::new()
            .name("swarm-target".into())
            .spawn(move || runtime.block_on(accept(listener, Arc::new(config), Arc::new(account))))?;
        Ok(Self { address })
    }
}

async fn accept(listener: TcpListener, config: Arc<server::Config>, account: Arc<PublicKey>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (config, echo) = (config.clone(), Echo(account.clone()));
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            if let Ok(running) = server::run_stream(config, stream, echo).await {
                let _ = running.await;
            }
        });
    }
}

struct Echo(Arc<PublicKey>);

type Done = Result<(), russh::Error>;

impl server::Handler for Echo {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(if key.public_key.key_data() == self.0.key_data() { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(&mut self, _: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Done {
        reply.accept().await;
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // the trait's
    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Done {
        session.channel_success(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Done {
        session.channel_success(channel)?;
        session.data(channel, READY)
    }

    async fn exec_request(&mut self, channel: ChannelId, _: &[u8], session: &mut Session) -> Done {
        session.channel_success(channel)?;
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Done {
        session.data(channel, data.to_vec())
    }
}
