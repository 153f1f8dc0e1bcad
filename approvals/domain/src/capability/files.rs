use super::CapabilityError;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the target to the client.
    Download,
    /// From the client to the target.
    Upload,
}

impl Direction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }
}

/// Absolute paths: `*` stands for anything but `/`, `**` for anything, everything else for itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathPattern(String);

impl PathPattern {
    pub(super) fn parse(what: &'static str, s: &str) -> Result<Self, CapabilityError> {
        let sane = s == "**" || (s.starts_with('/') && !s.split('/').any(|p| p == "." || p == ".."));
        if sane { Ok(Self(s.to_owned())) } else { Err(CapabilityError::Path(what)) }
    }

    /// Any path.
    pub fn any() -> Self {
        Self("**".into())
    }

    pub fn is_any(&self) -> bool {
        self.0 == "**"
    }

    /// A path that is not absolute and normal (has `.`, `..` or `//` in it) matches nothing but `**`.
    pub fn matches(&self, path: &[u8]) -> bool {
        if self.is_any() {
            return true;
        }
        let normal = path.starts_with(b"/") && path[1..].split(|b| *b == b'/').all(|p| !p.is_empty() && p != b"." && p != b"..");
        (normal || path == b"/") && glob(self.0.as_bytes(), path)
    }
}

impl PathPattern {
    /// All that begins like this is under a ceiling that ends in `/**` and has no other star; one path is asked for as it is.
    pub(super) fn within(&self, ceiling: &Self) -> bool {
        let under = || ceiling.0.strip_suffix("**").filter(|p| p.ends_with('/') && !p.contains('*'));
        let literal = self.0.split('*').next().unwrap_or_default();
        ceiling.is_any()
            || self == ceiling
            || (!self.0.contains('*') && ceiling.matches(self.0.as_bytes()))
            || under().is_some_and(|prefix| literal.starts_with(prefix))
    }
}

/// Linear in the length of both: of the stars only the last of each kind is ever tried again.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when what follows a star does not fit: pattern after it, text it has taken up to.
    let (mut single, mut double) = (None::<(usize, usize)>, None::<(usize, usize)>);
    loop {
        if pattern[p..].starts_with(b"**") {
            p += 2;
            (double, single) = (Some((p, t)), None);
        } else if pattern.get(p) == Some(&b'*') {
            p += 1;
            single = Some((p, t));
        } else if t < text.len() && pattern.get(p) == Some(&text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if p == pattern.len() && t == text.len() {
            return true;
        } else if let Some((after, at)) = single.filter(|(_, at)| *at < text.len() && text[*at] != b'/') {
            (p, t, single) = (after, at + 1, Some((after, at + 1)));
        } else if let Some((after, at)) = double.filter(|(_, at)| *at < text.len()) {
            (p, t, double, single) = (after, at + 1, Some((after, at + 1)), None);
        } else {
            return false;
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which files may go one way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileRule {
    pub path: PathPattern,
    /// Largest file, bytes; none is any size.
    pub max_bytes: Option<u64>,
    /// The content is kept in the sealed track, not only its SHA-256.
    pub keep: bool,
}

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

impl FileRule {
    /// What follows the name: `None` for all files.
    pub(super) fn parse(what: &'static str, rest: Option<&str>) -> Result<Self, CapabilityError> {
        let mut rule = Self { path: PathPattern::any(), max_bytes: None, keep: false };
        let Some(rest) = rest else { return Ok(rule) };
        let mut parts = rest.split(';');
        rule.path = PathPattern::parse(what, parts.next().unwrap_or_default().trim())?;
        for option in parts {
            match option.trim().split_once('=') {
                None if option.trim() == "keep" => rule.keep = true,
                Some(("max", size)) => rule.max_bytes = Some(parse_size(size).ok_or(CapabilityError::Option(what))?),
                _ => return Err(CapabilityError::Option(what)),
            }
        }
        Ok(rule)
    }
}

pub(super) fn parse_size(s: &str) -> Option<u64> {
    let (unit, factor) = UNITS.into_iter().find(|(u, _)| s.ends_with(u))?;
    let n: u64 = s.strip_suffix(unit)?.trim().parse().ok()?;
    n.checked_mul(factor)
}

/// In the largest unit that leaves no rest.
pub(super) fn size(bytes: u64) -> String {
    let (unit, factor) = UNITS.into_iter().find(|(_, k)| bytes > 0 && bytes.is_multiple_of(*k)).unwrap_or(("", 1));
    format!("{}{unit}", bytes / factor)
}

impl fmt::Display for FileRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.max_bytes.is_none() && !self.keep;
        if self.path.is_any() && plain {
            return Ok(());
        }
        write!(f, ":{}", self.path)?;
        if let Some(max) = self.max_bytes {
            write!(f, ";max={}", size(max))?;
        }
        if self.keep { f.write_str(";keep") } else { Ok(()) }
    }
}
