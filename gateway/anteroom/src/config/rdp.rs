//! The `[rdp]` part: where desktops are reached, and what the gateway shows itself with there. Without it there is no RDP.
use super::{
    check::{Checker, private_file},
    file,
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use toml::Spanned;

/// For longer than this approvals lets nobody come back.
const LONGEST_WINDOW: Duration = Duration::from_secs(120);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rdp {
    pub(crate) listen: Vec<SocketAddr>,
    /// Certificate and key; none: one of our own, kept in the data directory.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) public_host: Option<String>,
    pub(crate) public_port: Option<u16>,
    pub(crate) tls_without_nla: bool,
    pub(crate) reconnect_window: Duration,
    pub(crate) login_grace: Duration,
}

impl Checker<'_> {
    pub(super) fn rdp(&mut self, r: &file::Rdp) -> Option<Rdp> {
        let before = self.problems.len();
        let mut listen = Vec::new();
        for a in r.listen.get_ref().all() {
            listen.extend(self.address("rdp.listen", &r.listen, a));
        }
        if listen.is_empty() && self.problems.len() == before {
            self.problem("rdp.listen", &r.listen, None, "names no address; leave [rdp] out if there shall be no RDP");
        }
        let tls = match (&r.tls_cert, &r.tls_key) {
            (Some(cert), Some(key)) => self.rdp_identity(cert, key),
            (None, None) => None,
            (Some(cert), None) => {
                self.wrong("rdp.tls_cert", cert, "tls_key is missing");
                None
            }
            (None, Some(key)) => {
                self.wrong("rdp.tls_key", key, "tls_cert is missing");
                None
            }
        };
        let reconnect_window = self.duration("rdp.reconnect_window", r.reconnect_window.as_ref(), LONGEST_WINDOW);
        if let Some(w) = r.reconnect_window.as_ref().filter(|_| reconnect_window > LONGEST_WINDOW) {
            self.wrong("rdp.reconnect_window", w, "at most 2m: for longer a ticket does not open its session again");
        }
        let login_grace = self.duration("rdp.login_grace", r.login_grace.as_ref(), Duration::from_secs(60));
        if let Some(w) = r.login_grace.as_ref().filter(|_| login_grace < Duration::from_secs(5)) {
            self.wrong("rdp.login_grace", w, "at least 5s: people confirm a certificate in that time");
        }
        (self.problems.len() == before).then(|| Rdp {
            listen,
            tls,
            public_host: r.public_host.as_ref().map(|h| h.get_ref().clone()),
            public_port: r.public_port.as_ref().map(|p| *p.get_ref()),
            tls_without_nla: r.allow_tls_without_nla.unwrap_or(false),
            reconnect_window,
            login_grace,
        })
    }

    fn rdp_identity(&mut self, cert: &Spanned<String>, key: &Spanned<String>) -> Option<(PathBuf, PathBuf)> {
        let (cert_path, key_path) = (self.path(cert), self.path(key));
        if let Err(why) = private_file(&key_path) {
            self.wrong("rdp.tls_key", key, why);
            return None;
        }
        if let Err(e) = anteroom_gateway::rdp::Identity::load(&cert_path, &key_path) {
            self.wrong("rdp.tls_cert", cert, e.to_string());
            return None;
        }
        Some((cert_path, key_path))
    }
}
