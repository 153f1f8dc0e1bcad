use anteroom_policy::{CommandRules, PatientLimits};
use russh::keys::PrivateKey;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use url::Url;

/// Checked settings of the SSH side.
#[derive(Debug, Clone)]
pub struct SshConfig {
    pub listen: Vec<SocketAddr>,
    pub host_keys: Vec<PrivateKey>,
    /// Where people confirm a connection; step-up links begin with it.
    pub portal: Url,
    /// Host and port that people type, for the hints we print.
    pub public_host: String,
    pub public_port: u16,
    /// Name of this gateway in the audit log.
    pub gateway: String,
    /// Connections that have not signed in, in all and from one address.
    pub max_unauthenticated: usize,
    pub max_unauthenticated_per_address: usize,
    /// Shown before anybody is known.
    pub banner: Option<String>,
    /// A terminal begins with a line that says what is recorded and when the grant ends.
    pub recording_notice: bool,
    /// From TCP accept to signed in, step-up included.
    pub login_grace: Duration,
    pub max_channels: usize,
    /// A FIDO key that verified its person (PIN or finger) in the SSH signature counts as the second factor.
    pub trust_security_keys: bool,
    pub connect_timeout: Duration,
    /// How long a session that has to be watched waits for somebody, at first and when they are gone.
    pub supervisor_wait: Duration,
    /// How many patients are too many for one session, over whatever protocol.
    pub patients: PatientLimits,
    /// What is done about commands.
    pub commands: Arc<CommandRules>,
}

impl SshConfig {
    /// Sane defaults around what has none.
    pub fn new(listen: Vec<SocketAddr>, host_keys: Vec<PrivateKey>, portal: Url, gateway: String) -> Self {
        let public_port = listen.first().map_or(22, SocketAddr::port);
        Self {
            listen,
            host_keys,
            public_host: portal.host_str().unwrap_or("localhost").to_owned(),
            public_port,
            portal,
            gateway,
            max_unauthenticated: 200,
            max_unauthenticated_per_address: 40,
            banner: None,
            recording_notice: true,
            login_grace: Duration::from_secs(180),
            max_channels: 64,
            trust_security_keys: true,
            connect_timeout: Duration::from_secs(10),
            supervisor_wait: Duration::from_secs(600),
            patients: PatientLimits::default(),
            commands: Arc::default(),
        }
    }
}
