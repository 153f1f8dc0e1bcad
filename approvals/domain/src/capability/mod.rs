//! What a grant lets its holder do, per channel type. Nothing is implied by anything else.
//!
//! A capability is one short text, the same on the approver's page, in what a passkey signs and in the database:
//!
//! ```text
//! shell                                  an interactive shell
//! exec                                   any command
//! exec:systemctl restart *               this command; `*` is one plain word, or the rest of one
//! download                               any file from the target
//! download:/var/log/**;max=10MiB         these files, each at most this large
//! upload:/srv/in/*.hl7;keep              these files; the content is kept in the sealed track
//! local-forward:db.internal:5432         `ssh -L` and `ssh -D` to this place; `*` for any host or port
//! remote-forward:localhost:8080          `ssh -R` from this listening place
//! local-socket:/run/app.sock             `ssh -L` to a socket on the target
//! remote-socket:/run/user/*/x.sock       `ssh -R` from a socket on the target
//! agent-forwarding, x11-forwarding
//! unmask                                 see patient data where policy has the person's own terminal masked
//! subsystem:netconf                      a subsystem; sftp is not one of them, it needs download or upload
//!
//! desktop                                an RDP target's screen, keyboard and mouse; the others below need it
//! clipboard-to-target                    text from the client's clipboard to the target, at most 1 MiB at once
//! clipboard-from-target:max=64KiB        text the other way, at most this much at once
//! drives, printers, smart-cards, ports   the client's devices on the desktop (MS-RDPEFS)
//! usb, audio-out, audio-in
//! dynamic-channel:NAME                   a dynamic channel that none of the others opens (MS-RDPEDYC)
//! ```
mod command;
mod desktop;
mod files;
mod forward;
mod within;

pub use command::CommandPattern;
pub use desktop::{ChannelName, ClipboardRule, Redirect};
pub use files::{Direction, FileRule, PathPattern};
pub use forward::Destination;

use crate::Protocol;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// Longest text of one capability, in bytes.
pub const MAX_TEXT: usize = 512;
/// Most capabilities of one request.
pub const MAX_CAPABILITIES: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Capability {
    /// RFC 4254 section 6.5.
    Shell,
    /// RFC 4254 section 6.5; none is any command.
    Exec(Option<CommandPattern>),
    /// By sftp or scp, from the target.
    Download(FileRule),
    /// By sftp or scp, to the target.
    Upload(FileRule),
    /// RFC 4254 section 7.2, client to target's side.
    LocalForward(Destination),
    /// RFC 4254 section 7.1, a listener on the target.
    RemoteForward(Destination),
    /// OpenSSH PROTOCOL section 2.4.
    LocalSocket(PathPattern),
    RemoteSocket(PathPattern),
    AgentForwarding,
    X11Forwarding,
    Subsystem(SubsystemName),
    /// Lifts `Obligations::live_mask`.
    Unmask,
    /// MS-RDPBCGR: screen, keyboard and mouse.
    Desktop,
    /// MS-RDPECLIP, text only.
    ClipboardToTarget(ClipboardRule),
    ClipboardFromTarget(ClipboardRule),
    /// What of the client's machine the desktop may use.
    Redirect(Redirect),
    /// MS-RDPEDYC, by its name.
    DynamicChannel(ChannelName),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CapabilityError {
    #[error(
        "{0:?} is no capability; there are: shell, exec, download, upload, local-forward, remote-forward, local-socket, remote-socket, agent-forwarding, x11-forwarding, subsystem, unmask; for RDP: desktop, clipboard-to-target, clipboard-from-target, drives, printers, smart-cards, ports, usb, audio-out, audio-in, dynamic-channel"
    )]
    Unknown(String),
    #[error("a capability is at most {MAX_TEXT} bytes of printable text")]
    Text,
    #[error("{0}: a path begins with '/' or is '**'; '*' stands for anything but '/', '**' for anything")]
    Path(&'static str),
    #[error("{0}: the option is max=SIZE (for example max=10MiB) or keep")]
    Option(&'static str),
    #[error("{0}: needs HOST:PORT; '*' stands for any of them")]
    Destination(&'static str),
    #[error("subsystem: needs a name of letters, digits, '-', '_', '.' and '@'; sftp is asked for with download or upload")]
    Subsystem,
    #[error("{0}: the option is max=SIZE, from 1 byte to 1 MiB (for example max=64KiB)")]
    Clipboard(&'static str),
    #[error("dynamic-channel: needs a name of letters, digits, '-', '_', '.', ':', '{{' and '}}', at most 100")]
    DynamicChannel,
    #[error("at most {MAX_CAPABILITIES} capabilities in one request")]
    TooMany,
}

/// What an SSH subsystem may be called here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubsystemName(String);

impl SubsystemName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Capability {
    type Err = CapabilityError;
    fn from_str(s: &str) -> Result<Self, CapabilityError> {
        if s.len() > MAX_TEXT || s.chars().any(char::is_control) {
            return Err(CapabilityError::Text);
        }
        let (name, rest) = s.split_once(':').map_or((s, None), |(n, r)| (n, Some(r)));
        let unknown = || CapabilityError::Unknown(s.chars().take(64).collect());
        Ok(match (name, rest) {
            ("shell", None) => Self::Shell,
            ("exec", None) => Self::Exec(None),
            ("exec", Some(p)) => Self::Exec(Some(CommandPattern::new(p).ok_or_else(unknown)?)),
            ("download", r) => Self::Download(FileRule::parse("download", r)?),
            ("upload", r) => Self::Upload(FileRule::parse("upload", r)?),
            ("local-forward", Some(d)) => Self::LocalForward(Destination::parse("local-forward", d)?),
            ("remote-forward", Some(d)) => Self::RemoteForward(Destination::parse("remote-forward", d)?),
            ("local-socket", Some(p)) => Self::LocalSocket(PathPattern::parse("local-socket", p)?),
            ("remote-socket", Some(p)) => Self::RemoteSocket(PathPattern::parse("remote-socket", p)?),
            ("agent-forwarding", None) => Self::AgentForwarding,
            ("x11-forwarding", None) => Self::X11Forwarding,
            ("subsystem", Some(n)) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
                if n.is_empty() || n == "sftp" || !n.chars().all(plain) {
                    return Err(CapabilityError::Subsystem);
                }
                Self::Subsystem(SubsystemName(n.to_owned()))
            }
            ("unmask", None) => Self::Unmask,
            ("desktop", None) => Self::Desktop,
            ("clipboard-to-target", r) => Self::ClipboardToTarget(ClipboardRule::parse("clipboard-to-target", r)?),
            ("clipboard-from-target", r) => Self::ClipboardFromTarget(ClipboardRule::parse("clipboard-from-target", r)?),
            ("dynamic-channel", Some(n)) => Self::DynamicChannel(ChannelName::new(n).ok_or(CapabilityError::DynamicChannel)?),
            (name, None) => Self::Redirect(Redirect::from_name(name).ok_or_else(unknown)?),
            _ => return Err(unknown()),
        })
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell => f.write_str("shell"),
            Self::Exec(None) => f.write_str("exec"),
            Self::Exec(Some(p)) => write!(f, "exec:{p}"),
            Self::Download(r) => write!(f, "download{r}"),
            Self::Upload(r) => write!(f, "upload{r}"),
            Self::LocalForward(d) => write!(f, "local-forward:{d}"),
            Self::RemoteForward(d) => write!(f, "remote-forward:{d}"),
            Self::LocalSocket(p) => write!(f, "local-socket:{p}"),
            Self::RemoteSocket(p) => write!(f, "remote-socket:{p}"),
            Self::AgentForwarding => f.write_str("agent-forwarding"),
            Self::X11Forwarding => f.write_str("x11-forwarding"),
            Self::Subsystem(n) => write!(f, "subsystem:{}", n.0),
            Self::Unmask => f.write_str("unmask"),
            Self::Desktop => f.write_str("desktop"),
            Self::ClipboardToTarget(r) => write!(f, "clipboard-to-target{r}"),
            Self::ClipboardFromTarget(r) => write!(f, "clipboard-from-target{r}"),
            Self::Redirect(r) => f.write_str(r.as_str()),
            Self::DynamicChannel(n) => write!(f, "dynamic-channel:{}", n.as_str()),
        }
    }
}

impl Capability {
    /// Whether it means something on a target that speaks this.
    pub fn fits(&self, protocol: Protocol) -> bool {
        match self {
            Self::Unmask => true,
            Self::Desktop | Self::ClipboardToTarget(_) | Self::ClipboardFromTarget(_) | Self::Redirect(_) | Self::DynamicChannel(_) => {
                protocol == Protocol::Rdp
            }
            Self::Shell
            | Self::Exec(_)
            | Self::Download(_)
            | Self::Upload(_)
            | Self::LocalForward(_)
            | Self::RemoteForward(_)
            | Self::LocalSocket(_)
            | Self::RemoteSocket(_)
            | Self::AgentForwarding
            | Self::X11Forwarding
            | Self::Subsystem(_) => matches!(protocol, Protocol::Ssh | Protocol::Telnet),
        }
    }
}

impl TryFrom<String> for Capability {
    type Error = CapabilityError;
    fn try_from(s: String) -> Result<Self, CapabilityError> {
        s.parse()
    }
}
impl From<Capability> for String {
    fn from(c: Capability) -> String {
        c.to_string()
    }
}

/// A set of capabilities; empty means nothing is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Capabilities(pub BTreeSet<Capability>);

impl Capabilities {
    /// Shell and exec: what a request asks for unless it says otherwise.
    pub fn interactive() -> Self {
        Self([Capability::Shell, Capability::Exec(None)].into())
    }

    /// What a request asks for unless it says otherwise.
    pub fn usual(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Ssh | Protocol::Telnet => Self::interactive(),
            Protocol::Rdp => Self([Capability::Desktop].into()),
        }
    }

    /// From what a form or a command line says.
    pub fn parse<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Self, CapabilityError> {
        let set = texts.into_iter().map(|t| t.as_ref().trim().parse()).collect::<Result<BTreeSet<_>, _>>()?;
        if set.len() > MAX_CAPABILITIES { Err(CapabilityError::TooMany) } else { Ok(Self(set)) }
    }

    /// Exactly this capability, for those without parameters.
    pub fn has(&self, c: &Capability) -> bool {
        self.0.contains(c)
    }

    pub fn shell(&self) -> bool {
        self.has(&Capability::Shell)
    }

    pub fn exec(&self, command: &[u8]) -> bool {
        self.0.iter().any(|c| match c {
            Capability::Exec(None) => true,
            Capability::Exec(Some(p)) => std::str::from_utf8(command).is_ok_and(|s| p.matches(s)),
            _ => false,
        })
    }

    /// Whether any file may go this way, so that sftp or scp may start at all.
    pub fn files(&self, way: Direction) -> bool {
        self.file_rules(way).next().is_some()
    }

    pub fn file_rules(&self, way: Direction) -> impl Iterator<Item = &FileRule> {
        self.0.iter().filter_map(move |c| match (c, way) {
            (Capability::Download(r), Direction::Download) | (Capability::Upload(r), Direction::Upload) => Some(r),
            _ => None,
        })
    }

    /// The rule that allows this absolute, normal path; of several the one that allows the largest file.
    pub fn file(&self, way: Direction, path: &[u8]) -> Option<&FileRule> {
        self.file_rules(way).filter(|r| r.path.matches(path)).max_by_key(|r| (r.max_bytes.unwrap_or(u64::MAX), r.keep))
    }

    pub fn local_forward(&self, host: &str, port: u32) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::LocalForward(d) if d.matches(host, port)))
    }

    /// Whether any local forward may be asked for.
    pub fn forwards(&self) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::LocalForward(_)))
    }

    pub fn remote_forward(&self, host: &str, port: u32) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::RemoteForward(d) if d.matches(host, port)))
    }

    pub fn local_socket(&self, path: &str) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::LocalSocket(p) if p.matches(path.as_bytes())))
    }

    pub fn remote_socket(&self, path: &str) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::RemoteSocket(p) if p.matches(path.as_bytes())))
    }

    pub fn subsystem(&self, name: &str) -> bool {
        self.0.iter().any(|c| matches!(c, Capability::Subsystem(n) if n.0 == name))
    }

    /// A desktop over RDP; without it nothing else that RDP knows is allowed either.
    pub fn desktop(&self) -> bool {
        self.has(&Capability::Desktop)
    }

    /// How much text may go this way by the clipboard at once, in bytes of UTF-8; none if nothing may. `Download` is from the target.
    pub fn clipboard(&self, way: Direction) -> Option<u64> {
        let rule = |c: &Capability| match (c, way) {
            (Capability::ClipboardFromTarget(r), Direction::Download) | (Capability::ClipboardToTarget(r), Direction::Upload) => {
                Some(r.most())
            }
            _ => None,
        };
        self.0.iter().filter_map(rule).max().filter(|_| self.desktop())
    }

    pub fn redirects(&self, kind: Redirect) -> bool {
        self.desktop() && self.has(&Capability::Redirect(kind))
    }

    /// Whether a dynamic channel of exactly this name may be opened. Those that a desktop itself needs are not asked for here.
    pub fn dynamic_channel(&self, name: &str) -> bool {
        self.desktop() && self.0.iter().any(|c| matches!(c, Capability::DynamicChannel(n) if n.as_str() == name))
    }

    /// The first that means nothing on a target that speaks this.
    pub fn misfit(&self, protocol: Protocol) -> Option<&Capability> {
        self.0.iter().find(|c| !c.fits(protocol))
    }

    /// As stored and signed: the texts in a fixed order.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }

    /// Reads what [`names`](Self::names) wrote; `None` if one is unknown, because unknown means no.
    pub fn from_names<S: AsRef<str>>(names: &[S]) -> Option<Self> {
        Self::parse(names).ok()
    }
}

#[cfg(test)]
mod tests;
