//! What a client saw, and how two of them differ.
use serde::Deserialize;
use std::{collections::BTreeMap, fmt::Write as _, path::Path, process::ExitStatus};

/// Everything of one run that has to be the same through the gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// `exit 7`, `signal TERM`, or why there was no end: `failed: ...`.
    pub(crate) end: String,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// What else was seen, by name: files afterwards, answers to requests, the order of messages.
    pub(crate) facts: BTreeMap<String, String>,
}

/// A line of a Python driver.
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) name: String,
    end: String,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    facts: BTreeMap<String, String>,
}

impl From<Told> for Outcome {
    fn from(t: Told) -> Self {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let bytes = |text: &str| STANDARD.decode(text).unwrap_or_else(|e| format!("not base64: {e}").into_bytes());
        Self { end: t.end, stdout: bytes(&t.stdout), stderr: bytes(&t.stderr), facts: t.facts }
    }
}

impl Outcome {
    pub(crate) fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.insert(name.into(), value.to_string());
        self
    }

    /// Every file under `dir`: its mode, its size and the digest of what is in it; links by where they lead.
    pub(crate) fn files(self, name: &str, dir: &Path) -> Self {
        let listed = listing(dir);
        self.fact(name, listed)
    }

    /// Whether this text is on a stream or in a fact.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let held = |in_: &[u8]| text.is_empty() || in_.windows(text.len()).any(|w| w == text.as_bytes());
        held(&self.stdout) || held(&self.stderr) || self.facts.values().any(|v| held(v.as_bytes()))
    }

    /// Names that differ for good reasons (a port, a login, a directory of its own) made the same.
    pub(crate) fn with_names(mut self, names: &[(String, &str)]) -> Self {
        for bytes in [&mut self.stdout, &mut self.stderr] {
            // No name is in a megabyte of noise.
            if bytes.len() < 64 << 10 {
                *bytes = replaced(bytes, names);
            }
        }
        for value in self.facts.values_mut() {
            *value = String::from_utf8_lossy(&replaced(value.as_bytes(), names)).into_owned();
        }
        self.end = String::from_utf8_lossy(&replaced(self.end.as_bytes(), names)).into_owned();
        self
    }

    /// Without the one line that the gateway puts before a terminal (docs/decisions/0013). A story looks that it is there.
    pub(crate) fn without_notice(mut self) -> Self {
        const BEGINS: &[u8] = b"anteroom: what you see and type is recorded";
        let strip = |bytes: &mut Vec<u8>| {
            if let Some(at) = bytes.windows(BEGINS.len()).position(|w| w == BEGINS) {
                let end = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n + 1);
                bytes.drain(at..end);
            }
        };
        strip(&mut self.stdout);
        strip(&mut self.stderr);
        for value in self.facts.values_mut() {
            let mut bytes = std::mem::take(value).into_bytes();
            strip(&mut bytes);
            *value = String::from_utf8_lossy(&bytes).into_owned();
        }
        self
    }

    /// In words, how the other one is not the same; empty if it is.
    pub(crate) fn difference(&self, gateway: &Self) -> String {
        let mut said = String::new();
        let mut say = |what: &str, direct: String, gateway: String| {
            let _ = writeln!(said, "      {what}\n        directly: {direct}\n        gateway:  {gateway}");
        };
        if self.end != gateway.end {
            say("end", self.end.clone(), gateway.end.clone());
        }
        for (what, a, b) in [("stdout", &self.stdout, &gateway.stdout), ("stderr", &self.stderr, &gateway.stderr)] {
            if a != b {
                say(what, shown(a), shown(b));
            }
        }
        for name in self.facts.keys().chain(gateway.facts.keys().filter(|k| !self.facts.contains_key(*k))) {
            let (a, b) = (self.facts.get(name), gateway.facts.get(name));
            if a != b {
                let text = |v: Option<&String>| v.map_or("nothing".into(), |t| shown(t.as_bytes()));
                say(name, text(a), text(b));
            }
        }
        said
    }
}

/// How a process ended.
pub(crate) fn end_of(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("the client itself was killed by signal {signal}"),
        (None, None) => "no end".into(),
    }
}

fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 600;
    let text = bytes.escape_ascii().to_string().replace("\\n", "\n            ");
    if bytes.len() <= MOST {
        return format!("{:?} bytes: {text}", bytes.len());
    }
    let head: String = text.chars().take(MOST).collect();
    format!("{} bytes, digest {}: {head}...", bytes.len(), digest(bytes))
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(bytes).iter().take(8).fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

fn replaced(bytes: &[u8], names: &[(String, &str)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    'next: while let [first, tail @ ..] = rest {
        for (name, instead) in names {
            if !name.is_empty() && rest.starts_with(name.as_bytes()) {
                out.extend_from_slice(instead.as_bytes());
                rest = &rest[name.len()..];
                continue 'next;
            }
        }
        out.push(*first);
        rest = tail;
    }
    out
}

fn listing(dir: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let mut lines = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(d) = open.pop() {
        for entry in std::fs::read_dir(&d).into_iter().flatten().flatten() {
            let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
            let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
            let what = if meta.is_symlink() {
                format!("-> {}", std::fs::read_link(&path).unwrap_or_default().display())
            } else if meta.is_dir() {
                open.push(path);
                "directory".into()
            } else {
                format!("{} bytes {}", meta.len(), digest(&std::fs::read(&path).unwrap_or_default()))
            };
            lines.push(format!("{name} {:o} {what}", meta.mode()));
        }
    }
    lines.sort();
    lines.join("\n")
}
