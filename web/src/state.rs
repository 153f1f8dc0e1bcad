use crate::{
    layers::limit::Limiter,
    pages::{cards, recordings, targets, terminal, unmask},
};
use anteroom_approvals::Approvals;
use anteroom_domain::{CertificateFingerprint, SessionControl, TargetProbe, TerminalDoor};
use anteroom_recorder::{Replayer, unmask::Unsealer};
use serde::{Deserialize, Serialize};
use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};
use url::Url;

/// How the portal is reached.
#[derive(Debug, Clone)]
pub struct PortalConfig {
    pub listen: SocketAddr,
    /// What people type: scheme, host and port. Passkeys are bound to its host; other `Host` headers are refused.
    /// With port 0 in `listen`, the caller still has to know the port people use.
    pub origin: Url,
    /// None means in clear, which is refused unless `listen` is a loopback address.
    pub tls: Option<Tls>,
    /// Where `ssh` is told to connect on the pages.
    pub ssh: SshAddress,
    /// Where desktops are reached; none where no gateway listens for RDP.
    pub rdp: Option<RdpAddress>,
    /// What terminals in the browser may do with the clipboard.
    pub clipboard: Clipboard,
    /// Read closed recordings, masked, into the database's search index; only with a [`Replayer`].
    pub search: bool,
}

/// Which way text may go between a terminal in the browser and the clipboard. Copying is prevented by our own page only: whoever sees a
/// screen can always write it down. Pasting is prevented here too, as far as bytes tell it from typing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clipboard {
    None,
    /// Into the terminal only.
    Paste,
    /// Out of the terminal only.
    Copy,
    #[default]
    Both,
}

impl Clipboard {
    pub(crate) fn paste(self) -> bool {
        matches!(self, Self::Paste | Self::Both)
    }
}

/// PEM files; read again when they change.
#[derive(Debug, Clone)]
pub struct Tls {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// The gateway's SSH side, as people write it.
#[derive(Debug, Clone)]
pub struct SshAddress {
    pub host: String,
    pub port: u16,
}

impl SshAddress {
    /// The command that connects: `ssh root@ehr-db-1@bastion -p 2222`.
    pub(crate) fn command(&self, account: &str, target: &str) -> String {
        // A backslash (DOMAIN\user) would be eaten by the shell; quoting is harmless where it is not needed.
        let login = format!("{account}@{target}@{}", self.host);
        let login = if login.contains(['\\', '$']) { format!("'{login}'") } else { login };
        match self.port {
            22 => format!("ssh {login}"),
            port => format!("ssh -p {port} {login}"),
        }
    }
}

/// The gateway's RDP side, as people's clients reach it.
#[derive(Debug, Clone)]
pub struct RdpAddress {
    pub host: String,
    pub port: u16,
    /// Of the certificate that the gateway shows there, for people to compare. None if an authority that their machines trust signed it.
    pub certificate: Option<CertificateFingerprint>,
}

impl RdpAddress {
    /// `bastion.example:3389`; an IPv6 address in brackets.
    pub(crate) fn place(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) approvals: Approvals,
    pub(crate) replayer: Option<Replayer>,
    pub(crate) control: Arc<dyn SessionControl>,
    pub(crate) origin: Origin,
    pub(crate) ssh: SshAddress,
    pub(crate) rdp: Option<RdpAddress>,
    pub(crate) limiter: Limiter,
    /// Of programs that wait for a certificate.
    pub(crate) polls: Limiter,
    pub(crate) viewings: recordings::Viewings,
    pub(crate) searches: recordings::search::Searches,
    pub(crate) watchers: recordings::watching::Watchers,
    /// Whether recordings can be searched.
    pub(crate) search: bool,
    /// None where no gateway runs beside this portal.
    pub(crate) terminals: Option<Arc<dyn TerminalDoor>>,
    pub(crate) clipboard: Clipboard,
    pub(crate) waiting: terminal::waiting::Room,
    /// The same for desktops.
    pub(crate) desktops: terminal::waiting::Room,
    pub(crate) open: terminal::open::Open,
    /// None where no gateway runs beside this portal.
    pub(crate) probe: Option<Arc<dyn TargetProbe>>,
    pub(crate) tests: targets::test::Tests,
    /// None where nobody releases keys of sealed tracks.
    pub(crate) unsealer: Option<Arc<dyn Unsealer>>,
    pub(crate) held: unmask::held::Held,
    /// Of cards that are being made.
    pub(crate) codes: cards::held::Codes,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("App")
    }
}

/// The one address the portal answers to.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// `https://bastion.example:8443`, as browsers write it in `Origin`.
    pub(crate) text: String,
    /// `bastion.example:8443`, as browsers write it in `Host`: without the scheme's own port.
    pub(crate) host: String,
    pub(crate) secure: bool,
}

impl Origin {
    /// None when the address has no host or is neither http nor https.
    pub(crate) fn new(url: &Url) -> Option<Self> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = match url.port() {
            Some(p) => format!("{}:{p}", url.host_str()?),
            None => url.host_str()?.to_owned(),
        };
        Some(Self { text: url.origin().ascii_serialization(), host, secure })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        let o = Origin::new(&Url::parse("https://bastion.example:443/x").unwrap()).unwrap();
        assert_eq!((o.text.as_str(), o.host.as_str(), o.secure), ("https://bastion.example", "bastion.example", true));
        let o = Origin::new(&Url::parse("http://localhost:8080").unwrap()).unwrap();
        assert_eq!((o.text.as_str(), o.host.as_str(), o.secure), ("http://localhost:8080", "localhost:8080", false));
        assert!(Origin::new(&Url::parse("ftp://x").unwrap()).is_none());
    }

    #[test]
    fn the_ssh_command_survives_a_shell() {
        let a = SshAddress { host: "bastion".into(), port: 22 };
        assert_eq!(a.command("root", "db"), "ssh root@db@bastion");
        let a = SshAddress { host: "bastion".into(), port: 2222 };
        assert_eq!(a.command("CORP\\svc$", "mri"), "ssh -p 2222 'CORP\\svc$@mri@bastion'");
    }
}
