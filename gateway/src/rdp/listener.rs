//! Listening, one owned task a connection, and stopping in good order.
use super::{RdpConfig, admission, session, session::Sessions};
use crate::{
    Cores,
    cores::Spread,
    enforcement::{Common, Slot},
};
use anteroom_domain::CertificateFingerprint;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What all connections of the RDP side share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) common: Common,
    pub(super) config: RdpConfig,
    pub(super) sessions: Sessions,
}

/// The running RDP side. Dropping it without [`stop`](Self::stop) ends every session.
#[derive(Debug)]
pub struct RdpService {
    addresses: Vec<SocketAddr>,
    certificate: CertificateFingerprint,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl RdpService {
    /// `common`: of the gateway's SSH side ([`Gateway::common`](crate::Gateway::common)), so that limits, failures and the list of
    /// sessions are one.
    pub async fn start(common: Common, config: RdpConfig, cores: &Cores) -> io::Result<Self> {
        let mut listeners = Vec::new();
        for address in &config.listen {
            let bound = TcpListener::bind(address).await;
            listeners.push(bound.map_err(|e| io::Error::new(e.kind(), format!("rdp: cannot listen on {address}: {e}")))?);
        }
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>()?;
        let certificate = config.identity.fingerprint();
        let shared = Arc::new(Shared { common, config, sessions: Sessions::default() });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for listener in listeners {
            tasks.spawn(accept(shared.clone(), listener, cores.all(), tasks.clone(), stop.clone()));
        }
        Ok(Self { addresses, certificate, stop, tasks })
    }

    /// Where it listens; with port 0 in the settings, the port that was given.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Of what clients are shown.
    pub fn certificate(&self) -> CertificateFingerprint {
        self.certificate
    }

    /// Takes no more connections, tells the sessions, seals their recordings and waits until all is done.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for RdpService {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, cores: Spread, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            a = listener.accept() => a,
        };
        let (stream, peer) = match accepted {
            Ok(a) => a,
            Err(e) => {
                // Out of descriptors or the like: it passes or the operator sees it here.
                tracing::error!(error = %e, "rdp: accept failed");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Who failed too often has to wait; its sockets close before anything is computed.
        if shared.common.failures.address_waits(peer.ip(), std::time::Instant::now()) {
            tracing::debug!(%peer, "rdp: connection refused: too many failed attempts from this address");
            continue;
        }
        match shared.common.limits.take(peer.ip()) {
            Ok(slot) => {
                tasks.spawn_on(serve(shared.clone(), stream, peer, slot, stop.clone()), &cores.idlest());
            }
            Err(why) => tracing::debug!(%peer, %why, "rdp: connection refused"),
        }
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, slot: Slot, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    // From here on the socket belongs to this core's reactor.
    let stream = match stream.into_std().and_then(TcpStream::from_std) {
        Ok(s) => s,
        Err(e) => return tracing::debug!(%peer, error = %e, "rdp: connection lost"),
    };
    let admitted = tokio::select! {
        a = admission::admit(&shared, stream, peer) => a,
        () = stop.cancelled() => None,
    };
    drop(slot);
    if let Some(admitted) = admitted {
        Box::pin(session::run(shared, admitted, stop)).await;
    }
}
