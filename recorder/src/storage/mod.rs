//! Where recordings are, and the one road to their bytes.
//!
//! They are written and made durable under a local root. Header, manifest and key envelopes stay there; the segments of closed recordings
//! move to an archive, if there is one (docs/decisions/0019).
mod archive;
mod cache;
mod error;
mod place;
mod ship;
mod spool;
#[cfg(test)]
mod tests;

pub use error::{ArchiveError, Refusal, StorageError};
pub use spool::SpoolStatus;

pub(crate) use place::{header_in, marker_name};
pub(crate) use ship::Shipping;

use crate::store;
use anteroom_domain::SessionId;
use anteroom_format::Track;
use archive::Archive;
use cache::Cache;
use place::Place;
use spool::Spool;
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use url::Url;

/// How long a reader waits for a segment to come from the archive.
const FETCH: Duration = Duration::from_secs(600);
/// Of the disk, when nothing else was said: how much may wait for the archive, and what is kept free, at most [`MOST_FREE`].
const SPOOL_PERCENT: u64 = 80;
const FREE_PERCENT: u64 = 5;
const MOST_FREE: u64 = 10 << 30;
const CACHE: u64 = 4 << 30;

/// An archive, and how the local disk is shared with it. Sizes in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageOptions {
    /// `file:///mnt/archive`. None: everything stays under the root.
    pub archive: Option<Url>,
    /// Beyond this no new recording begins; 80 % of the root's disk if not said. Nothing without an archive.
    pub spool_limit: Option<u64>,
    /// With less room on the root's disk no new recording begins; with an archive 5 % of it and at most 10 GiB if not said, else 0.
    pub min_free: Option<u64>,
    /// How long a shipped segment stays under the root too.
    pub keep: Duration,
    /// Where copies are kept that were fetched; `.cache` under the root if not said.
    pub cache_dir: Option<PathBuf>,
    /// How much of them; 4 GiB if not said.
    pub cache_limit: Option<u64>,
}

/// Cheap to clone; all clones are the same storage. Blocking I/O.
#[derive(Debug, Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    root: PathBuf,
    spool: Spool,
    archive: Option<(Arc<Archive>, Arc<Cache>)>,
    keep: Duration,
}

/// A local root and nothing else.
impl From<PathBuf> for Storage {
    fn from(root: PathBuf) -> Self {
        let spool = Spool::new(root.clone(), u64::MAX, 0);
        Self { inner: Arc::new(Inner { root, spool, archive: None, keep: Duration::ZERO }) }
    }
}

impl From<&Path> for Storage {
    fn from(root: &Path) -> Self {
        root.to_owned().into()
    }
}

impl From<&Storage> for Storage {
    fn from(same: &Storage) -> Self {
        same.clone()
    }
}

impl From<&PathBuf> for Storage {
    fn from(root: &PathBuf) -> Self {
        root.to_owned().into()
    }
}

impl Storage {
    /// Makes no directory and needs no archive: that may come and go.
    pub fn open(root: impl Into<PathBuf>, options: &StorageOptions) -> Result<Self, StorageError> {
        let root = root.into();
        let archive = options.archive.as_ref().map(|url| Archive::open(url, &root)).transpose()?;
        Self::with(root, options, archive)
    }

    fn with(root: PathBuf, options: &StorageOptions, archive: Option<Archive>) -> Result<Self, StorageError> {
        let size = if archive.is_some() { disk_size(&root)? } else { 0 };
        let min_free = options.min_free.unwrap_or((size / 100 * FREE_PERCENT).min(MOST_FREE));
        let limit = match archive {
            Some(_) => options.spool_limit.unwrap_or(size / 100 * SPOOL_PERCENT),
            None => u64::MAX,
        };
        let cache_dir = options.cache_dir.clone().unwrap_or_else(|| root.join(".cache"));
        let cache = Cache::new(cache_dir, options.cache_limit.unwrap_or(CACHE), min_free);
        let spool = Spool::new(root.clone(), limit, min_free);
        let archive = archive.map(|a| (Arc::new(a), Arc::new(cache)));
        Ok(Self { inner: Arc::new(Inner { root, spool, archive, keep: options.keep }) })
    }

    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// The folder of a session's recording: its header, manifest and envelopes are there, whatever the archive does.
    pub fn find(&self, session: SessionId) -> Option<PathBuf> {
        store::find(&self.inner.root, session)
    }

    /// A segment of the recording in `folder`, from its beginning: the local file, or the archive's copy, which is checked against the
    /// manifest first. `NotFound`: neither has it.
    pub fn segment(&self, folder: &Path, track: Track, number: u32) -> io::Result<File> {
        match File::open(folder.join(track.file_name(number))) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => self.archived(folder, track, number, FETCH)?.ok_or(e),
            opened => opened,
        }
    }

    /// Every file of a recording, in order: what lies in its folder and what lies in the archive. What says where something lies is none of
    /// it. A file that cannot be read now is an error of its own.
    pub fn files(&self, session: SessionId) -> io::Result<impl Iterator<Item = (String, io::Result<File>)>> {
        let folder = self.find(session).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no recording of this session"))?;
        let mut names = BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_file() && !place::is_marker(&name) {
                names.insert(name, None);
            }
        }
        let closed = match place::places(&folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound || e.kind() == io::ErrorKind::InvalidData => Vec::new(),
            places => places?,
        };
        for place in closed {
            names.insert(place.name.clone(), Some(place));
        }
        let storage = self.clone();
        Ok(names.into_iter().filter_map(move |(name, place)| match (File::open(folder.join(&name)), place) {
            (Err(e), Some(place)) if e.kind() == io::ErrorKind::NotFound => {
                // Neither here nor there: that is for whoever verifies to find out.
                storage.copy_of(place, FETCH).transpose().map(|copy| (name, copy))
            }
            (opened, _) => Some((name, opened)),
        }))
    }

    /// About how many bytes [`files`](Self::files) gives: what lies in the folder, and what the manifest promises of the rest.
    pub fn size(&self, session: SessionId) -> io::Result<u64> {
        let Some(folder) = self.find(session) else { return Ok(0) };
        let mut size = 0;
        for entry in std::fs::read_dir(&folder)? {
            size += entry?.metadata()?.len();
        }
        let closed = place::places(&folder).unwrap_or_default();
        Ok(size + closed.iter().filter(|p| !p.path().exists()).map(|p| p.wanted().bytes).sum::<u64>())
    }

    /// The archive's copy of a segment whose local file is gone; none if there is no archive, or it never had it. Waits for at most `limit`.
    pub fn archived(&self, folder: &Path, track: Track, number: u32, limit: Duration) -> io::Result<Option<File>> {
        let name = track.file_name(number);
        let places = match place::places(folder) {
            // It was never closed, so it was never shipped.
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            places => places?,
        };
        places.into_iter().find(|p| p.name == name).map_or(Ok(None), |place| self.copy_of(place, limit))
    }

    fn copy_of(&self, place: Place, limit: Duration) -> io::Result<Option<File>> {
        let Some((archive, cache)) = &self.inner.archive else {
            return if place.is_shipped() {
                Err(io::Error::other("it was shipped to an archive, and none is set up here"))
            } else {
                Ok(None)
            };
        };
        match archive.fetch(place, cache, limit) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            fetched => fetched.map(Some),
        }
    }

    /// Why no new recording begins; none: it may.
    pub fn refusal(&self) -> Option<Refusal> {
        self.inner.spool.refusal()
    }

    pub fn status(&self) -> SpoolStatus {
        self.inner.spool.status()
    }

    pub(crate) fn begun(&self, session: SessionId, folder: &Path) {
        self.inner.spool.begun(session, folder);
    }

    pub(crate) fn ended(&self, session: SessionId) {
        self.inner.spool.ended(session);
    }

    /// Starts shipping, if there is an archive. The root is this process's.
    pub(crate) fn ship(&self) -> io::Result<Option<Shipping>> {
        self.inner.archive.as_ref().map(|(archive, _)| Shipping::start(self.inner.clone(), archive.clone())).transpose()
    }
}

/// The root may still have to be made.
fn disk_size(root: &Path) -> Result<u64, StorageError> {
    let there = root.ancestors().find(|p| p.exists()).unwrap_or(Path::new("."));
    cache::size(there).map_err(StorageError::Disk)
}
