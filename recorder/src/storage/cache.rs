//! Copies of what lies in the archive, in a directory that never grows beyond its limit for long. Several processes may share it: there is
//! no state but the directory, and whoever holds a file open keeps it although it was pushed out.
use super::error::Size;
use crate::store;
use rustix::fs::statvfs;
use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

const PART: &str = "part";
/// Nobody fetches for so long without writing: it was left by a process that died.
const ABANDONED: Duration = Duration::from_secs(3600);

#[derive(Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    /// In bytes; a file that is larger is alone there.
    limit: u64,
    /// So much of the disk is left to recordings.
    min_free: u64,
}

impl Cache {
    pub(crate) fn new(dir: PathBuf, limit: u64, min_free: u64) -> Self {
        Self { dir, limit, min_free }
    }

    /// The copy, if it is there; it was checked when it came.
    pub(crate) fn get(&self, name: &str) -> io::Result<Option<File>> {
        match File::open(self.dir.join(name)) {
            Ok(file) => {
                touch(&self.dir.join(name));
                Ok(Some(file))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// A new file for a copy of `bytes`, after the longest unused ones made room for it.
    pub(crate) fn begin(&self, name: &str, bytes: u64) -> io::Result<(File, PathBuf)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        store::make_dirs(&self.dir)?;
        self.make_room(bytes)?;
        let part = self.dir.join(format!("{name}.{}-{}.{PART}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&part)?;
        Ok((file, part))
    }

    /// It was checked and may be used.
    pub(crate) fn finish(&self, part: &Path, name: &str) -> io::Result<()> {
        std::fs::rename(part, self.dir.join(name))
    }

    fn make_room(&self, bytes: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.dir)?.flatten() {
            let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
            let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if path.extension().is_some_and(|e| e == PART) {
                if used.elapsed().is_ok_and(|ago| ago > ABANDONED) {
                    let _ = std::fs::remove_file(&path);
                }
                continue;
            }
            files.push((used, meta.len(), path));
        }
        files.sort_unstable();
        let mut there: u64 = files.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in files {
            if there.saturating_add(bytes) <= self.limit && self.disk_has_room_for(bytes)? {
                return Ok(());
            }
            // Another process may have been faster.
            let _ = std::fs::remove_file(&path);
            there -= len;
        }
        if self.disk_has_room_for(bytes)? {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::StorageFull, format!("no room to fetch {} from the archive", Size(bytes))))
    }

    fn disk_has_room_for(&self, bytes: u64) -> io::Result<bool> {
        Ok(free(&self.dir)? >= self.min_free.saturating_add(bytes))
    }
}

/// Used now: whoever may not write here pushes it out earlier, no more.
fn touch(path: &Path) {
    let _ = rustix::fs::utimensat(
        rustix::fs::CWD,
        path,
        &rustix::fs::Timestamps {
            last_access: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
            last_modification: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW },
        },
        rustix::fs::AtFlags::empty(),
    );
}

/// Bytes that we may still write to the disk of `path`.
pub(crate) fn free(path: &Path) -> io::Result<u64> {
    let disk = statvfs(path)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes of the disk of `path`.
pub(crate) fn size(path: &Path) -> io::Result<u64> {
    let disk = statvfs(path)?;
    Ok(disk.f_blocks.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::{Read, Write};

    fn put(cache: &Cache, name: &str, bytes: usize) {
        let (mut file, part) = cache.begin(name, bytes as u64).unwrap();
        file.write_all(&vec![7; bytes]).unwrap();
        cache.finish(&part, name).unwrap();
    }

    #[test]
    fn the_longest_unused_go_first_and_an_open_one_can_still_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().join("cache"), 1000, 0);
        for (name, ago) in [("a", 300), ("b", 200), ("c", 100)] {
            put(&cache, name, 300);
            let file = File::open(dir.path().join("cache").join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(ago)).unwrap();
        }
        let mut a = cache.get("a").unwrap().unwrap();
        let mut b = cache.get("b").unwrap().unwrap();
        put(&cache, "d", 300);
        assert!(cache.get("c").unwrap().is_none(), "used longest ago");
        assert!(["a", "b", "d"].iter().all(|n| cache.get(n).unwrap().is_some()));
        put(&cache, "large", 5000);
        assert!(["a", "b", "d"].iter().all(|n| cache.get(n).unwrap().is_none()), "it is alone");
        let mut bytes = Vec::new();
        a.read_to_end(&mut bytes).unwrap();
        b.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 600);
    }

    #[test]
    fn it_takes_nothing_of_what_is_kept_free_for_recordings() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned(), u64::MAX, size(dir.path()).unwrap());
        let e = cache.begin("a", 1 << 20).unwrap_err();
        assert_eq!(e.to_string(), "no room to fetch 1.0 MiB from the archive");
    }

    #[test]
    fn what_a_dead_process_left_goes_and_what_is_being_fetched_stays() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned(), 1000, 0);
        let (old, old_part) = cache.begin("old", 10).unwrap();
        old.set_modified(SystemTime::now() - 2 * ABANDONED).unwrap();
        let (_young, young_part) = cache.begin("young", 10).unwrap();
        put(&cache, "x", 10);
        assert!(!old_part.exists() && young_part.exists());
    }
}
