//! From a configuration to a listening portal, and its orderly end.
use crate::{
    PortalConfig, indexer, layers,
    layers::limit::Limiter,
    pages::unmask,
    routes,
    state::{App, Origin, Shared},
    tls::Certificate,
};
use anteroom_approvals::Approvals;
use anteroom_domain::{SessionControl, TargetProbe, TerminalDoor};
use anteroom_recorder::{Replayer, unmask::Unsealer};
use axum_server::Handle;
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long open requests may take to finish after a stop.
const DRAIN: Duration = Duration::from_secs(5);
/// A request's headers have to arrive within this time, and an idle connection has to answer.
const HEADERS_WITHIN: Duration = Duration::from_secs(20);
/// How often the certificate files are looked at.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    #[error("portal: refuses to serve in clear on {0}; set tls_cert and tls_key, or listen on a loopback address")]
    InClear(SocketAddr),
    #[error("portal: origin \"{0}\" is not of the form http(s)://host[:port]")]
    Origin(String),
    #[error("portal: origin is https but no certificate is set; set tls_cert and tls_key")]
    SecureOriginInClear,
    #[error("portal: {}: {why}", path.display())]
    Certificate { path: PathBuf, why: String },
    #[error("portal: cannot listen on {addr}: {source}")]
    Listen { addr: SocketAddr, source: io::Error },
    #[error("portal: {0}")]
    Serve(#[from] io::Error),
}

/// A portal that listens but does not answer yet.
pub struct Portal {
    listener: TcpListener,
    addr: SocketAddr,
    certificate: Option<Certificate>,
    app: App,
}

impl std::fmt::Debug for Portal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portal").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Asks a running portal to read its certificate files again.
#[derive(Debug, Clone)]
pub struct Reload(Option<Certificate>);

impl Reload {
    /// On an error the old certificate stays in use.
    pub fn reload(&self) -> Result<(), PortalError> {
        self.0.as_ref().map_or(Ok(()), Certificate::reload)
    }
}

impl Portal {
    /// Listens. Without `terminals` no page offers one, without `probe` no target is tested, without `unsealer` nothing is unmasked.
    pub fn bind(
        config: PortalConfig,
        approvals: Approvals,
        replayer: Option<Replayer>,
        control: Arc<dyn SessionControl>,
        terminals: Option<Arc<dyn TerminalDoor>>,
        probe: Option<Arc<dyn TargetProbe>>,
        unsealer: Option<Arc<dyn Unsealer>>,
    ) -> Result<Self, PortalError> {
        let origin = Origin::new(&config.origin).ok_or_else(|| PortalError::Origin(config.origin.to_string()))?;
        if config.tls.is_none() && !config.listen.ip().is_loopback() {
            return Err(PortalError::InClear(config.listen));
        }
        if config.tls.is_none() && origin.secure {
            return Err(PortalError::SecureOriginInClear);
        }
        let certificate = config.tls.map(Certificate::load).transpose()?;
        let listen = |source| PortalError::Listen { addr: config.listen, source };
        let listener = TcpListener::bind(config.listen).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let search = config.search && replayer.is_some();
        let app = App::new(Shared {
            approvals,
            replayer,
            control,
            origin,
            ssh: config.ssh,
            rdp: config.rdp,
            limiter: Limiter::default(),
            polls: Limiter::of_polls(),
            viewings: Default::default(),
            searches: Default::default(),
            watchers: Default::default(),
            search,
            terminals,
            clipboard: config.clipboard,
            waiting: Default::default(),
            desktops: Default::default(),
            open: Default::default(),
            probe,
            tests: Default::default(),
            unsealer,
            held: Default::default(),
            codes: Default::default(),
        });
        Ok(Self { listener, addr, certificate, app })
    }

    /// Where it listens; tells the port when 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn reload_handle(&self) -> Reload {
        Reload(self.certificate.clone())
    }

    /// Serves until `stop`, then lets open requests finish for a few seconds.
    pub async fn run(self, stop: CancellationToken) -> Result<(), PortalError> {
        let Self { listener, certificate, app, .. } = self;
        let (open, tests) = (app.open.clone(), app.tests.clone());
        let indexing = indexing(&app, &stop);
        let keep = unmask::held::keep(app.clone());
        let handle = Handle::new();
        let service = layers::wrap(routes::router(app.clone(), &stop), app).into_make_service_with_connect_info::<SocketAddr>();
        let ender = async {
            stop.cancelled().await;
            handle.graceful_shutdown(Some(DRAIN));
            std::future::pending::<()>().await;
        };
        let serving = async {
            match &certificate {
                Some(c) => {
                    let mut server = axum_server::from_tcp_rustls(listener, c.live.clone())?.handle(handle.clone());
                    patience(server.http_builder());
                    server.serve(service).await
                }
                None => {
                    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone());
                    patience(server.http_builder());
                    server.serve(service).await
                }
            }
        };
        let done = tokio::select! {
            done = serving => done,
            () = ender => Ok(()),
            () = watch(certificate.as_ref()) => Ok(()),
            () = keep => Ok(()),
        };
        if let Some((ends, task)) = indexing {
            ends.cancel();
            let _ = tokio::time::timeout(DRAIN, task).await;
        }
        // Terminals heard of the stop themselves; each says goodbye within its own bound.
        let _ = tokio::time::timeout(DRAIN, async { tokio::join!(open.all_ended(), tests.all_ended()) }).await;
        Ok(done?)
    }
}

/// The one task of the portal that is nobody's request.
fn indexing(app: &App, stop: &CancellationToken) -> Option<(CancellationToken, JoinHandle<()>)> {
    let replayer = app.replayer.clone().filter(|_| app.search)?;
    let ends = stop.child_token();
    let task = tokio::spawn(indexer::run(app.approvals.clone(), replayer, ends.clone()));
    Some((ends, task))
}

/// Strangers may open connections, but not keep them by saying nothing.
fn patience(http: &mut Builder<TokioExecutor>) {
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADERS_WITHIN)
        .keep_alive_timeout(HEADERS_WITHIN)
        .max_concurrent_streams(100);
}

/// Reloads the certificate when its files change; a broken pair is reported once and the old one stays.
async fn watch(certificate: Option<&Certificate>) {
    let Some(certificate) = certificate else { return std::future::pending().await };
    let mut seen = certificate.modified();
    loop {
        tokio::time::sleep(CERTIFICATE_CHECK).await;
        let now = certificate.modified();
        if now.is_none() || now == seen {
            continue;
        }
        seen = now;
        match certificate.reload() {
            Ok(()) => tracing::info!("portal certificate reloaded"),
            Err(e) => tracing::warn!(error = %e, "portal certificate changed but is not usable; the old one stays"),
        }
    }
}
