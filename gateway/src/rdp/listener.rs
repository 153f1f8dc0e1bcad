//! The RDP service: listening, a client from its first byte to its session, and stopping in good order.
use super::{RdpConfig, admission, session, session::Sessions};
use crate::{
    Cores,
    enforcement::{Common, Slot},
    listening::{self, Listening},
};
use anteroom_domain::CertificateFingerprint;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::net::TcpStream;
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
        let (listeners, addresses) = listening::bind("rdp", &config.listen).await?;
        let certificate = config.identity.fingerprint();
        let shared = Arc::new(Shared { common, config, sessions: Sessions::default() });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let listening = Listening {
            service: "rdp",
            limits: shared.common.limits.clone(),
            failures: shared.common.failures.clone(),
            cores: cores.all(),
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        for listener in listeners {
            let (shared, stop) = (shared.clone(), stop.clone());
            let serve = move |stream, peer, slot| serve(shared.clone(), stream, peer, slot, stop.clone());
            tasks.spawn(listening.clone().accept(listener, serve));
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
