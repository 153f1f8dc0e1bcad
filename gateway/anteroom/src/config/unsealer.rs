//! The unsealer's own file: it shares nothing with the gateway's but how it complains.
use super::{ConfigError, Problem, check::Checker};
use anteroom_recorder::custody;
use anteroom_unsealer::{Keys, Options, Site, Trust};
use serde::Deserialize;
use std::{os::unix::fs::MetadataExt, path::Path};
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    socket: Spanned<String>,
    socket_mode: Option<Spanned<String>>,
    recordings: Spanned<String>,
    state: Spanned<String>,
    trust: Spanned<String>,
    origin: Spanned<String>,
    keys: Spanned<Vec<String>>,
}

/// Reads and checks the file, the keys and the trust file it names.
pub(crate) fn load(path: &Path) -> Result<Options, ConfigError> {
    super::read(path, parse)
}

fn parse(text: &str, base: &Path) -> Result<Options, Vec<Problem>> {
    let file: File = toml::from_str(text).map_err(|e| vec![super::syntax(text, &e)])?;
    let mut c = Checker { text, base, problems: Vec::new() };
    let socket = c.socket("socket", &file.socket);
    let socket_mode = match file.socket_mode.as_ref().map(|m| (m, m.get_ref().as_str())) {
        None | Some((_, "0600")) => 0o600,
        Some((_, "0660")) => 0o660,
        Some((m, _)) => {
            c.wrong("socket_mode", m, "there are 0600 (this user) and 0660 (this user and the socket's group)");
            0o600
        }
    };
    let recordings = c.path(&file.recordings);
    if let Err(e) = std::fs::read_dir(&recordings) {
        c.wrong("recordings", &file.recordings, e.to_string());
    }
    let state = c.path(&file.state);
    match std::fs::metadata(&state) {
        Ok(m) if !m.is_dir() => c.wrong("state", &file.state, "is no directory"),
        Ok(m) if m.mode() & 0o077 != 0 => c.wrong("state", &file.state, "may be used by others; make it private with chmod 700"),
        Ok(_) => {}
        Err(e) => c.wrong("state", &file.state, e.to_string()),
    }
    let site = c
        .origin("origin", &file.origin)
        .map(|origin| Site { rp_id: origin.host_str().unwrap_or_default().to_owned(), origin: origin.origin().ascii_serialization() });
    let trust = c.path(&file.trust);
    if let Some(Err(e)) = site.clone().map(|site| Trust::load(&trust, site)) {
        c.wrong("trust", &file.trust, e.to_string());
    }
    let keys = keys(&mut c, &file.keys);
    match (socket, site, keys) {
        (Some(socket), Some(site), Some(keys)) if c.problems.is_empty() => {
            Ok(Options { socket, socket_mode, recordings, state, trust, site, keys })
        }
        _ => Err(c.problems),
    }
}

fn keys(c: &mut Checker<'_>, written: &Spanned<Vec<String>>) -> Option<Keys> {
    let [a, b] = &written.get_ref()[..] else {
        c.problem("keys", written, None, "needs exactly two private key files: both together open the sealed track");
        return None;
    };
    let mut read = |name: &String| {
        let key = custody::read_private(&c.base.join(name));
        key.map_err(|e| c.problem("keys", written, Some(name.clone()), e.to_string())).ok()
    };
    let (a, b) = (read(a), read(b));
    let (a, b) = (a?, b?);
    if a.public().ok()? == b.public().ok()? {
        c.problem("keys", written, None, "is the same key twice");
        return None;
    }
    Some(Keys::new([a, b]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn place() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.key", "b.key"] {
            custody::generate_files(&dir.path().join(name)).unwrap();
        }
        for name in ["recordings", "state"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            std::fs::set_permissions(dir.path().join(name), std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        Trust::nobody(Site { rp_id: String::new(), origin: String::new() }).save(&dir.path().join("trust.toml")).unwrap();
        let text = "socket = \"socket\"\nrecordings = \"recordings\"\nstate = \"state\"\ntrust = \"trust.toml\"\n\
                    origin = \"https://bastion.example\"\nkeys = [\"a.key\", \"b.key\"]\n";
        (dir, text.into())
    }

    fn complaint(change: impl Fn(String) -> String) -> String {
        let (dir, text) = place();
        std::fs::write(dir.path().join("unsealer.toml"), change(text)).unwrap();
        load(&dir.path().join("unsealer.toml")).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_file_is_taken() {
        let (dir, text) = place();
        let options = parse(&text, dir.path()).unwrap();
        assert_eq!((options.site.rp_id.as_str(), options.site.origin.as_str()), ("bastion.example", "https://bastion.example"));
        assert_eq!(options.socket_mode, 0o600);
    }

    #[test]
    fn complaints_name_line_key_and_value() {
        assert!(complaint(|t| t.replace("b.key", "a.key")).contains("unsealer.toml:6: keys: is the same key twice"));
        assert!(complaint(|t| t.replace(", \"b.key\"", "")).contains(":6: keys: needs exactly two"));
        assert!(complaint(|t| t.replace("a.key", "a.key.pub")).contains(":6: keys = \"a.key.pub\": "));
        assert!(complaint(|t| t.replace("\"recordings\"", "\"nowhere\"")).contains(":2: recordings = \"nowhere\": "));
        assert!(complaint(|t| format!("{t}socket_mode = \"0666\"\n")).contains(":7: socket_mode = \"0666\": there are 0600"));
        assert!(complaint(|t| t.replace("https://bastion", "http://bastion")).contains(":5: origin = "));
        assert!(complaint(|t| t.replace("\"socket\"", &format!("\"{}\"", "x".repeat(120)))).contains(":1: socket = "));
    }
}
