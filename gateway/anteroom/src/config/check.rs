//! From what is written to what can run: a [`Checked`] has no impossible values in it.
use super::{Problem, file, line_of, rdp::Rdp, seed, ssh::Ssh};
use anteroom_approvals::notify::Channels;
use anteroom_domain::Secret;
use anteroom_masking::RuleSet;
use anteroom_policy::PatientLimits;
use anteroom_recorder::{
    PublicKey, Recipients, Storage, StorageOptions,
    custody::{self, CustodyError, KeyAddress},
};
use anteroom_web::Clipboard;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::Duration,
};
use toml::Spanned;
use url::Url;

#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) data_dir: PathBuf,
    pub(crate) database: DatabaseConfig,
    pub(crate) portal: Portal,
    pub(crate) ssh: Ssh,
    /// None: no RDP.
    pub(crate) rdp: Option<Rdp>,
    pub(crate) patients: PatientLimits,
    /// How old what is known may be when the database is away; zero: nobody is let in then.
    pub(crate) safe_mode: Duration,
    pub(crate) custody: Custody,
    /// How long a request waits for its answers.
    pub(crate) unanswered_after: Duration,
    /// How people are told outside of the portal.
    pub(crate) channels: Arc<Channels>,
    pub(crate) log_level: String,
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone)]
pub(crate) enum DatabaseConfig {
    Url { app: Box<PgConnectOptions>, owner: Box<PgConnectOptions>, connections: u32 },
    Private { dir: PathBuf, connections: u32 },
}

#[derive(Debug, Clone)]
pub(crate) struct Portal {
    pub(crate) listen: SocketAddr,
    pub(crate) origin: Url,
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
    pub(crate) clipboard: Clipboard,
}

/// Everything about recordings and keys.
#[derive(Debug)]
pub(crate) struct Custody {
    pub(crate) recordings: PathBuf,
    /// The same, with the archive if there is one.
    pub(crate) storage: Storage,
    pub(crate) storage_options: StorageOptions,
    pub(crate) recipients: Recipients,
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) max_lag: Duration,
    /// Where replay finds its private key. A token is not asked before something is replayed.
    pub(crate) masked_key: Option<KeyAddress>,
    /// How long recordings are kept after their session; none: for ever.
    pub(crate) keep: Option<time::Duration>,
    pub(crate) search: bool,
    /// Where the unsealer listens; none: nothing is unmasked here.
    pub(crate) unsealer_socket: Option<PathBuf>,
    pub(crate) vault: Secret<[u8; 32]>,
    pub(crate) audit_log: Secret<[u8; 32]>,
    pub(crate) manifest: Secret<[u8; 32]>,
}

pub(super) fn check(file: file::File, text: &str, base: &Path) -> Result<Checked, Vec<Problem>> {
    let mut c = Checker { text, base, problems: Vec::new() };
    let name = c.gateway_name(&file.gateway.name);
    let data_dir = c.path(&file.gateway.data_dir);
    let database = c.database(&file.database);
    let portal = c.portal(&file.portal);
    let ssh = c.ssh(&file.ssh);
    let rdp = file.rdp.as_ref().and_then(|r| c.rdp(r));
    let patients = c.patients(file.patients.as_ref());
    let safe_mode = c.safe_mode(&file.safe_mode);
    let unsealer_socket = file.unmask.as_ref().and_then(|u| c.socket("unmask.socket", &u.socket));
    if let (Some(u), None) = (&file.unmask, &file.replay) {
        c.wrong("unmask.socket", &u.socket, "who unmasks replays: [replay] is missing");
    }
    let custody = c.custody(&file.recording, file.replay.as_ref(), &file.keys).map(|custody| Custody { unsealer_socket, ..custody });
    let unanswered_after = c.unanswered(&file.requests);
    let channels = Arc::new(c.notify(&file.notify));
    let log_level = c.log_level(file.log.level.as_ref());
    let log_format = match file.log.format.as_ref().map(|f| (f, f.get_ref().as_str())) {
        None | Some((_, "text")) => LogFormat::Text,
        Some((_, "json")) => LogFormat::Json,
        Some((f, _)) => {
            c.wrong("log.format", f, "there are text and json");
            LogFormat::Text
        }
    };
    match (name, database, portal, ssh, custody) {
        (Some(name), Some(database), Some(portal), Some(ssh), Some(custody)) if c.problems.is_empty() => Ok(Checked {
            name,
            data_dir,
            database,
            portal,
            ssh,
            rdp,
            patients,
            safe_mode,
            custody,
            unanswered_after,
            channels,
            log_level,
            log_format,
        }),
        _ => Err(c.problems),
    }
}

/// A hundred years.
const MOST_DAYS: u32 = 36_525;

pub(super) struct Checker<'a> {
    pub(super) text: &'a str,
    pub(super) base: &'a Path,
    pub(super) problems: Vec<Problem>,
}

impl Checker<'_> {
    pub(super) fn problem<T>(&mut self, key: &str, at: &Spanned<T>, value: Option<String>, why: impl Into<String>) {
        let line = Some(line_of(self.text, at.span().start));
        self.problems.push(Problem { line, key: key.to_owned(), value, why: why.into() });
    }

    pub(super) fn wrong(&mut self, key: &str, at: &Spanned<String>, why: impl Into<String>) {
        self.problem(key, at, Some(at.get_ref().clone()), why);
    }

    pub(super) fn missing(&mut self, key: &str, why: &str) {
        self.problems.push(Problem { line: None, key: key.to_owned(), value: None, why: why.to_owned() });
    }

    pub(super) fn path(&self, p: &Spanned<String>) -> PathBuf {
        self.base.join(p.get_ref())
    }

    fn gateway_name(&mut self, name: &Spanned<String>) -> Option<String> {
        let n = name.get_ref();
        let fine = !n.is_empty() && n.len() <= 63 && n.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
        if !fine {
            self.wrong("gateway.name", name, "1 to 63 of a-z, 0-9, '.', '_' and '-'");
        }
        fine.then(|| n.clone())
    }

    fn database(&mut self, d: &file::Database) -> Option<DatabaseConfig> {
        let connections = d.connections.as_ref().map_or(16, |c| *c.get_ref());
        if let Some(c) = d.connections.as_ref().filter(|c| !(2..=500).contains(c.get_ref())) {
            self.problem("database.connections", c, Some(c.get_ref().to_string()), "between 2 and 500");
        }
        match (&d.url, &d.private_dir) {
            (None, Some(dir)) => Some(DatabaseConfig::Private { dir: self.path(dir), connections }),
            (Some(url), None) => {
                let password = d.password_file.as_ref().and_then(|p| self.password(p));
                let app = self.database_url("database.url", url, password.as_ref())?;
                let owner = match &d.owner_url {
                    Some(u) => self.database_url("database.owner_url", u, None)?,
                    None => app.clone(),
                };
                Some(DatabaseConfig::Url { app: Box::new(app), owner: Box::new(owner), connections })
            }
            (Some(url), Some(_)) => {
                self.problem("database.url", url, None, "url and private_dir exclude each other; keep one");
                None
            }
            (None, None) => {
                self.missing("database", "needs url (a Postgres you run) or private_dir (one we run for you)");
                None
            }
        }
    }

    fn password(&mut self, p: &Spanned<String>) -> Option<Secret<String>> {
        let path = self.path(p);
        match private_file(&path).and_then(|()| std::fs::read_to_string(&path).map_err(|e| e.to_string())) {
            Ok(s) => Some(Secret::new(s.trim_end_matches('\n').to_owned())),
            Err(why) => {
                self.wrong("database.password_file", p, why);
                None
            }
        }
    }

    /// The value is never repeated: it may hold a password.
    fn database_url(&mut self, key: &str, url: &Spanned<String>, password: Option<&Secret<String>>) -> Option<PgConnectOptions> {
        let Ok(mut options) = PgConnectOptions::from_str(url.get_ref()) else {
            self.problem(key, url, None, "not of the form postgres://user@host/database?sslmode=verify-full");
            return None;
        };
        if let Some(p) = password {
            options = options.password(p.expose());
        }
        let host = options.get_host().to_owned();
        let local = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|i| i.is_loopback());
        if !local && !matches!(options.get_ssl_mode(), PgSslMode::VerifyCa | PgSslMode::VerifyFull) {
            self.problem(key, url, None, format!("the database on {host} would be talked to without a checked certificate; add ?sslmode=verify-full (and sslrootcert=FILE)"));
            return None;
        }
        Some(options)
    }

    fn portal(&mut self, p: &file::Portal) -> Option<Portal> {
        let listen = self.address("portal.listen", &p.listen, p.listen.get_ref());
        let origin = self.origin("portal.origin", &p.origin);
        let tls = match (&p.tls_cert, &p.tls_key) {
            (Some(c), Some(k)) => {
                for (key, f) in [("portal.tls_cert", c), ("portal.tls_key", k)] {
                    if let Err(e) = std::fs::File::open(self.path(f)) {
                        self.wrong(key, f, e.to_string());
                    }
                }
                if let Err(why) = private_file(&self.path(k)) {
                    self.wrong("portal.tls_key", k, why);
                }
                Some((self.path(c), self.path(k)))
            }
            (None, None) => None,
            (Some(c), None) => {
                self.wrong("portal.tls_cert", c, "tls_key is missing");
                None
            }
            (None, Some(k)) => {
                self.wrong("portal.tls_key", k, "tls_cert is missing");
                None
            }
        };
        if tls.is_none() && listen.is_some_and(|l| !l.ip().is_loopback()) {
            self.wrong("portal.listen", &p.listen, "the portal is not served in clear except on loopback; set tls_cert and tls_key");
        }
        if let Some(o) =
            origin.as_ref().filter(|o| (o.scheme() == "https") != tls.is_some() && listen.is_some_and(|l| !l.ip().is_loopback()))
        {
            self.wrong("portal.origin", &p.origin, format!("says {} but the portal would not be served that way", o.scheme()));
        }
        let idle = self.duration("portal.session_idle", p.session_idle.as_ref(), Duration::from_secs(30 * 60));
        let absolute = self.duration("portal.session_absolute", p.session_absolute.as_ref(), Duration::from_secs(12 * 3600));
        let clipboard = self.clipboard(p.clipboard.as_ref());
        Some(Portal { listen: listen?, origin: origin?, tls, idle, absolute, clipboard })
    }

    fn clipboard(&mut self, written: Option<&Spanned<String>>) -> Clipboard {
        match written.map(|w| (w, w.get_ref().as_str())) {
            None | Some((_, "both")) => Clipboard::Both,
            Some((_, "copy")) => Clipboard::Copy,
            Some((_, "paste")) => Clipboard::Paste,
            Some((_, "none")) => Clipboard::None,
            Some((w, _)) => {
                self.wrong("portal.clipboard", w, "there are both, copy (out of the terminal), paste (into it) and none");
                Clipboard::None
            }
        }
    }

    pub(super) fn origin(&mut self, key: &str, o: &Spanned<String>) -> Option<Url> {
        let url = Url::parse(o.get_ref()).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.path() == "/" && u.query().is_none());
        match url {
            // WebAuthn binds passkeys to a domain; a bare address cannot hold them.
            Some(u) if matches!(u.host(), Some(url::Host::Domain(_))) => {
                if u.scheme() == "http" && u.host_str() != Some("localhost") {
                    self.wrong(key, o, "passkeys need https, or http on localhost");
                    return None;
                }
                Some(u)
            }
            Some(_) => {
                self.wrong(key, o, "passkeys need a host name, not an address");
                None
            }
            None => {
                self.wrong(key, o, "not of the form https://host[:port]");
                None
            }
        }
    }

    fn custody(&mut self, r: &file::Recording, replay: Option<&file::Replay>, k: &file::Keys) -> Option<Custody> {
        let masked = self.recipient("recording.recipients.masked", &r.recipients.masked, r.recipients.masked.get_ref());
        let sealed: Vec<_> =
            r.recipients.sealed.get_ref().iter().map(|s| self.recipient("recording.recipients.sealed", &r.recipients.sealed, s)).collect();
        let sealed = match sealed[..] {
            [a, b] => a.zip(b),
            _ => {
                self.problem(
                    "recording.recipients.sealed",
                    &r.recipients.sealed,
                    None,
                    "needs exactly two recipients: both together open the sealed track",
                );
                None
            }
        };
        let rules = match &r.rules {
            None => Some(RuleSet::builtin()),
            Some(f) => match std::fs::read_to_string(self.path(f))
                .map_err(|e| e.to_string())
                .and_then(|t| RuleSet::parse(&t).map_err(|e| e.to_string()))
            {
                Ok(rules) => Some(rules),
                Err(why) => {
                    self.wrong("recording.rules", f, why);
                    None
                }
            },
        };
        let masked_key = replay.and_then(|r| {
            let address = KeyAddress::parse(r.masked_key.get_ref(), self.base).and_then(|a| a.check().map(|()| a));
            address.map_err(|e| self.key_problem("replay.masked_key", &r.masked_key, r.masked_key.get_ref(), &e)).ok()
        });
        let max_lag = self.duration("recording.max_lag", r.max_lag.as_ref(), Duration::from_secs(1));
        let keep = r.keep_days.as_ref().map(|days| self.keep(days));
        let [vault, audit_log, manifest] = [("keys.vault", &k.vault), ("keys.audit_log", &k.audit_log), ("keys.manifest", &k.manifest)]
            .map(|(key, f)| seed::read(&self.path(f)).map_err(|e| self.wrong(key, f, e.to_string())).ok());
        let recordings = self.path(&r.dir);
        let storage = self.storage(&recordings, r.storage.as_ref());
        let (a, b) = sealed?;
        let (storage, storage_options) = storage?;
        Some(Custody {
            recordings,
            storage,
            storage_options,
            recipients: Recipients { masked: masked?, sealed: [a, b] },
            rules: Arc::new(rules?),
            max_lag,
            masked_key,
            keep,
            search: replay.is_some_and(|r| r.search.unwrap_or(true)),
            unsealer_socket: None,
            vault: vault?,
            audit_log: audit_log?,
            manifest: manifest?,
        })
    }

    fn keep(&mut self, days: &Spanned<u32>) -> time::Duration {
        if !(1..=MOST_DAYS).contains(days.get_ref()) {
            let why = format!("between 1 and {MOST_DAYS} days; leave it out to keep recordings for ever");
            self.problem("recording.keep_days", days, Some(days.get_ref().to_string()), why);
        }
        time::Duration::days((*days.get_ref()).into())
    }

    /// A Unix socket's path has a length that the system limits (unix(7)).
    pub(super) fn socket(&mut self, key: &str, at: &Spanned<String>) -> Option<PathBuf> {
        let path = self.path(at);
        if path.as_os_str().len() > 100 {
            self.wrong(key, at, "a socket's path has at most 100 bytes; take a shorter directory");
            return None;
        }
        Some(path)
    }

    /// What is wrong with a private key's address. A PIN that somebody wrote into it is not repeated.
    pub(super) fn key_problem<T>(&mut self, key: &str, at: &Spanned<T>, written: &str, e: &CustodyError) {
        let value = (!written.contains("pin-value")).then(|| written.to_owned());
        self.problem(key, at, value, e.to_string());
    }

    /// A public key as its line or as the file that holds it.
    fn recipient<T>(&mut self, key: &str, at: &Spanned<T>, written: &str) -> Option<PublicKey> {
        let found = if PublicKey::is_line(written) {
            written.parse::<PublicKey>().map_err(|e| e.to_string())
        } else {
            custody::read_public(&self.base.join(written)).map_err(|e| e.to_string())
        };
        found.map_err(|why| self.problem(key, at, Some(written.to_owned()), why)).ok()
    }

    pub(super) fn address<T>(&mut self, key: &str, at: &Spanned<T>, written: &str) -> Option<SocketAddr> {
        let a = written.parse();
        if a.is_err() {
            self.problem(key, at, Some(written.to_owned()), "not an address and port, like 127.0.0.1:2222 or [::]:22");
        }
        a.ok()
    }

    pub(super) fn count(&mut self, key: &str, n: Option<&Spanned<usize>>, default: usize) -> usize {
        let Some(n) = n else { return default };
        if *n.get_ref() == 0 {
            self.problem(key, n, Some("0".into()), "at least 1");
        }
        *n.get_ref()
    }

    pub(super) fn duration(&mut self, key: &str, written: Option<&Spanned<String>>, default: Duration) -> Duration {
        let Some(w) = written else { return default };
        parse_duration(w.get_ref()).unwrap_or_else(|| {
            self.wrong(key, w, "not a time like 30s, 15m, 8h or 1d");
            default
        })
    }

    fn log_level(&mut self, level: Option<&Spanned<String>>) -> String {
        let Some(l) = level else { return "info".into() };
        if tracing_subscriber::EnvFilter::try_new(l.get_ref()).is_err() {
            self.wrong("log.level", l, "not a level (error, warn, info, debug) or a filter like info,anteroom_gateway=debug");
        }
        l.get_ref().clone()
    }
}

/// `90s`, `15m`, `8h`, `1d`.
pub(crate) fn parse_duration(s: &str) -> Option<Duration> {
    let unit = s.chars().next_back()?;
    let n: u64 = s[..s.len() - unit.len_utf8()].trim().parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    n.checked_mul(seconds).map(Duration::from_secs)
}

/// A file with a secret must be its owner's alone.
pub(crate) fn private_file(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(path).map_err(|e| e.to_string())?.mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(format!("may be read by others (mode {mode:04o}); make it private with chmod 600")) }
}
