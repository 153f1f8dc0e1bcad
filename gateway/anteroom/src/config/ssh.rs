//! The `[ssh]` part: where it listens, as whom, and how people may sign in.
use super::{
    check::{Checker, private_file},
    file,
};
use anteroom_policy::CommandRules;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use toml::Spanned;

/// Longest banner, bytes; OpenSSH's client cuts later, people stop reading earlier.
const MAX_BANNER: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ssh {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) host_keys: Vec<PathBuf>,
    pub(crate) public_host: Option<String>,
    pub(crate) public_port: Option<u16>,
    pub(crate) remember_step_up: Duration,
    pub(crate) certificate_lifetime: Duration,
    pub(crate) trust_security_keys: bool,
    /// With the line ends of RFC 4252 section 5.4.
    pub(crate) banner: Option<String>,
    pub(crate) recording_notice: bool,
    pub(crate) max_unauthenticated: usize,
    pub(crate) max_unauthenticated_per_address: usize,
    pub(crate) login_grace: Duration,
    pub(crate) max_channels: usize,
    pub(crate) supervisor_wait: Duration,
    pub(crate) commands: CommandFile,
}

/// Rules about commands, and the text they were read from.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommandFile {
    text: String,
    pub(crate) rules: Arc<CommandRules>,
}

impl PartialEq for CommandFile {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl Eq for CommandFile {}

impl Checker<'_> {
    pub(super) fn ssh(&mut self, s: &file::Ssh) -> Option<Ssh> {
        let mut listen = Vec::new();
        for a in s.listen.get_ref().all() {
            listen.extend(self.address("ssh.listen", &s.listen, a));
        }
        let host_keys: Vec<_> = s.host_key.get_ref().all().iter().map(|k| self.base.join(k)).collect();
        for (path, written) in host_keys.iter().zip(s.host_key.get_ref().all()) {
            if let Err(why) = private_file(path) {
                self.problem("ssh.host_key", &s.host_key, Some(written.clone()), why);
            } else if let Err(e) = anteroom_gateway::ssh::load_host_key(path) {
                self.problem("ssh.host_key", &s.host_key, Some(written.clone()), e.to_string());
            }
        }
        if listen.is_empty() && self.problems.is_empty() {
            self.problem("ssh.listen", &s.listen, None, "names no address");
        }
        if host_keys.is_empty() {
            self.problem("ssh.host_key", &s.host_key, None, "names no file");
        }
        let remember_step_up = self.duration("ssh.remember_step_up", s.remember_step_up.as_ref(), Duration::ZERO);
        if let Some(r) = s.remember_step_up.as_ref().filter(|_| remember_step_up > Duration::from_secs(24 * 3600)) {
            self.wrong("ssh.remember_step_up", r, "at most 24h: a second factor older than a day is none");
        }
        let certificate_lifetime = self.duration("ssh.certificate_lifetime", s.certificate_lifetime.as_ref(), Duration::from_secs(3600));
        if let Some(r) = s.certificate_lifetime.as_ref().filter(|_| certificate_lifetime < Duration::from_secs(60)) {
            self.wrong("ssh.certificate_lifetime", r, "at least 1m: a shorter one is over before it is used");
        }
        if let Some(r) = s.certificate_lifetime.as_ref().filter(|_| certificate_lifetime > Duration::from_secs(12 * 3600)) {
            self.wrong("ssh.certificate_lifetime", r, "at most 12h: it counts as a second factor all that time");
        }
        let banner = self.banner(s);
        let commands = self.command_rules(s.command_rules.as_ref());
        Some(Ssh {
            listen,
            host_keys,
            public_host: s.public_host.as_ref().map(|h| h.get_ref().clone()),
            public_port: s.public_port.as_ref().map(|p| *p.get_ref()),
            remember_step_up,
            certificate_lifetime,
            trust_security_keys: s.trust_security_keys.unwrap_or(true),
            banner,
            recording_notice: s.recording_notice.unwrap_or(true),
            max_unauthenticated: self.count("ssh.max_unauthenticated", s.max_unauthenticated.as_ref(), 200),
            max_unauthenticated_per_address: self.count(
                "ssh.max_unauthenticated_per_address",
                s.max_unauthenticated_per_address.as_ref(),
                40,
            ),
            login_grace: self.duration("ssh.login_grace", s.login_grace.as_ref(), Duration::from_secs(180)),
            supervisor_wait: self.duration("ssh.supervisor_wait", s.supervisor_wait.as_ref(), Duration::from_secs(600)),
            max_channels: self.count("ssh.max_channels", s.max_channels.as_ref(), 64),
            commands,
        })
    }

    /// A file that is wrong stops the start: rules that are not there would be rules that nobody misses.
    fn command_rules(&mut self, file: Option<&Spanned<String>>) -> CommandFile {
        let Some(file) = file else { return CommandFile::default() };
        let read = std::fs::read_to_string(self.path(file)).map_err(|e| e.to_string());
        match read.and_then(|text| CommandRules::parse(&text).map(|rules| (text, rules)).map_err(|e| e.to_string())) {
            Ok((text, rules)) => CommandFile { text, rules: Arc::new(rules) },
            Err(why) => {
                self.wrong("ssh.command_rules", file, why);
                CommandFile::default()
            }
        }
    }

    fn banner(&mut self, s: &file::Ssh) -> Option<String> {
        let (key, at, text) = match (&s.banner, &s.banner_file) {
            (None, None) => return None,
            (Some(text), None) => ("ssh.banner", text, text.get_ref().clone()),
            (None, Some(file)) => match std::fs::read_to_string(self.path(file)) {
                Ok(text) => ("ssh.banner_file", file, text),
                Err(e) => {
                    self.wrong("ssh.banner_file", file, e.to_string());
                    return None;
                }
            },
            (Some(_), Some(file)) => {
                self.wrong("ssh.banner_file", file, "banner and banner_file exclude each other; keep one");
                return None;
            }
        };
        if text.len() > MAX_BANNER {
            self.not_shown(key, at, format!("has {} bytes; at most {MAX_BANNER} are allowed", text.len()));
            return None;
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.not_shown(key, at, "holds control characters, which would act on people's terminals; use plain text".into());
            return None;
        }
        let lines: String = text.lines().map(|l| format!("{}\r\n", l.trim_end())).collect();
        (!lines.trim().is_empty()).then_some(lines)
    }

    /// A banner may be long; its name is enough.
    fn not_shown(&mut self, key: &str, at: &Spanned<String>, why: String) {
        self.problem(key, at, None, why);
    }
}
