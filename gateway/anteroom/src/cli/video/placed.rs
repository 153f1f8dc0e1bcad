//! A file that is there whole or not at all.
use anyhow::{Context as _, Result, anyhow};
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Grows beside its place under another name; is removed if it never gets there.
#[derive(Debug)]
pub(super) struct Placed {
    grows: PathBuf,
    place: PathBuf,
    done: bool,
}

impl Placed {
    /// Fails if there is something at its place already.
    pub(super) fn new(place: &Path) -> Result<Self> {
        if fs::symlink_metadata(place).is_ok() {
            return Err(anyhow!("{} exists; choose another name", place.display()));
        }
        let name = place.file_name().ok_or_else(|| anyhow!("{} names no file", place.display()))?;
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{}.part", std::process::id()));
        let grows = place.with_file_name(part);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&grows)
            .with_context(|| format!("cannot write {}", place.display()))?;
        Ok(Self { grows, place: place.to_owned(), done: false })
    }

    pub(super) fn grows(&self) -> &Path {
        &self.grows
    }

    /// It is whole: gives it its name, unless somebody took that meanwhile. Its length in bytes.
    pub(super) fn place(mut self) -> Result<u64> {
        let file = File::open(&self.grows)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        match renameat_with(CWD, &self.grows, CWD, &self.place, RenameFlags::NOREPLACE) {
            // A file system without that: the look before the rename is what is left.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if fs::symlink_metadata(&self.place).is_err() => {
                fs::rename(&self.grows, &self.place)?;
            }
            Err(e) => return Err(e).with_context(|| format!("cannot name it {}", self.place.display())),
            Ok(()) => {}
        }
        self.done = true;
        Ok(bytes)
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_file(&self.grows);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a.mp4");
        let count = || fs::read_dir(dir.path()).unwrap().count();
        let placed = Placed::new(&place).unwrap();
        assert!(!place.exists() && count() == 1);
        drop(placed);
        assert_eq!(count(), 0, "what was given up leaves nothing");

        let placed = Placed::new(&place).unwrap();
        fs::write(placed.grows(), b"whole").unwrap();
        assert_eq!(placed.place().unwrap(), 5);
        assert_eq!((fs::read(&place).unwrap(), count()), (b"whole".to_vec(), 1));
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Placed::new(&place).unwrap_err().to_string().contains("exists"));
    }

    #[test]
    fn a_name_that_was_taken_meanwhile_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("a.mp4");
        let placed = Placed::new(&place).unwrap();
        fs::write(&place, b"somebody else's").unwrap();
        assert!(placed.place().is_err());
        assert_eq!(fs::read(&place).unwrap(), b"somebody else's");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
