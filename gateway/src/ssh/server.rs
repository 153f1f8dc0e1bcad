//! Listening, one owned task a connection, and stopping in good order.
use super::{
    SshConfig, algorithms,
    connection::{Connection, Shared},
    control::Control,
    gathered::Gathered,
    handler::ClientHandler,
    host_certificate::Known,
    notice, offer,
    terminal::Door,
};
use crate::{
    Cores,
    cores::Spread,
    enforcement::{Common, Cutter, PreAuthLimits, Registry, Slot, orders, record_of},
    listening::{self, Listening},
};
use anteroom_approvals::Approvals;
use anteroom_domain::{AuditEvent, EndReason, SessionControl, TargetName, TerminalDoor};
use anteroom_recorder::Recorder;
use russh::{MethodKind, MethodSet, server};
use std::{future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::TcpStream,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(super) const KEEPALIVE: Duration = Duration::from_secs(30);
pub(super) const KEEPALIVE_MAX: usize = 3;
/// What a client gets to read the last words before its socket is cut.
const FAREWELL: Duration = Duration::from_millis(500);

/// The running SSH side. Dropping it without [`stop`](Self::stop) cuts every session.
#[derive(Debug)]
pub struct Gateway {
    shared: Arc<Shared>,
    addresses: Vec<SocketAddr>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Gateway {
    /// Takes over what an earlier process left behind, then listens.
    ///
    /// Boxed here on purpose: the code of a future is made where its type is named, and everything a connection does would
    /// otherwise be compiled into the caller, with the caller's optimisation (docs/performance.md).
    pub fn start(
        approvals: Approvals,
        recorder: Recorder,
        config: SshConfig,
        cores: &Cores,
    ) -> Pin<Box<dyn Future<Output = io::Result<Self>> + Send>> {
        Box::pin(Self::begin(approvals, recorder, config, cores.all()))
    }

    async fn begin(approvals: Approvals, recorder: Recorder, config: SshConfig, cores: Spread) -> io::Result<Self> {
        let (listeners, addresses) = listening::bind("ssh", &config.listen).await?;
        let mut config = config;
        if config.public_port == 0 {
            // What people are told to type is where it listens.
            config.public_port = addresses.first().map_or(22, SocketAddr::port);
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        approvals.note(AuditEvent::GatewayStarted { gateway: config.gateway.clone(), version }, None).await;
        let finder = recorder.clone();
        let left = tokio::task::spawn_blocking(move || finder.recover()).await.map_err(io::Error::other)?;
        for torn in left {
            tracing::warn!(session = %torn.session, "found a recording that an earlier process left; sealed as torn");
            approvals.session_ended(torn.session, &EndReason::GatewayLost).await;
            approvals.recording_sealed(record_of(torn)).await;
        }
        let limits = PreAuthLimits::new(config.max_unauthenticated, config.max_unauthenticated_per_address);
        let server = Arc::new(server_config(&config, algorithms::CIPHERS));
        let fast = Arc::new(server_config(&config, algorithms::FAST_CIPHERS));
        let shared = Arc::new(Shared {
            approvals,
            recorder,
            config,
            registry: Registry::default(),
            limits,
            failures: Arc::default(),
            fast,
            server,
            host_certificates: Known::default(),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(orders(shared.approvals.clone(), shared.registry.clone(), shared.approvals.changes(), stop.clone()));
        let listening = Listening {
            service: "ssh",
            limits: shared.limits.clone(),
            failures: shared.failures.clone(),
            cores,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        for listener in listeners {
            let (shared, stop) = (shared.clone(), stop.clone());
            let serve = move |stream, peer, slot| serve(shared.clone(), stream, peer, slot, stop.clone());
            tasks.spawn(listening.clone().accept(listener, serve));
        }
        Ok(Self { shared, addresses, stop, tasks })
    }

    /// Where it listens; with port 0 in the settings, the port that was given.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What other services of this gateway share with this one.
    pub fn common(&self) -> Common {
        self.shared.common()
    }

    /// The door for terminals in browsers.
    pub fn terminals(&self) -> Arc<dyn TerminalDoor> {
        Arc::new(Door::new(self.shared.clone(), self.tasks.clone(), self.stop.clone()))
    }

    pub fn control(&self) -> Arc<dyn SessionControl> {
        Arc::new(Control(self.shared.clone()))
    }

    /// Takes no more connections, tells the sessions, seals their recordings and waits until all is done.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let gateway = self.shared.config.gateway.clone();
        self.shared.approvals.note(AuditEvent::GatewayStopped { gateway }, None).await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What our identification says; it tells no version. Clients speak OpenSSH's dialect (end-of-write, the order of SYMLINK in SFTP)
/// only to who begins like this, and what is behind us does (docs/decisions/0006).
pub(super) const IDENTIFICATION: &str = "SSH-2.0-OpenSSH_Anteroom";

pub(super) fn server_config(config: &SshConfig, ciphers: &'static [russh::cipher::Name]) -> server::Config {
    let methods: &[MethodKind] = &[MethodKind::PublicKey];
    server::Config {
        server_id: russh::SshId::Standard(IDENTIFICATION.into()),
        methods: MethodSet::from(methods),
        keys: config.host_keys.clone(),
        // Every rejection takes this long, whatever its cause; the probing "none" request does not.
        auth_rejection_time: Duration::from_millis(300),
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: 8,
        window_size: algorithms::WINDOW,
        manual_window: true,
        raw_requests: true,
        manual_close: true,
        maximum_packet_size: algorithms::PACKET,
        channel_buffer_size: algorithms::CHANNEL_MESSAGES,
        preferred: russh::Preferred { cipher: ciphers.into(), ..algorithms::toward_clients() },
        inactivity_timeout: None,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVE_MAX,
        nodelay: true,
        ..Default::default()
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream, peer: SocketAddr, slot: Slot, stop: CancellationToken) {
    let _ = stream.set_nodelay(true);
    // From here on the socket belongs to this core's reactor.
    let Ok((stream, cutter)) = Cutter::of(stream) else { return };
    let grace = tokio::time::Instant::now() + shared.config.login_grace;
    let buffered = Gathered::new(stream);
    let listening = Box::pin(offer::listen(buffered, IDENTIFICATION, shared.config.login_grace));
    let (stream, fast) = match tokio::select! { l = listening => l, () = stop.cancelled() => return } {
        Ok(l) => l,
        Err(e) => return tracing::debug!(%peer, error = %e, "ssh: no client hello"),
    };
    let config = if fast { shared.fast.clone() } else { shared.server.clone() };
    let conn = Connection::new(shared, peer, Some(slot), None);
    drive(conn, stream, config, grace, stop).await;
    cutter.cut();
}

/// The inner connection of a jump. It ends with the outer one.
pub(super) async fn serve_inner(outer: &Connection, stream: DuplexStream, target: TargetName, config: Arc<server::Config>) {
    let shared = outer.shared.clone();
    let grace = tokio::time::Instant::now() + shared.config.login_grace;
    let conn = Connection::new(shared, outer.peer, None, Some(target));
    let (stop, end) = (CancellationToken::new(), conn.end.clone());
    let inner = drive(conn, stream, config, grace, stop);
    tokio::pin!(inner);
    tokio::select! {
        () = &mut inner => {}
        reason = outer.end.ended() => {
            end.end(reason);
            inner.await;
        }
    }
}

/// Runs one connection from handshake to the last words, and closes what it had opened.
async fn drive<S>(conn: Arc<Connection>, stream: S, config: Arc<server::Config>, grace: tokio::time::Instant, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = conn.peer;
    let starting = Box::pin(server::run_stream(config, stream, ClientHandler::new(conn.clone())));
    let mut running = tokio::select! {
        r = starting => match r {
            Ok(running) => running,
            Err(e) => return tracing::debug!(%peer, error = %e, "ssh: handshake failed"),
        },
        () = tokio::time::sleep_until(grace) => return tracing::debug!(%peer, "ssh: no client banner in time"),
        () = stop.cancelled() => return,
    };
    let handle = running.handle().clone();
    conn.set_client_handle(handle.clone());
    let late = async {
        tokio::select! {
            () = tokio::time::sleep_until(grace) => {}
            () = conn.until_signed_in() => std::future::pending().await,
        }
    };
    let mut client_left = false;
    let reason = tokio::select! {
        r = &mut running => {
            client_left = true;
            if let Err(e) = r {
                tracing::debug!(%peer, error = %e, "ssh: connection ended");
            }
            EndReason::ClientClosed
        }
        reason = conn.end.ended() => reason,
        () = late => EndReason::Idle,
        () = stop.cancelled() => EndReason::GatewayStopped,
    };
    conn.end.end(reason);
    let reason = conn.end.ended().await;
    // The relays have heard it: they say goodbye and stop, within their own bounds.
    conn.tasks.close();
    let _ = timeout(2 * FAREWELL, conn.tasks.wait()).await;
    if !client_left {
        let text = notice::ended(&reason).trim().to_owned();
        let bye = handle.disconnect(russh::Disconnect::ByApplication, text, String::new());
        let _ = timeout(FAREWELL, bye).await;
        let _ = timeout(FAREWELL, &mut running).await;
    }
    Box::pin(finish(&conn, &reason)).await;
}

/// Seals what a connection had opened and waits for its tasks.
pub(super) async fn finish(conn: &Connection, reason: &EndReason) {
    let closed = close(conn, reason).await;
    conn.tasks.wait().await;
    // A session that was just being opened noticed the end by itself, or got through in that moment.
    if !closed {
        close(conn, reason).await;
    }
}

async fn close(conn: &Connection, reason: &EndReason) -> bool {
    let Some(session) = conn.started() else { return false };
    session.clone().close(reason).await;
    tracing::info!(session = %conn.session, reason = reason.as_str(), "session ended");
    true
}
