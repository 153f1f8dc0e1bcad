//! The portal of the last login that worked, so that the next one needs no address.
use super::home;
use crate::cli::Usage;
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    portal: String,
}

/// `$XDG_CONFIG_HOME/anteroom/login.toml`, or the same under `~/.config`.
fn file() -> Result<PathBuf, Usage> {
    let base = match std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|p| p.is_absolute()) {
        Some(dir) => dir,
        None => home()?.join(".config"),
    };
    Ok(base.join("anteroom").join("login.toml"))
}

/// None if nobody logged in yet. A damaged file is an error that names it.
pub(crate) fn recall() -> Result<Option<String>, Usage> {
    read(&file()?)
}

pub(crate) fn remember(portal: &str) -> io::Result<()> {
    write(&file().map_err(io::Error::other)?, portal)
}

fn read(path: &Path) -> Result<Option<String>, Usage> {
    match fs::read_to_string(path) {
        Ok(text) => match toml::from_str::<Remembered>(&text) {
            Ok(r) => Ok(Some(r.portal)),
            Err(e) => Err(Usage(format!("{}: {}; remove it, or say where with --portal https://HOST", path.display(), e.message()))),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Usage(format!("{}: {e}; say where with --portal https://HOST", path.display()))),
    }
}

fn write(path: &Path, portal: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let text = toml::to_string(&Remembered { portal: portal.to_owned() }).map_err(io::Error::other)?;
    fs::write(path, text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_remembered_is_recalled_and_nothing_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("anteroom/login.toml");
        assert!(read(&path).unwrap().is_none());
        write(&path, "https://bastion.example").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("https://bastion.example"));
    }

    #[test]
    fn a_damaged_file_is_named_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("login.toml");
        fs::write(&path, "portal = 7\n").unwrap();
        let e = read(&path).unwrap_err().to_string();
        assert!(e.contains("login.toml") && e.contains("--portal https://HOST"), "{e}");
    }
}
