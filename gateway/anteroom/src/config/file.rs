//! The file as it is written. Every value keeps its place, so that a complaint can point at it.
use serde::Deserialize;
use toml::Spanned;

type Text = Option<Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) gateway: Gateway,
    pub(super) database: Database,
    pub(super) portal: Portal,
    pub(super) ssh: Ssh,
    pub(super) rdp: Option<Rdp>,
    pub(super) recording: Recording,
    pub(super) replay: Option<Replay>,
    pub(super) unmask: Option<Unmask>,
    pub(super) keys: Keys,
    pub(super) patients: Option<Patients>,
    #[serde(default)]
    pub(super) safe_mode: SafeMode,
    #[serde(default)]
    pub(super) requests: Requests,
    #[serde(default)]
    pub(super) notify: Notify,
    #[serde(default)]
    pub(super) log: Log,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    /// How long a request waits for its answers.
    pub(super) unanswered_after: Text,
}

/// `[notify]`: without it nobody is written to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notify {
    pub(super) mail: Option<Mail>,
    #[serde(default)]
    pub(super) webhook: Vec<Webhook>,
}

/// `[notify.mail]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mail {
    pub(super) host: Spanned<String>,
    pub(super) port: Option<Spanned<u16>>,
    pub(super) security: Text,
    pub(super) from: Spanned<String>,
    pub(super) user: Text,
    pub(super) password_file: Text,
    pub(super) ca_file: Text,
}

/// `[[notify.webhook]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhook {
    pub(super) name: Spanned<String>,
    pub(super) url: Spanned<String>,
    pub(super) secret_file: Spanned<String>,
    pub(super) loopback: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gateway {
    pub(super) name: Spanned<String>,
    pub(super) data_dir: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Database {
    pub(super) url: Text,
    pub(super) owner_url: Text,
    pub(super) password_file: Text,
    pub(super) private_dir: Text,
    pub(super) connections: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Portal {
    pub(super) listen: Spanned<String>,
    pub(super) origin: Spanned<String>,
    pub(super) tls_cert: Text,
    pub(super) tls_key: Text,
    pub(super) session_idle: Text,
    pub(super) session_absolute: Text,
    pub(super) clipboard: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ssh {
    pub(super) listen: Spanned<OneOrMany>,
    pub(super) host_key: Spanned<OneOrMany>,
    pub(super) public_host: Text,
    pub(super) public_port: Option<Spanned<u16>>,
    pub(super) remember_step_up: Text,
    pub(super) certificate_lifetime: Text,
    pub(super) trust_security_keys: Option<bool>,
    pub(super) banner: Text,
    pub(super) banner_file: Text,
    pub(super) recording_notice: Option<bool>,
    pub(super) max_unauthenticated: Option<Spanned<usize>>,
    pub(super) max_unauthenticated_per_address: Option<Spanned<usize>>,
    pub(super) supervisor_wait: Text,
    pub(super) login_grace: Text,
    pub(super) max_channels: Option<Spanned<usize>>,
    /// A file of rules about commands.
    pub(super) command_rules: Text,
}

/// `[safe_mode]`: going on while the database is away.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SafeMode {
    pub(super) longest: Text,
}

/// `[patients]`: so many in one session, or so many times what the person's sessions usually show.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patients {
    pub(super) alert: Option<Spanned<u32>>,
    pub(super) alert_times: Option<Spanned<u32>>,
    pub(super) pause: Option<Spanned<u32>>,
    pub(super) pause_times: Option<Spanned<u32>>,
    pub(super) lock: Option<Spanned<u32>>,
    pub(super) lock_times: Option<Spanned<u32>>,
}

/// `[rdp]`: without it nobody listens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rdp {
    pub(super) listen: Spanned<OneOrMany>,
    pub(super) tls_cert: Text,
    pub(super) tls_key: Text,
    pub(super) public_host: Text,
    pub(super) public_port: Option<Spanned<u16>>,
    pub(super) allow_tls_without_nla: Option<bool>,
    pub(super) reconnect_window: Text,
    pub(super) login_grace: Text,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts")]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(s) => std::slice::from_ref(s),
            Self::Many(v) => v,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recording {
    pub(super) dir: Spanned<String>,
    pub(super) recipients: Recipients,
    pub(super) rules: Text,
    pub(super) max_lag: Text,
    /// After this many days a recording's keys are destroyed, unless a legal hold is on it.
    pub(super) keep_days: Option<Spanned<u32>>,
    pub(super) storage: Option<Storage>,
}

/// `[recording.storage]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Storage {
    pub(super) url: Text,
    pub(super) spool_limit: Text,
    pub(super) min_free: Text,
    pub(super) keep: Text,
    pub(super) cache_dir: Text,
    pub(super) cache_limit: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipients {
    pub(super) masked: Spanned<String>,
    pub(super) sealed: Spanned<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    /// A path or a `pkcs11:` URI. `masked_key_file` is what it was called when there were paths only.
    #[serde(alias = "masked_key_file")]
    pub(super) masked_key: Spanned<String>,
    /// Whether what recordings show, masked, is kept in the database to be searched.
    pub(super) search: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unmask {
    pub(super) socket: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub(super) vault: Spanned<String>,
    pub(super) audit_log: Spanned<String>,
    pub(super) manifest: Spanned<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: Text,
    pub(super) format: Text,
}
