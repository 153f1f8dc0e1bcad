//! Listening: who may not come is turned away before anything is computed, everybody else is a task of their own, on the core that has
//! least to do.
use crate::{
    cores::Spread,
    enforcement::{Failures, PreAuthLimits, Slot},
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What all listeners of one service share.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    /// Name of the service, for errors and the log.
    pub(crate) service: &'static str,
    pub(crate) limits: PreAuthLimits,
    pub(crate) failures: Arc<Failures>,
    pub(crate) cores: Spread,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

/// Listeners, and where they listen: with port 0 in the settings, the port that was given.
pub(crate) async fn bind(service: &str, listen: &[SocketAddr]) -> io::Result<(Vec<TcpListener>, Vec<SocketAddr>)> {
    let (mut listeners, mut addresses) = (Vec::new(), Vec::new());
    for address in listen {
        let bound = TcpListener::bind(address).await;
        let bound = bound.map_err(|e| io::Error::new(e.kind(), format!("{service}: cannot listen on {address}: {e}")))?;
        addresses.push(bound.local_addr()?);
        listeners.push(bound);
    }
    Ok((listeners, addresses))
}

impl Listening {
    /// Until it is stopped.
    pub(crate) async fn accept<F>(self, listener: TcpListener, serve: impl Fn(TcpStream, SocketAddr, Slot) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let service = self.service;
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                a = listener.accept() => a,
            };
            let (stream, peer) = match accepted {
                Ok(a) => a,
                Err(e) => {
                    // Out of descriptors or the like: it passes or the operator sees it here.
                    tracing::error!(service, error = %e, "accept failed");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            // Who failed too often has to wait; its sockets close before anything is computed.
            if self.failures.address_waits(peer.ip(), std::time::Instant::now()) {
                tracing::debug!(service, %peer, "connection refused: too many failed attempts from this address");
                continue;
            }
            match self.limits.take(peer.ip()) {
                Ok(slot) => {
                    self.tasks.spawn_on(serve(stream, peer, slot), &self.cores.idlest());
                }
                // The socket closes at once: nothing is computed for a flood.
                Err(why) => tracing::debug!(service, %peer, %why, "connection refused"),
            }
        }
    }
}
