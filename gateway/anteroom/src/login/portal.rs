//! The portal as `anteroom login` sees it: two calls, JSON both ways. What it answers is checked before it is shown.
use crate::cli::Usage;
use anteroom_domain::Secret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{fmt, sync::Arc, time::Duration};
use time::OffsetDateTime;
use ureq::{
    Agent, Body,
    http::Response,
    tls::{Certificate, RootCerts, TlsConfig},
};
use url::{Host, Url};

/// One call, from the name's look-up to the answer's last byte.
const CALL: Duration = Duration::from_secs(20);
/// A certificate and its words are about 1 KiB.
const MAX_ANSWER: u64 = 64 * 1024;
/// Longest text of the portal that is repeated, characters.
const MAX_TEXT: usize = 300;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PortalError {
    #[error("{0}")]
    NoAnswer(String),
    #[error("the portal refused: {0}")]
    Refused(String),
    #[error("{0} does not answer like an Anteroom portal; is the address right?")]
    Strange(Url),
    #[error("no certificate authority is known on this machine; install ca-certificates, or name your hospital's with SSL_CERT_FILE=FILE")]
    NoRoots,
}

pub(crate) struct Portal {
    origin: Url,
    agent: Agent,
}

/// A certificate that waits for a passkey.
pub(crate) struct Asked {
    id: String,
    token: Secret<String>,
    /// On the portal's own pages; asked nowhere else.
    pub(crate) link: Url,
    /// As the page shows it: `481 206`.
    pub(crate) number: String,
    pub(crate) expires_at: OffsetDateTime,
}

/// What a look after it gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Pending,
    Refused,
    Expired,
    /// OpenSSH certificate line.
    Ready(String),
}

#[derive(Serialize)]
struct Ask<'a> {
    public_key: &'a str,
}

#[derive(Deserialize)]
struct AskedAnswer {
    id: uuid::Uuid,
    number: String,
    link: String,
    token: String,
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
}

#[derive(Serialize)]
struct Poll<'a> {
    token: &'a str,
}

#[derive(Deserialize)]
struct PollAnswer {
    state: State,
    certificate: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    Refused,
    Expired,
    Ready,
}

#[derive(Deserialize)]
struct RefusedAnswer {
    error: String,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Portal {
    pub(crate) fn at(origin: Url) -> Result<Self, PortalError> {
        let mut config = Agent::config_builder()
            .timeout_global(Some(CALL))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")));
        if origin.scheme() == "https" {
            config = config.tls_config(tls()?);
        } else {
            // Loopback in clear: through a proxy it would leave this machine.
            config = config.proxy(None);
        }
        Ok(Self { origin, agent: Agent::new_with_config(config.build()) })
    }

    pub(crate) fn ask(&self, public_key: &str) -> Result<Asked, PortalError> {
        let url = self.url("api/login")?;
        let a: AskedAnswer = self.call(&url, &Ask { public_key })?;
        self.checked(a).ok_or(PortalError::Strange(url))
    }

    pub(crate) fn poll(&self, asked: &Asked) -> Result<Answer, PortalError> {
        let url = self.url(&format!("api/login/{}/poll", asked.id))?;
        let a: PollAnswer = self.call(&url, &Poll { token: asked.token.expose() })?;
        Ok(match (a.state, a.certificate) {
            (State::Pending, _) => Answer::Pending,
            (State::Refused, _) => Answer::Refused,
            (State::Expired, _) => Answer::Expired,
            (State::Ready, Some(c)) => Answer::Ready(c),
            (State::Ready, None) => return Err(PortalError::Strange(url)),
        })
    }

    /// The link leads to this portal and the number is one: nothing else may be shown in somebody's terminal as ours.
    fn checked(&self, a: AskedAnswer) -> Option<Asked> {
        let link = self.origin.join(&a.link).ok().filter(|l| l.origin() == self.origin.origin())?;
        let fine = !a.number.is_empty() && a.number.len() <= 16 && a.number.chars().all(|c| c.is_ascii_digit() || c == ' ');
        let token = Secret::new(a.token);
        fine.then(|| Asked { id: a.id.to_string(), token, link, number: a.number, expires_at: a.expires_at })
    }

    fn url(&self, path: &str) -> Result<Url, PortalError> {
        self.origin.join(path).map_err(|_| PortalError::Strange(self.origin.clone()))
    }

    /// JSON that is signed as it is; the answer is success, or why not.
    pub(crate) fn send(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(), PortalError> {
        let url = self.url(path)?;
        let request = headers.iter().fold(self.agent.post(url.as_str()), |r, (name, value)| r.header(*name, *value));
        let answer = request.header("content-type", "application/json").send(body);
        let mut answer = answer.map_err(|e| PortalError::NoAnswer(explain(&url, &e)))?;
        if answer.status().is_success() {
            return Ok(());
        }
        match answer.body_mut().with_config().limit(MAX_ANSWER).read_json::<RefusedAnswer>() {
            Ok(r) => Err(PortalError::Refused(printable(&r.error))),
            Err(_) => Err(PortalError::Strange(url)),
        }
    }

    fn call<T: DeserializeOwned>(&self, url: &Url, body: &impl Serialize) -> Result<T, PortalError> {
        let no_answer = |e: ureq::Error| PortalError::NoAnswer(explain(url, &e));
        let mut answer: Response<Body> = self.agent.post(url.as_str()).send_json(body).map_err(no_answer)?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(MAX_ANSWER);
        if status.is_success() {
            return body.read_json().map_err(|_| PortalError::Strange(url.clone()));
        }
        match body.read_json::<RefusedAnswer>() {
            Ok(r) => Err(PortalError::Refused(printable(&r.error))),
            Err(_) => Err(PortalError::Strange(url.clone())),
        }
    }
}

/// Certificates are always checked, against the authorities this machine knows.
fn tls() -> Result<TlsConfig, PortalError> {
    let found = rustls_native_certs::load_native_certs();
    let roots: Vec<_> = found.certs.iter().map(|c| Certificate::from_der(c).to_owned()).collect();
    if roots.is_empty() {
        return Err(PortalError::NoRoots);
    }
    Ok(TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(RootCerts::new_with_certs(&roots))
        .build())
}

fn explain(url: &Url, e: &ureq::Error) -> String {
    let place = url.host_str().unwrap_or_default();
    // A failed handshake comes by itself, or inside an input/output error.
    let tls = match e {
        ureq::Error::Rustls(e) => Some(e),
        ureq::Error::Io(e) => e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    match (tls, e) {
        (Some(rustls::Error::InvalidCertificate(why)), _) => {
            format!(
                "{place}: its certificate is not accepted ({why}); if your hospital has its own authority, name its file with SSL_CERT_FILE=FILE"
            )
        }
        (Some(why), _) => format!("{place} does not speak TLS as it should ({why}); is the address right?"),
        (_, ureq::Error::HostNotFound) => format!("{place}: there is no such host; check the address after --portal"),
        (_, ureq::Error::Timeout(_)) => format!("{place} did not answer within {} s; is it reachable from here?", CALL.as_secs()),
        _ => format!("{place} does not answer: {e}"),
    }
}

/// One line without control characters.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// `https://HOST[:PORT]`; a bare host name is taken for https; in clear to this machine only.
pub(crate) fn origin(given: &str) -> Result<Url, Usage> {
    let wrong = |why: &str| Usage(format!("--portal {given:?}: {why}"));
    let text = if given.contains("://") { given.to_owned() } else { format!("https://{given}") };
    let mut url = Url::parse(&text).map_err(|_| wrong("not an address like https://bastion.hospital.example"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("an address has no name and no password in it"));
    }
    let loopback = match url.host() {
        Some(Host::Domain(d)) => d == "localhost",
        Some(Host::Ipv4(a)) => a.is_loopback(),
        Some(Host::Ipv6(a)) => a.is_loopback(),
        None => return Err(wrong("names no host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(wrong("in clear only to this machine itself; use https")),
        _ => return Err(wrong("the portal is reached by https")),
    }
    // Whoever copies it from the browser's address bar copies a page too.
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
#[path = "portal_tests.rs"]
mod tests;
