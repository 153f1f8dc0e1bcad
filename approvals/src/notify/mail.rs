//! E-mail by SMTP.
use super::{Undelivered, What};
use anteroom_domain::Secret;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use std::time::Duration;
use url::Url;

/// For one mail, all of it.
const LIMIT: Duration = Duration::from_secs(20);

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte, usually port 465.
    Tls,
    /// Plain at first and TLS before anything is said, usually port 587. A server that offers none is not used.
    #[default]
    StartTls,
    /// Nothing. For a relay on this machine.
    Plain,
}

/// The mail server that takes our mail.
#[derive(Debug)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub security: MailSecurity,
    /// `anteroom@hospital.example`
    pub from: MailAddress,
    pub login: Option<(String, Secret<String>)>,
}

/// Where a person is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress(Address);

impl std::str::FromStr for MailAddress {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if s.len() > 254 {
            return Err("a mail address has at most 254 characters");
        }
        s.parse().map(Self).map_err(|_| "not a mail address like ada@hospital.example")
    }
}
impl std::fmt::Display for MailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl MailServer {
    /// Done when the server took it.
    pub(super) async fn send(&self, id: &str, to: &MailAddress, what: &What, portal: &Url) -> Result<(), Undelivered> {
        let mail = self.written(id, to, what, portal)?;
        let server = self.transport()?;
        let sent = tokio::time::timeout(LIMIT, Box::pin(server.send(mail)));
        match sent.await {
            Ok(Ok(_)) => Ok(()),
            // A server's words may repeat addresses; its code says enough.
            Ok(Err(e)) => Err(Undelivered(e.status().map_or_else(|| plain(&e).into(), |code| format!("the mail server said {code}")))),
            Err(_) => Err(Undelivered("the mail server did not finish within 20 seconds".into())),
        }
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
        let tls = || TlsParameters::new(self.host.clone()).map_err(|_| Undelivered("TLS to the mail server cannot be set up".into()));
        let mut t = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host).port(self.port).timeout(Some(LIMIT)).tls(
            match self.security {
                MailSecurity::Tls => Tls::Wrapper(tls()?),
                MailSecurity::StartTls => Tls::Required(tls()?),
                MailSecurity::Plain => Tls::None,
            },
        );
        if let Some((user, password)) = &self.login {
            t = t.credentials(Credentials::new(user.clone(), password.expose().clone()));
        }
        Ok(t.build())
    }

    fn written(&self, id: &str, to: &MailAddress, what: &What, portal: &Url) -> Result<Message, Undelivered> {
        let link = portal.join(&what.path()).map_err(|_| Undelivered("the portal's address is none".into()))?;
        let body = format!(
            "{}.\n\n{link}\n\nWhat it is about is shown after you sign in; mail carries no reasons and no patient data.\n",
            what.title()
        );
        Message::builder()
            .from(Mailbox::new(Some("Anteroom".into()), self.from.0.clone()))
            .to(Mailbox::new(None, to.0.clone()))
            .subject(what.title())
            .message_id(Some(format!("<{id}@{}>", self.from.0.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|_| Undelivered("the mail cannot be written".into()))
    }
}

fn plain(e: &lettre::transport::smtp::Error) -> &'static str {
    if e.is_timeout() {
        "the mail server did not answer in time"
    } else if e.is_tls() {
        "TLS with the mail server failed"
    } else if e.is_response() {
        "the mail server did not speak SMTP"
    } else {
        "the mail server cannot be reached, or does not offer what is asked for"
    }
}
