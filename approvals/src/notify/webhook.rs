//! Webhooks, signed as Standard Webhooks says (<https://www.standardwebhooks.com>): one POST, no redirect, little time, little read.
use super::{Undelivered, address};
use anteroom_domain::{Moment, Secret};
use base64::{Engine, engine::general_purpose::STANDARD as B64};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::Full;
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use sha2::Sha256;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use url::Url;

/// For everything: name, connection, TLS, request and answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Where notices are posted.
#[derive(Debug)]
pub struct Webhook {
    /// How operators call it.
    pub name: String,
    /// https; http only where `loopback` is allowed.
    pub url: Url,
    pub secret: WebhookSecret,
    /// It may be on this machine.
    pub loopback: bool,
}

/// `whsec_` and 24 to 64 bytes in base64.
pub struct WebhookSecret(Secret<Vec<u8>>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret")
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a webhook's secret is whsec_ followed by 24 to 64 random bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)")]
pub struct SecretError;

impl WebhookSecret {
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let bytes = text.trim().strip_prefix("whsec_").and_then(|s| B64.decode(s).ok()).ok_or(SecretError)?;
        if (24..=64).contains(&bytes.len()) { Ok(Self(Secret::new(bytes))) } else { Err(SecretError) }
    }

    /// The header `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose()) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", B64.encode(mac.finalize().into_bytes()))
    }
}

impl Webhook {
    /// What is wrong with the address as it is written; where a name leads to is looked at each time.
    pub fn check(&self) -> Result<(), &'static str> {
        let plain = self.url.scheme() == "http" && self.loopback;
        if self.url.scheme() != "https" && !plain {
            return Err("must be https (http only with loopback = true)");
        }
        if self.url.host_str().is_none() || !self.url.username().is_empty() || self.url.password().is_some() {
            return Err("must name a host, and no user or password");
        }
        Ok(())
    }

    /// Done when the receiver answered with success.
    pub(super) async fn post(&self, id: &str, now: Moment, body: &str) -> Result<(), Undelivered> {
        self.check().map_err(|e| Undelivered(e.into()))?;
        timeout(LIMIT, Box::pin(self.send(id, now, body))).await.map_err(|_| Undelivered("no answer within 10 seconds".into()))?
    }

    async fn send(&self, id: &str, now: Moment, body: &str) -> Result<(), Undelivered> {
        let gone = |what: &str| Undelivered(what.to_owned());
        let host = self.url.host_str().ok_or_else(|| gone("no host"))?;
        let port = self.url.port_or_known_default().ok_or_else(|| gone("no port"))?;
        let tcp =
            TcpStream::connect(self.address(host, port).await?).await.map_err(|e| Undelivered(format!("no connection: {}", e.kind())))?;
        let timestamp = now.unix_timestamp();
        let authority = self.url.port().map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"));
        let request = Request::post(&self.url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "anteroom")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", self.secret.sign(id, timestamp, body))
            .body(Full::new(Bytes::from(body.to_owned())))
            .map_err(|_| gone("the request cannot be made"))?;
        let status = if self.url.scheme() == "http" {
            exchange(tcp, request).await?
        } else {
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| gone("the host name is none"))?;
            let tls = TlsConnector::from(client_config()?).connect(name, tcp).await;
            exchange(tls.map_err(|e| Undelivered(format!("TLS: {e}")))?, request).await?
        };
        // A redirect is no success: what is signed for one place is not carried to another.
        if status.is_success() { Ok(()) } else { Err(Undelivered(format!("answered {}", status.as_u16()))) }
    }

    /// Looked up once, judged, and exactly that is connected to.
    async fn address(&self, host: &str, port: u16) -> Result<SocketAddr, Undelivered> {
        let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port))
            .await
            .map_err(|_| Undelivered("the host is not found".into()))?;
        let mut why = "the host has no address".to_owned();
        for at in found {
            match address::check(at.ip(), self.loopback) {
                Ok(()) => return Ok(at),
                Err(e) => why = format!("not called: {e}"),
            }
        }
        Err(Undelivered(why))
    }
}

/// The status; nothing of the answer's body is read.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<StatusCode, Undelivered>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let gone = |_| Undelivered("the receiver spoke no HTTP".into());
    let (mut send, connection) = http1::Builder::new().max_buf_size(16 * 1024).handshake(TokioIo::new(stream)).await.map_err(gone)?;
    let ask = async {
        let answer = send.send_request(request).await.map_err(gone)?;
        Ok(answer.status())
    };
    let connection = std::pin::pin!(connection);
    let ask = std::pin::pin!(ask);
    match futures_util::future::select(ask, connection).await {
        futures_util::future::Either::Left((status, _)) => status,
        // The connection may be done before its last answer was taken.
        futures_util::future::Either::Right((_, ask)) => ask.await,
    }
}

fn client_config() -> Result<Arc<ClientConfig>, Undelivered> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|_| Undelivered("TLS cannot be set up".into()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Vectors of the Standard Webhooks libraries.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let s = WebhookSecret::new("whsec_plJ3nmyCDGBKInavdOK15jsl").unwrap_err();
        assert!(s.to_string().contains("24 to 64"), "that secret has 18 bytes: too short for the specification");
        let s = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            s.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert!(!format!("{s:?}").contains("MfKQ"));
    }

    #[test]
    fn an_address_that_says_too_much_or_is_not_private_is_refused() {
        let hook = |url: &str, loopback| Webhook {
            name: "siem".into(),
            url: url.parse().unwrap(),
            secret: WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(),
            loopback,
        };
        assert!(hook("https://siem.example/in?x=1", false).check().is_ok());
        assert!(hook("http://127.0.0.1:9/in", true).check().is_ok());
        for bad in ["http://siem.example/in", "ftp://siem.example/", "https://user:pw@siem.example/"] {
            assert!(hook(bad, false).check().is_err(), "{bad}");
        }
    }
}
