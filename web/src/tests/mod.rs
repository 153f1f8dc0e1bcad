//! The portal as a browser sees it: real router, real decisions, real Postgres; only the socket is left out.
#![allow(clippy::unwrap_used)]
mod cards;
mod certificates;
mod clinical_use;
mod comments;
mod companies;
mod desktop;
mod hostile;
mod keeping;
mod locks;
mod offered;
mod painting;
mod policies;
mod posture;
mod replay;
mod roles;
mod safety;
mod scanner;
mod search;
mod story;
mod supervise;
mod target_test;
mod targets;
mod terminal;
mod ticket;
mod tls;
mod unmask;

use crate::{
    Clipboard, RdpAddress, SshAddress, layers,
    layers::limit::Limiter,
    routes,
    state::{App, Origin, Shared},
    world::{Someone, World, origin},
};
use anteroom_domain::{CertificateFingerprint, LiveSession, PersonId, SessionControl, SessionId, TargetProbe, TerminalDoor};
use anteroom_recorder::{Replayer, unmask::Unsealer};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// A registry with nothing in it that remembers what it was told.
#[derive(Debug, Default)]
struct Control {
    live: Mutex<Vec<LiveSession>>,
    ended: Mutex<Vec<SessionId>>,
    said: Mutex<Vec<String>>,
    paused: Mutex<Vec<(SessionId, bool)>>,
}

impl SessionControl for Control {
    fn list(&self) -> Vec<LiveSession> {
        self.live.lock().unwrap().clone()
    }
    fn terminate(&self, id: SessionId, _: PersonId) -> bool {
        self.ended.lock().unwrap().push(id);
        true
    }
    fn pause(&self, id: SessionId, _: PersonId) -> bool {
        self.paused.lock().unwrap().push((id, true));
        true
    }
    fn resume(&self, id: SessionId, _: PersonId) -> bool {
        self.paused.lock().unwrap().push((id, false));
        true
    }
    fn message(&self, id: SessionId, from: &str, text: &str) -> bool {
        let here = self.live.lock().unwrap().iter().any(|s| s.id == id);
        if here {
            self.said.lock().unwrap().push(format!("{from}: {text}"));
        }
        here
    }
}

fn rdp() -> RdpAddress {
    RdpAddress { host: "bastion".into(), port: 3389, certificate: Some(CertificateFingerprint::of(b"certificate")) }
}

struct Site {
    world: World,
    control: Arc<Control>,
    router: Router,
    app: App,
    stop: CancellationToken,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    bytes: axum::body::Bytes,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

impl Site {
    async fn new() -> Self {
        Self::with(None).await
    }

    async fn with(replayer: Option<Replayer>) -> Self {
        Self::on(World::new().await, replayer, None, None, Clipboard::Both)
    }

    /// The same with somebody who releases keys.
    async fn unsealing(replayer: Replayer, world: World, unsealer: Arc<dyn Unsealer>) -> Self {
        let mut site = Self::on(world, Some(replayer), None, None, Clipboard::Both);
        let shared = Shared {
            approvals: site.world.approvals.clone(),
            replayer: site.app.replayer.clone(),
            control: site.control.clone(),
            origin: Origin::new(&origin()).unwrap(),
            ssh: SshAddress { host: "bastion".into(), port: 2222 },
            rdp: Some(rdp()),
            limiter: Default::default(),
            polls: Limiter::of_polls(),
            viewings: Default::default(),
            terminals: None,
            clipboard: Clipboard::Both,
            waiting: Default::default(),
            desktops: Default::default(),
            open: Default::default(),
            probe: None,
            tests: Default::default(),
            searches: Default::default(),
            watchers: Default::default(),
            search: true,
            unsealer: Some(unsealer),
            held: Default::default(),
            codes: Default::default(),
        };
        site.app = App::new(shared);
        site.router = layers::wrap(routes::router(site.app.clone(), &site.stop), site.app.clone());
        site
    }

    fn on(
        world: World,
        replayer: Option<Replayer>,
        terminals: Option<Arc<dyn TerminalDoor>>,
        probe: Option<Arc<dyn TargetProbe>>,
        clipboard: Clipboard,
    ) -> Self {
        let control = Arc::new(Control::default());
        let app = App::new(Shared {
            approvals: world.approvals.clone(),
            replayer,
            control: control.clone(),
            origin: Origin::new(&origin()).unwrap(),
            ssh: SshAddress { host: "bastion".into(), port: 2222 },
            rdp: Some(rdp()),
            limiter: Default::default(),
            polls: Limiter::of_polls(),
            viewings: Default::default(),
            searches: Default::default(),
            watchers: Default::default(),
            search: true,
            terminals,
            clipboard,
            waiting: Default::default(),
            desktops: Default::default(),
            open: Default::default(),
            probe,
            tests: Default::default(),
            unsealer: None,
            held: Default::default(),
            codes: Default::default(),
        });
        let stop = CancellationToken::new();
        let router = layers::wrap(routes::router(app.clone(), &stop), app.clone());
        Self { world, control, router, app, stop }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 7], 50_000))));
        let response = self.router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }

    /// As a browser on one of our own pages would ask.
    fn request(&self, method: &str, path: &str, who: Option<&Someone>) -> axum::http::request::Builder {
        let mut r = Request::builder().method(method).uri(path).header("host", "gate.example").header("sec-fetch-site", "same-origin");
        if let Some(who) = who {
            r = r.header("cookie", format!("__Host-anteroom={}", who.token.expose()));
        }
        r
    }

    async fn get(&self, path: &str, who: Option<&Someone>) -> Answer {
        self.send(self.request("GET", path, who).body(Body::empty()).unwrap()).await
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)], who: Option<&Someone>) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let r = self.request("POST", path, who).header("content-type", "application/x-www-form-urlencoded").header("origin", "null");
        self.send(r.body(Body::from(body)).unwrap()).await
    }

    async fn json(&self, path: &str, body: &serde_json::Value, who: Option<&Someone>) -> Answer {
        let r = self.request("POST", path, who).header("content-type", "application/json").header("origin", "https://gate.example");
        self.send(r.body(Body::from(body.to_string())).unwrap()).await
    }
}
