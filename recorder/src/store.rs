//! Where recordings lie: `<root>/<yyyy>/<mm>/<session>/`. Nothing here is ever overwritten.
use crate::{OpenError, growing::Growing};
use anteroom_domain::{Moment, SessionId};
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) const HEADER: &str = "header.json";
pub(crate) const MANIFEST: &str = "manifest.json";
const LOCK: &str = ".lock";

/// A file that only grows.
pub(crate) trait SegmentFile: Send + Sync {
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when everything appended before is durable.
    fn sync(&self) -> io::Result<()>;
}

impl SegmentFile for File {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&mut &*self).write_all(bytes)
    }
    fn sync(&self) -> io::Result<()> {
        // Length included (fdatasync): it is needed to read the bytes back.
        self.sync_data()
    }
}

/// How segment files come to be; tests put broken disks here.
pub(crate) trait Disk: Send + Sync {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>>;
}

pub(crate) struct RealDisk;
impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(Growing::new(new_file(path)?)))
    }
}

/// The root, held by this process. The lock goes with the process, however it dies.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    _lock: File,
}

impl Root {
    /// Makes the directory when missing and proves that it can be written.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let err = |source| OpenError::Directory { path: path.into(), source };
        make_dirs(path).map_err(err)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path.join(LOCK)).map_err(err)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(OpenError::InUse { path: path.into() }),
            Err(std::fs::TryLockError::Error(e)) => return Err(err(e)),
        }
        let probe = path.join(".probe");
        // Left by a process that died here.
        let _ = std::fs::remove_file(&probe);
        new_file(&probe).and_then(|mut f| f.write_all(&[0; 4096]).and_then(|()| f.sync_all())).map_err(err)?;
        std::fs::remove_file(&probe).map_err(err)?;
        Ok(Self { path: path.into(), _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn folder(&self, started_at: Moment, session: SessionId) -> PathBuf {
        let utc = started_at.to_offset(time::UtcOffset::UTC);
        self.path.join(format!("{:04}", utc.year())).join(format!("{:02}", u8::from(utc.month()))).join(session.to_string())
    }
}

/// The folder of a session's recording below `root`.
pub fn find(root: &Path, session: SessionId) -> Option<PathBuf> {
    let name = session.to_string();
    months(root).into_iter().map(|m| m.join(&name)).find(|p| p.is_dir())
}

/// Every recording under `root`.
pub(crate) fn all(root: &Path) -> Vec<(SessionId, PathBuf)> {
    let mut found = Vec::new();
    for month in months(root) {
        for path in children(&month) {
            if let Some(session) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse().ok()) {
                found.push((session, path));
            }
        }
    }
    found
}

fn months(root: &Path) -> Vec<PathBuf> {
    let digits = |p: &PathBuf| p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let mut months: Vec<_> = children(root).into_iter().filter(digits).flat_map(|y| children(&y)).filter(digits).collect();
    // Newest first: that is what people look for.
    months.sort_unstable_by(|a, b| b.cmp(a));
    months
}

fn children(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).map(|d| d.flatten().map(|e| e.path()).collect()).unwrap_or_default()
}

/// Makes a directory (0700) and its parents, durably.
pub(crate) fn make_dirs(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_dirs(parent)?;
    match make_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Makes one directory that must not exist yet.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)?;
    sync_dir(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).mode(0o600).open(path)
}

/// Puts a whole file in place at once: it is there with all its bytes, or it is not there. Fails when the name is taken.
pub(crate) fn publish(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let tmp = dir.join(format!("{name}.tmp"));
    // Left by a process that died here; nobody ever read it.
    let _ = std::fs::remove_file(&tmp);
    let mut file = new_file(&tmp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    take_name(dir, name)?;
    sync_dir(dir)
}

/// The same in a folder that is just being made: whole or not there, and durable once `sync` and then `sync_dir` returned.
pub(crate) fn place(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<Arc<dyn SegmentFile>> {
    let mut file = new_file(&dir.join(format!("{name}.tmp")))?;
    file.write_all(bytes)?;
    take_name(dir, name)?;
    Ok(Arc::new(file))
}

/// `name.tmp` becomes `name`, unless that is there already.
fn take_name(dir: &Path, name: &str) -> io::Result<()> {
    let tmp = dir.join(format!("{name}.tmp"));
    if let Err(e) = renameat_with(CWD, &tmp, CWD, dir.join(name), RenameFlags::NOREPLACE) {
        let _ = std::fs::remove_file(&tmp);
        return Err(e.into());
    }
    Ok(())
}

/// Makes files durable, all at the same time: a file system commits them together.
pub(crate) fn sync_all(files: &[Arc<dyn SegmentFile>]) -> io::Result<()> {
    std::thread::scope(|scope| {
        let running: Vec<_> = files.iter().map(|f| scope.spawn(|| f.sync())).collect();
        running.into_iter().try_for_each(|t| t.join().unwrap_or_else(|_| Err(io::Error::other("a syncing thread died"))))
    })
}

/// Reads a small file; a longer one is cut at the limit, which its parser will refuse.
pub(crate) fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A pipe with that name is not waited for.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    file.take(anteroom_format::strict::MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
