//! Secrets on their way in: from a private file, a pipe or the keyboard; never from the command line.
use super::Usage;
use crate::config::private_file;
use anteroom_domain::Secret;
use anyhow::{Context as _, Result};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    io::{self, IsTerminal as _, Read, Write as _},
    path::Path,
};
use zeroize::{Zeroize as _, Zeroizing};

/// A credential longer than this is a mistake.
const MAX: u64 = 64 * 1024;
/// Bytes of a typed password.
const MAX_TYPED: usize = 1024;

pub(super) fn read_stdin() -> Result<Secret<String>> {
    read(io::stdin(), "stdin")
}

/// A file that only its owner can read; `-` is stdin.
pub(super) fn read_file(path: &Path) -> Result<Secret<String>> {
    if path == Path::new("-") {
        return read_stdin();
    }
    let name = path.display().to_string();
    private_file(path).map_err(|why| Usage(format!("{name}: {why}")))?;
    read(std::fs::File::open(path).with_context(|| name.clone())?, &name)
}

fn read(from: impl Read, name: &str) -> Result<Secret<String>> {
    let mut text = Zeroizing::new(String::new());
    from.take(MAX + 1).read_to_string(&mut text).map_err(|_| Usage(format!("{name}: cannot be read as text")))?;
    if text.len() as u64 > MAX {
        return Err(Usage(format!("{name}: more than {MAX} bytes; is this the right file?")).into());
    }
    Ok(Secret::new(std::mem::take(&mut *text)))
}

/// Asked for twice at a terminal, without showing it; otherwise stdin's one line.
pub(super) fn password(what: &str) -> Result<Secret<String>> {
    let given = if io::stdin().is_terminal() {
        let first = typed(what)?;
        if typed("the same again")? != first {
            return Err(Usage("the two were not the same; nothing was stored".into()).into());
        }
        first
    } else {
        let text = read_stdin()?;
        Secret::new(text.expose().trim_end_matches(['\r', '\n']).to_owned())
    };
    if given.expose().is_empty() {
        return Err(Usage("an empty password; nothing was stored".into()).into());
    }
    Ok(given)
}

/// A terminal that shows nothing, until dropped.
struct Quiet(Termios);

impl Quiet {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        // Ctrl-C comes as a byte, so that nobody is left with a terminal that shows nothing.
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
        let _ = writeln!(io::stderr());
    }
}

fn typed(what: &str) -> Result<Secret<String>> {
    let mut err = io::stderr();
    write!(err, "{what} (not shown): ").and_then(|()| err.flush())?;
    let quiet = Quiet::new().context("this terminal can't hide what is typed; use a pipe")?;
    let line = line(&mut io::stdin().lock());
    drop(quiet);
    Ok(line?)
}

/// Bytes up to Enter; backspace takes a character back, Ctrl-U all of them, Ctrl-C and Ctrl-D give up.
fn line(from: &mut impl Read) -> Result<Secret<String>, Usage> {
    let given_up = || Usage("given up; nothing was stored".into());
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_TYPED));
    loop {
        let mut byte = [0u8];
        if from.read(&mut byte).map_err(|_| given_up())? == 0 {
            return Err(given_up());
        }
        match byte[0] {
            b'\r' | b'\n' => break,
            3 | 4 => return Err(given_up()),
            0x15 => {
                text.zeroize();
                text.clear();
            }
            8 | 0x7f => while text.pop().is_some_and(|b| b & 0xc0 == 0x80) {},
            b if text.len() < MAX_TYPED => text.push(b),
            _ => return Err(Usage(format!("longer than {MAX_TYPED} bytes; nothing was stored"))),
        }
        byte.zeroize();
    }
    let text = String::from_utf8(std::mem::take(&mut *text)).map_err(|e| {
        e.into_bytes().zeroize();
        Usage("this is not UTF-8 text; nothing was stored".into())
    })?;
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn typed_as(bytes: &[u8]) -> Result<String, String> {
        line(&mut &bytes[..]).map(|s| s.expose().clone()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_typed_can_be_corrected() {
        assert_eq!(typed_as(b"horse\r").unwrap(), "horse");
        assert_eq!(typed_as("hör\u{7f}\u{7f}orse\n".as_bytes()).unwrap(), "horse");
        assert_eq!(typed_as(b"wrong\x15horse\n").unwrap(), "horse");
        assert_eq!(typed_as(b"\x7f\x7fx\n").unwrap(), "x");
    }

    #[test]
    fn giving_up_stores_nothing() {
        for bytes in [&b"hor\x03"[..], b"\x04", b"hor"] {
            assert!(typed_as(bytes).unwrap_err().contains("given up"));
        }
        assert!(typed_as(&[b'x'; 2000]).unwrap_err().contains("longer than"));
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret").unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(read_file(file.path()).unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_file(file.path()).unwrap().expose(), "secret");
    }
}
