use super::tls::Identity;
use std::{net::SocketAddr, time::Duration};

/// Checked settings of the RDP side.
#[derive(Debug)]
pub struct RdpConfig {
    pub listen: Vec<SocketAddr>,
    /// What it shows itself with to clients.
    pub identity: Identity,
    /// Clients without network level authentication may come too; their ticket then travels in Client Info, inside TLS.
    pub tls_without_nla: bool,
    /// How long a session waits for its client to come back. Approvals lets a ticket open it again for two minutes at most.
    pub reconnect_window: Duration,
    /// From TCP accept to the proven ticket.
    pub login_grace: Duration,
    /// For each step on the way to a target.
    pub connect_timeout: Duration,
}

impl RdpConfig {
    /// Sane defaults around what has none.
    pub fn new(listen: Vec<SocketAddr>, identity: Identity) -> Self {
        Self {
            listen,
            identity,
            tls_without_nla: false,
            reconnect_window: Duration::from_secs(120),
            login_grace: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
        }
    }
}
