//! Locks that an operator sets on a gateway's own machine while the database is away. One file, a line each: a command adds, the gateway reads
//! and takes out what the database holds by now. Between them they hold a lock on the file beside it.
use anteroom_domain::{Lock, LockId};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Far more than anybody locks in a night, bytes.
const MAX_FILE: u64 = 1 << 20;

pub(crate) struct LocalLocks {
    file: PathBuf,
    /// Those that count; taken for a moment only, by whoever judges.
    counting: Mutex<Vec<Lock>>,
    /// Whoever reads or writes the file has this, also while the disk is slow.
    at_file: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Length of the file when it was looked at last.
    len: u64,
    /// Given out by [`LocalLocks::look`].
    told: BTreeSet<LockId>,
}

fn taken<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalLocks {
    /// Those of an earlier process count at once. Reads the disk.
    pub(crate) fn open(dir: &Path) -> Self {
        let file = file(dir);
        let locks = read(&file).unwrap_or_else(|e| {
            tracing::error!(file = %file.display(), error = %e, "locks of this machine cannot be read");
            (0, Vec::new())
        });
        Self { file, counting: Mutex::new(locks.1), at_file: Mutex::default() }
    }

    pub(crate) fn all(&self) -> Vec<Lock> {
        taken(&self.counting).clone()
    }

    /// Reads the file if it changed; those that this has not given out yet. They count from now on. Reads the disk.
    pub(crate) fn look(&self) -> io::Result<Vec<Lock>> {
        let mut seen = taken(&self.at_file);
        let len = match fs::metadata(&self.file) {
            Ok(m) => m.len(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
            Err(e) => return Err(e),
        };
        if len == seen.len {
            return Ok(Vec::new());
        }
        let (len, locks) = read(&self.file)?;
        taken(&self.counting).clone_from(&locks);
        seen.len = len;
        Ok(locks.into_iter().filter(|l| seen.told.insert(l.id)).collect())
    }

    /// The database holds it, or will not take it: what it says counts. Writes to the disk.
    pub(crate) fn done(&self, id: LockId) -> io::Result<()> {
        let mut seen = taken(&self.at_file);
        let beside = beside(&self.file)?;
        beside.lock()?;
        let left: Vec<Lock> = read(&self.file)?.1.into_iter().filter(|l| l.id != id).collect();
        let text = left.iter().map(line).collect::<io::Result<String>>()?;
        super::keep::write(&self.file, text.as_bytes())?;
        taken(&self.counting).retain(|l| l.id != id);
        // What a command added meanwhile is read next time.
        seen.len = 0;
        Ok(())
    }
}

/// Adds one; on disk when this returns.
pub(super) fn add(dir: &Path, lock: &Lock) -> io::Result<()> {
    let file = file(dir);
    let beside = beside(&file)?;
    beside.lock()?;
    let mut f = OpenOptions::new().create(true).append(true).mode(0o600).open(&file)?;
    f.write_all(line(lock)?.as_bytes())?;
    f.sync_all()?;
    File::open(dir)?.sync_all()
}

fn file(dir: &Path) -> PathBuf {
    dir.join("locks.jsonl")
}

fn beside(file: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file.with_extension("lock"))
}

fn line(lock: &Lock) -> io::Result<String> {
    Ok(serde_json::to_string(lock)? + "\n")
}

/// How much was read, and the locks in it. A last line without its end was never acknowledged; another that is none is left out and said.
fn read(file: &Path) -> io::Result<(u64, Vec<Lock>)> {
    let text = match fs::metadata(file) {
        Ok(m) if m.len() > MAX_FILE => return Err(io::Error::other("it is too large")),
        Ok(_) => fs::read_to_string(file)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((0, Vec::new())),
        Err(e) => return Err(e),
    };
    let mut locks = Vec::new();
    for line in text.split_inclusive('\n').filter(|l| l.ends_with('\n')) {
        match serde_json::from_str(line) {
            Ok(lock) => locks.push(lock),
            Err(_) => tracing::error!(file = %file.display(), "a line is no lock, and locks nothing"),
        }
    }
    Ok((text.len() as u64, locks))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{Lockable, Reason};
    use anteroom_test_samples as samples;

    fn lock(n: u128) -> Lock {
        let (on, reason) = (Lockable::Person(samples::person().id), Reason::new("laptop stolen").unwrap());
        Lock { id: LockId(samples::id(n)), on, reason, by: None, at: samples::BEGIN, lifted_at: None }
    }
    fn ids(locks: &[Lock]) -> Vec<u128> {
        locks.iter().map(|l| l.id.0.as_u128()).collect()
    }

    #[test]
    fn what_a_command_adds_counts_until_the_database_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let gateway = LocalLocks::open(dir.path());
        assert!(gateway.look().unwrap().is_empty());
        add(dir.path(), &lock(1)).unwrap();
        add(dir.path(), &lock(2)).unwrap();
        assert_eq!(ids(&gateway.look().unwrap()), [1, 2]);
        assert!(gateway.look().unwrap().is_empty(), "told once");
        gateway.done(LockId(samples::id(1))).unwrap();
        add(dir.path(), &lock(3)).unwrap();
        assert_eq!(ids(&gateway.look().unwrap()), [3]);
        assert_eq!(ids(&gateway.all()), [2, 3]);
        // The next process knows the same, before it looks.
        let next = LocalLocks::open(dir.path());
        assert_eq!(ids(&next.all()), [2, 3]);
        assert_eq!(ids(&next.look().unwrap()), [2, 3]);
    }

    #[test]
    fn half_a_line_and_nonsense_lock_nothing_and_hide_nothing() {
        let dir = tempfile::tempdir().unwrap();
        add(dir.path(), &lock(1)).unwrap();
        let mut f = OpenOptions::new().append(true).open(file(dir.path())).unwrap();
        f.write_all(b"nonsense\n").unwrap();
        add(dir.path(), &lock(2)).unwrap();
        let whole = line(&lock(3)).unwrap();
        f.write_all(&whole.as_bytes()[..20]).unwrap();
        let gateway = LocalLocks::open(dir.path());
        assert_eq!(ids(&gateway.look().unwrap()), [1, 2]);
        f.write_all(&whole.as_bytes()[20..]).unwrap();
        assert_eq!(ids(&gateway.look().unwrap()), [3]);
    }
}
