//! Configuration in three steps: the file as written, the same checked into another type, and what runs.
//!
//! A problem names key, value and line. Nothing is started from a file with a problem, and all problems are told at once.
mod check;
mod file;
mod notify;
mod patients;
mod rdp;
mod safe_mode;
mod seed;
mod ssh;
mod storage;
pub(crate) mod unsealer;

pub(crate) use check::{Checked, Custody, DatabaseConfig, LogFormat, parse_duration, private_file};
pub(crate) use seed::generate as generate_seed;
pub(crate) use ssh::Ssh;

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Everything that is wrong with one file.
#[derive(Debug)]
pub(crate) struct ConfigError {
    file: PathBuf,
    problems: Vec<Problem>,
}

#[derive(Debug)]
pub(crate) struct Problem {
    /// From 1; none when the key is missing altogether.
    line: Option<usize>,
    key: String,
    /// As written; none where it could be a secret.
    value: Option<String>,
    why: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, p) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{}", self.file.display())?;
            if let Some(line) = p.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
            match (&p.key[..], &p.value) {
                ("", _) => {}
                (key, Some(v)) => write!(f, "{key} = {v:?}: ")?,
                (key, None) => write!(f, "{key}: ")?,
            }
            write!(f, "{}", p.why)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Reads and checks `path`. Relative paths in it count from its directory.
pub(crate) fn load(path: &Path) -> Result<Checked, ConfigError> {
    read(path, parse)
}

/// Reads a file that `parse` understands; it is told from where relative paths count.
fn read<T>(path: &Path, parse: impl FnOnce(&str, &Path) -> Result<T, Vec<Problem>>) -> Result<T, ConfigError> {
    let whole =
        |why: String| ConfigError { file: path.to_owned(), problems: vec![Problem { line: None, key: String::new(), value: None, why }] };
    let text = std::fs::read_to_string(path).map_err(|e| whole(format!("cannot be read: {e}")))?;
    let base = path.canonicalize().ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
    parse(&text, &base).map_err(|problems| ConfigError { file: path.to_owned(), problems })
}

fn parse(text: &str, base: &Path) -> Result<Checked, Vec<Problem>> {
    let file: file::File = toml::from_str(text).map_err(|e| vec![syntax(text, &e)])?;
    check::check(file, text, base)
}

/// Syntax, types and unknown keys, as the parser sees them.
fn syntax(text: &str, e: &toml::de::Error) -> Problem {
    let span = e.span().unwrap_or(0..0);
    let line = line_of(text, span.start);
    let written = text.lines().nth(line - 1).unwrap_or_default();
    let (key, value) = match written.split_once('=') {
        // What stands to the right may be a password; only harmless-looking scalars are repeated.
        Some((k, v)) if !k.contains("url") && !k.contains("password") && !v.contains("pin-value") => {
            (k.trim(), Some(v.trim().trim_matches('"').to_owned()))
        }
        Some((k, _)) => (k.trim(), None),
        None => (written.trim(), None),
    };
    Problem { line: Some(line), key: key.to_owned(), value, why: e.message().to_owned() }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
