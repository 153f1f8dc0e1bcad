//! Channel requests (RFC 4254 section 6): read from the client's bytes, judged, and passed on as they came.
use anteroom_domain::{Capabilities, Capability};
use bytes::Bytes;

/// A request of a session channel, as far as we have to understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// Section 6.2. Sizes are cells; 0 is "not told".
    Pty {
        term: String,
        cols: u32,
        rows: u32,
    },
    /// Section 6.4. Neither part is promised to be text.
    Env {
        name: Bytes,
        value: Bytes,
    },
    /// Section 6.5.
    Shell,
    Exec {
        command: Bytes,
    },
    Subsystem {
        name: String,
    },
    /// Section 6.7.
    WindowChange {
        cols: u32,
        rows: u32,
    },
    /// Section 6.9; the name without "SIG".
    Signal {
        name: String,
    },
    /// RFC 4335.
    Break,
    /// Section 6.3.1.
    X11,
    /// OpenSSH PROTOCOL; "auth-agent-req@openssh.com" and the draft's name.
    Agent,
    /// OpenSSH's sign of life on a channel and its "end of write".
    Signs,
    Unknown,
}

/// A request that breaks its own format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a malformed channel request")]
pub(super) struct Malformed;

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }
    fn u32(&mut self) -> Result<u32, Malformed> {
        self.take(4)?.try_into().map(u32::from_be_bytes).map_err(|_| Malformed)
    }
    fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let n = self.u32()?;
        self.take(usize::try_from(n).map_err(|_| Malformed)?)
    }
    fn bytes(&mut self) -> Result<Bytes, Malformed> {
        self.string().map(Bytes::copy_from_slice)
    }
    /// Terminal types, signals and subsystems are names: what is not ASCII in them names nothing.
    fn name(&mut self) -> Result<String, Malformed> {
        self.string().map(|s| s.iter().filter(|b| b.is_ascii_graphic()).take(64).map(|b| char::from(*b)).collect())
    }
}

impl Request {
    pub(super) fn parse(name: &str, payload: &[u8]) -> Result<Self, Malformed> {
        let mut c = Cursor(payload);
        let request = match name {
            "pty-req" => {
                let request = Self::Pty { term: c.name()?, cols: c.u32()?, rows: c.u32()? };
                let (_, _, modes) = (c.u32()?, c.u32()?, c.string()?);
                // 130 opcodes at most by the registry; more is an attack on who stores them.
                if modes.len() > 5 * 256 {
                    return Err(Malformed);
                }
                request
            }
            "env" => Self::Env { name: c.bytes()?, value: c.bytes()? },
            "shell" => Self::Shell,
            "exec" => Self::Exec { command: c.bytes()? },
            "subsystem" => Self::Subsystem { name: c.name()? },
            "window-change" => {
                let request = Self::WindowChange { cols: c.u32()?, rows: c.u32()? };
                let _pixels = (c.u32()?, c.u32()?);
                request
            }
            "signal" => Self::Signal { name: c.name()? },
            "break" => {
                c.u32()?;
                Self::Break
            }
            "x11-req" => {
                c.take(1)?;
                let _secret = (c.string()?, c.string()?, c.u32()?);
                Self::X11
            }
            "auth-agent-req@openssh.com" | "auth-agent-req" => Self::Agent,
            "keepalive@openssh.com" | "eow@openssh.com" => Self::Signs,
            _ => return Ok(Self::Unknown),
        };
        if c.0.is_empty() { Ok(request) } else { Err(Malformed) }
    }
}

/// A width or height as a screen can have it. Zero means "not told" (section 6.2), as `ssh -tt` without a terminal says it; a
/// screen has some size all the same.
pub(super) fn cells(n: u32, untold: u16) -> u16 {
    if n == 0 { untold } else { u16::try_from(n).unwrap_or(u16::MAX) }
}

/// Environment variables that may be passed on; everything else could change what programs on the target load (THREATS 12).
pub(super) fn env_allowed(name: &[u8], value: &[u8]) -> bool {
    let known = matches!(name, b"LANG" | b"LANGUAGE" | b"TZ" | b"COLORTERM" | b"NO_COLOR")
        || name.strip_prefix(b"LC_").is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_uppercase));
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_.@-+:/,=".contains(b);
    known && value.len() <= 128 && value.iter().all(plain)
}

/// Why starting this is refused, if it is. `sftp` and `scp` are judged by the files they move.
pub(super) fn refusal(request: &Request, granted: &Capabilities) -> Option<String> {
    let ok = match request {
        Request::Shell => granted.shell(),
        Request::Exec { command } if is_mosh(command) => false,
        Request::Exec { command } => granted.exec(command),
        Request::Subsystem { name } => granted.subsystem(name),
        Request::Agent => granted.has(&Capability::AgentForwarding),
        Request::X11 => granted.has(&Capability::X11Forwarding),
        _ => true,
    };
    (!ok).then(|| match request {
        Request::Exec { command } if is_mosh(command) => {
            "mosh leaves the recorded connection for UDP and can't be used here; ssh goes on after short losses of the network".to_owned()
        }
        Request::Exec { .. } if granted.0.iter().any(|c| matches!(c, Capability::Exec(Some(_)))) => {
            let allowed: Vec<String> = granted.0.iter().filter(|c| matches!(c, Capability::Exec(_))).map(ToString::to_string).collect();
            format!("your grant does not allow this command; it allows {}", allowed.join(", "))
        }
        Request::Exec { .. } => "your grant does not allow exec".to_owned(),
        Request::Shell => "your grant does not allow shell".to_owned(),
        Request::Agent => "agent forwarding is not allowed by your grant".to_owned(),
        Request::X11 => "X11 forwarding is not allowed by your grant".to_owned(),
        // The name is the client's: only known ones are repeated.
        _ => "this subsystem is not allowed by your grant".to_owned(),
    })
}

/// `mosh-server` would move the session to UDP, past the recording.
pub(super) fn is_mosh(command: &[u8]) -> bool {
    let first = command.split(|b| b.is_ascii_whitespace()).find(|w| !w.is_empty() && *w != b"exec" && *w != b"--");
    first.is_some_and(|w| w.rsplit(|b| *b == b'/').next() == Some(b"mosh-server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(s: &[u8]) -> Vec<u8> {
        [&(s.len() as u32).to_be_bytes()[..], s].concat()
    }

    #[test]
    fn requests_are_read_as_the_rfc_has_them() {
        let pty =
            [string(b"xterm"), 80u32.to_be_bytes().into(), 24u32.to_be_bytes().into(), vec![0; 8], string(&[200, 0, 0, 0, 1, 0])].concat();
        assert_eq!(Request::parse("pty-req", &pty), Ok(Request::Pty { term: "xterm".into(), cols: 80, rows: 24 }));
        let exec = string(b"printf '\xff\0'");
        assert_eq!(Request::parse("exec", &exec), Ok(Request::Exec { command: Bytes::from_static(b"printf '\xff\0'") }));
        let env = [string(b"LANG"), string(b"\xe4")].concat();
        assert!(matches!(Request::parse("env", &env), Ok(Request::Env { value, .. }) if &value[..] == b"\xe4"));
        assert_eq!(Request::parse("break", &500u32.to_be_bytes()), Ok(Request::Break));
        assert_eq!(Request::parse("nonsense@example.com", b"??"), Ok(Request::Unknown));
    }

    #[test]
    fn a_request_that_breaks_its_format_is_no_request() {
        for (name, payload) in [
            ("exec", &b"\0\0\0\x09short"[..]),
            ("exec", b"\xff\xff\xff\xff"),
            ("shell", b"more"),
            ("pty-req", b"\0\0\0\0"),
            ("window-change", b"\0\0\0\x01"),
            ("env", b"\0\0\0\x01A"),
        ] {
            assert_eq!(Request::parse(name, payload), Err(Malformed), "{name}");
        }
        let modes = [string(b"x"), vec![0; 16], string(&[1; 2000])].concat();
        assert_eq!(Request::parse("pty-req", &modes), Err(Malformed));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_of_a_client_break_the_reader(name in "[a-z0-9@.-]{0,24}", payload in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            for name in [name.as_str(), "pty-req", "env", "exec", "subsystem", "signal", "x11-req", "window-change", "break"] {
                if let Ok(r) = Request::parse(name, &payload) {
                    let _ = refusal(&r, &Capabilities::default());
                }
            }
        }
    }

    #[test]
    fn only_language_and_time_zone_pass_as_environment() {
        assert!(env_allowed(b"LANG", b"en_US.UTF-8") && env_allowed(b"LC_TIME", b"C") && env_allowed(b"TZ", b"Europe/Zurich"));
        for (n, v) in [
            (&b"LD_PRELOAD"[..], &b"/tmp/x.so"[..]),
            (b"PATH", b"/tmp"),
            (b"BASH_ENV", b"/tmp/x"),
            (b"LC_", b"C"),
            (b"LC_A=B", b"C"),
            (b"LANG", b"() { :;}; id"),
            (b"LANG", b"a\nb"),
            (b"LANG", b"\xff"),
        ] {
            assert!(!env_allowed(n, v), "{n:?}={v:?}");
        }
    }

    #[test]
    fn nothing_starts_that_was_not_granted() {
        let none = Capabilities::default();
        let exec = |c: &'static [u8]| Request::Exec { command: Bytes::from_static(c) };
        for r in [Request::Shell, exec(b"id"), Request::Subsystem { name: "netconf".into() }, Request::Agent, Request::X11] {
            assert!(refusal(&r, &none).is_some(), "{r:?}");
            assert!(refusal(&r, &Capabilities::interactive()).is_none() == matches!(r, Request::Shell | Request::Exec { .. }), "{r:?}");
        }
        let some = Capabilities::parse(["exec:uptime"]).unwrap();
        assert_eq!(refusal(&exec(b"uptime"), &some), None);
        assert!(refusal(&exec(b"id"), &some).unwrap().contains("exec:uptime"));
    }

    #[test]
    fn mosh_is_known_however_it_is_started() {
        for c in [&b"mosh-server new -s"[..], b"exec /usr/bin/mosh-server", b"-- mosh-server"] {
            assert!(is_mosh(c), "{c:?}");
        }
        assert!(!is_mosh(b"echo mosh-server") && !is_mosh(b""));
    }
}
