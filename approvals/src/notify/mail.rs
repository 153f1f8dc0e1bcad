//! E-mail by SMTP.
use super::{Undelivered, What};
use anteroom_domain::Secret;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};
use rustls::CertificateError;
use std::{error::Error as _, time::Duration};
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
    /// Who signed the server's certificate; none: whoever this machine trusts.
    pub authority: Option<MailAuthority>,
}

/// A hospital's own authority: nobody else is believed then.
#[derive(Debug, Clone)]
pub struct MailAuthority(Certificate);

impl MailAuthority {
    /// One or more certificates.
    pub fn from_pem(pem: &str) -> Result<Self, &'static str> {
        if !pem.contains("-----BEGIN CERTIFICATE-----") {
            return Err("there is no certificate in it (PEM)");
        }
        Certificate::from_pem(pem.as_bytes()).map(Self).map_err(|_| "a certificate in it is damaged")
    }
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
        // Quoted names may hold anything (RFC 5321 section 4.1.2), a line's end in careless hands too; nobody here has one.
        if s.chars().any(|c| c.is_control() || c.is_whitespace() || "\"\\<>(),;:".contains(c)) {
            return Err("a mail address is written without blanks, quotes and brackets, like ada@hospital.example");
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
    pub(super) async fn send(&self, id: &str, to: &MailAddress, what: &What, link: &Url) -> Result<(), Undelivered> {
        let mail = self.written(id, to, what, link)?;
        let server = self.transport()?;
        let sent = tokio::time::timeout(LIMIT, Box::pin(server.send(mail)));
        match sent.await {
            Ok(Ok(_)) => Ok(()),
            // A server's words may repeat addresses; its code says enough.
            Ok(Err(e)) => Err(Undelivered(e.status().map_or_else(|| plain(&e), |code| format!("the mail server said {code}")))),
            Err(_) => Err(Undelivered("the mail server did not finish within 20 seconds".into())),
        }
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, Undelivered> {
        let tls = || {
            let mut tls = TlsParameters::builder(self.host.clone());
            if let Some(MailAuthority(certificate)) = &self.authority {
                tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate.clone());
            }
            tls.build().map_err(|_| Undelivered("TLS to the mail server cannot be set up".into()))
        };
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

    fn written(&self, id: &str, to: &MailAddress, what: &What, link: &Url) -> Result<Message, Undelivered> {
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

/// Why the server could not be spoken to, without a word of its own.
fn plain(e: &lettre::transport::smtp::Error) -> String {
    if let Some(tls) = tls_error(e) {
        return match tls {
            rustls::Error::InvalidCertificate(why) => format!("the mail server's certificate is not accepted: {}", refused(why)),
            _ => "TLS with the mail server failed".into(),
        };
    }
    // Lettre's own words for what it asked for and was not offered.
    let missing = if e.is_client() { e.source().map(ToString::to_string).unwrap_or_default() } else { String::new() };
    let text = if e.is_timeout() {
        "the mail server did not answer in time"
    } else if e.is_tls() {
        "TLS with the mail server failed"
    } else if e.is_response() {
        "the mail server did not speak SMTP"
    } else if missing.contains("STARTTLS") {
        "the mail server offers no TLS, so nothing was sent"
    } else if missing.contains("authentication") {
        "the mail server offers no way to sign in that is known here"
    } else if e.is_client() {
        "the mail server does not offer what this mail needs"
    } else {
        "the mail server cannot be reached, or hung up"
    };
    text.to_owned()
}

/// What tokio-rustls puts into an `io::Error`, whose own `source` would leave it out.
fn tls_error(e: &lettre::transport::smtp::Error) -> Option<&rustls::Error> {
    let mut next = e.source();
    while let Some(e) = next {
        let inner = e.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(tls) = inner.and_then(|i| i.downcast_ref::<rustls::Error>()) {
            return Some(tls);
        }
        next = e.source();
    }
    None
}

fn refused(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "nobody who is trusted here signed it (a hospital's own authority is named with ca_file)"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its time is over",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "its time has not begun",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another name",
        CertificateError::Revoked => "it was revoked",
        _ => "it does not hold",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_second_line_and_no_second_reader() {
        for good in ["ada@hospital.example", "ada.o'neill+oncall@mail.hospital.example", "ada@[10.0.0.7]"] {
            let good_here = good.parse::<MailAddress>();
            assert!(good_here.is_ok(), "{good}: {good_here:?}");
        }
        for bad in [
            "ada@hospital.example\r\nBcc: eve@evil.example",
            "ada@hospital.example\nBcc: eve@evil.example",
            "\"ada\r\nBcc: eve@evil.example\r\n\"@hospital.example",
            "\"ada eve\"@hospital.example",
            "ada@hospital.example, eve@evil.example",
            "ada@hospital.example>\r\nRCPT TO:<eve@evil.example",
            "Ada <ada@hospital.example>",
            "ada@hospital.example\u{2028}x",
            "ada",
            "",
        ] {
            assert!(bad.parse::<MailAddress>().is_err(), "{bad:?}");
        }
        assert!(format!("{}@x.example", "a".repeat(250)).parse::<MailAddress>().is_err());
    }

    #[test]
    fn an_authority_is_a_certificate() {
        assert!(MailAuthority::from_pem("").is_err());
        assert!(MailAuthority::from_pem("-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n").is_err());
    }
}
