//! Security headers on every answer, errors included.
use crate::state::App;
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The terminal player's screen model is WebAssembly; this allows that and still no eval.
const CSP_PLAYER: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), geolocation=(), usb=()",
    ),
];

/// Put into a response's extensions by the one page that holds the player.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Player;

/// Put into a response's extensions by the one page that holds a terminal: its renderer makes style elements while it runs, and this names
/// the ones that are its own.
#[derive(Debug, Clone)]
pub(crate) struct Styles(String);

impl Styles {
    pub(crate) fn new() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }
    pub(crate) fn nonce(&self) -> &str {
        &self.0
    }
    fn policy(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(CSP.replacen("style-src 'self'", &format!("style-src 'self' 'nonce-{}'", self.0), 1)).ok()
    }
}

pub(super) async fn add(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let styles = response.extensions().get::<Styles>().and_then(Styles::policy);
    let csp = if response.extensions().get::<Player>().is_some() { CSP_PLAYER } else { CSP };
    let csp = styles.unwrap_or(HeaderValue::from_static(csp));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, csp);
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Assets say themselves how long they keep; everything else is about people and is never kept.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if app.origin.secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    }
    response
}
