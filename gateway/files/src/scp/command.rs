//! Which exec commands are scp's remote end, and nothing else.
use crate::MAX_PATH;
use bytes::Bytes;

/// `scp -t` or `scp -f` as a client starts it on the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScpCommand {
    /// `-t`: the client sends. Else `-f`: it receives.
    pub upload: bool,
    /// `-r`
    pub recursive: bool,
    /// `-p`: times and modes go with the files.
    pub preserve: bool,
    /// `-d`: the path is a directory.
    pub directory: bool,
    /// As the target's scp gets it; empty if there is none.
    pub path: Bytes,
}

/// `None` if it is not plainly scp: then it is a command like others. A shell on the target will read the text, so
/// whatever could mean something to a shell beyond one plainly quoted word makes it `None`, and so does every option that
/// could start something (`-S`, `-o`).
pub fn scp_command(command: &[u8]) -> Option<ScpCommand> {
    if command.len() > MAX_PATH + 64 {
        return None;
    }
    let mut words = words(command)?.into_iter();
    let program = words.next()?;
    if !matches!(&program[..], b"scp" | b"/usr/bin/scp" | b"/bin/scp") {
        return None;
    }
    let (mut to, mut from) = (false, false);
    let mut scp = ScpCommand { upload: false, recursive: false, preserve: false, directory: false, path: Bytes::new() };
    let mut rest = words.peekable();
    while let Some(option) = rest.next_if(|w| w.starts_with(b"-")) {
        if option == b"--" {
            break;
        }
        if option.len() < 2 {
            return None;
        }
        for letter in &option[1..] {
            match letter {
                b't' => to = true,
                b'f' => from = true,
                b'r' => scp.recursive = true,
                b'p' => scp.preserve = true,
                b'd' => scp.directory = true,
                b'v' | b'q' => {}
                _ => return None,
            }
        }
    }
    scp.path = rest.next().unwrap_or_default().into();
    scp.upload = to;
    (to != from && rest.next().is_none() && scp.path.len() <= MAX_PATH).then_some(scp)
}

/// Words as a POSIX shell would see them, each without quotes or within one pair.
fn words(command: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = command;
    loop {
        rest = &rest[rest.iter().take_while(|b| **b == b' ').count()..];
        let Some(first) = rest.first() else { return Some(words) };
        let (word, end) = match first {
            quote @ (b'\'' | b'"') => {
                let n = rest[1..].iter().position(|b| b == quote)?;
                let word = &rest[1..=n];
                let literal = |b: &u8| !b.is_ascii_control() && (*quote == b'\'' || !b"$`\\!".contains(b));
                (word.iter().all(literal).then_some(word)?, n + 2)
            }
            _ => {
                let n = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
                let word = &rest[..n];
                // At the beginning "~" is a home directory; the path stays one that no rule but `**` matches.
                let inner = word.strip_prefix(b"~").unwrap_or(word);
                (inner.iter().all(plain).then_some(word)?, n)
            }
        };
        words.push(word.to_vec());
        rest = &rest[end..];
        if rest.first().is_some_and(|b| *b != b' ') {
            return None;
        }
    }
}

/// What means nothing to a shell.
fn plain(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || *b >= 0x80 || b"_./:@+,-".contains(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_openssh_putty_winscp_and_dropbear_send_is_known() {
        let scp = |c: &str| scp_command(c.as_bytes()).unwrap_or_else(|| panic!("{c}"));
        let flags = |c: &str| {
            let s = scp(c);
            (s.upload, s.recursive, s.preserve, s.directory, String::from_utf8(s.path.to_vec()).unwrap())
        };
        assert_eq!(flags("scp -t /srv/in"), (true, false, false, false, "/srv/in".into()));
        assert_eq!(flags("scp -v -r -p -d -t -- '/srv/in dir'"), (true, true, true, true, "/srv/in dir".into()));
        assert_eq!(flags("scp -f a.txt"), (false, false, false, false, "a.txt".into()));
        assert_eq!(flags("scp -pr -f \"/var/log/x\""), (false, true, true, false, "/var/log/x".into()));
        assert_eq!(flags("/usr/bin/scp -q -f -- -odd"), (false, false, false, false, "-odd".into()));
        assert_eq!(flags("scp -t"), (true, false, false, false, String::new()));
        assert_eq!(flags("scp -f ~/x"), (false, false, false, false, "~/x".into()));
        assert_eq!(flags("scp -t '$(id)'"), (true, false, false, false, "$(id)".into()), "single quotes leave nothing to a shell");
    }

    #[test]
    fn whatever_a_shell_could_read_otherwise_is_just_a_command() {
        for no in [
            "",
            "scp",
            "scp x",
            "scp -t -f x",
            "scp -t x; id",
            "scp -t x y",
            "scp -t $(id)",
            "scp -t `id`",
            "scp -t \"$HOME\"",
            "scp -t 'a'b",
            "scp -t 'a''b'",
            "scp -t 'a",
            "scp -t a\\ b",
            "scp -f /var/log/*.log",
            "scp -f {a,b}",
            "scp -t x > y",
            "scp -t x &",
            "scp -t x\nid",
            "scp -t 'x\ny'",
            "scp -t x | sh",
            "scp -S /bin/sh -t x",
            "scp '-oProxyCommand=id' -t x",
            "scp -t -- x -r",
            "scp -",
            "scp - -t x",
            "scp -t =ls",
            "scp -f a~b",
            "/opt/x/scp -t x",
            "sudo scp -t x",
            "SCP -t x",
        ] {
            assert_eq!(scp_command(no.as_bytes()), None, "{no}");
        }
        assert_eq!(scp_command(&[b"scp -t ".as_slice(), &vec![b'a'; MAX_PATH + 1]].concat()), None);
    }
}
