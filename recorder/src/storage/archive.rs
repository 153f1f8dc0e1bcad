//! The archive: another place for segments, behind `object_store`. Today a directory (a mounted disk, NFS); what is asked of it is what S3
//! can do too: put whole objects, never over another one, read ranges.
use super::{
    cache::Cache,
    error::{ArchiveError, StorageError},
    place::{Place, Wanted, Whole},
};
use crate::store;
use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, local::LocalFileSystem, path::Path as Key};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs::File,
    future::Future,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::Semaphore,
    task::spawn_blocking,
    time::timeout,
};
use url::Url;

/// Read and written at once; what a transfer holds in memory. S3 takes parts from 5 MiB.
const PIECE: u64 = 8 << 20;
/// Whoever does not answer for so long is away.
const ANSWER: Duration = Duration::from_secs(30);
/// Copies fetched at the same time; others wait.
const FETCHES: usize = 4;
/// Says which archive this is: a directory whose disk is not mounted has no such object.
const NAME: &str = "anteroom-archive";
/// The same, beside the recordings that went there.
const KNOWN: &str = ".archive";

pub(crate) type Connect = Box<dyn Fn() -> object_store::Result<Arc<dyn ObjectStore>> + Send + Sync>;

pub(crate) struct Archive {
    connect: Connect,
    root: PathBuf,
    answer: Duration,
    /// Threads of its own, so that an archive that hangs holds up nobody else. None only while it is dropped.
    runtime: Option<Runtime>,
    fetches: Semaphore,
    fetching: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Archive {
    pub(crate) fn open(url: &Url, root: &Path) -> Result<Self, StorageError> {
        if url.scheme() != "file" {
            return Err(StorageError::Scheme);
        }
        let plain = url.query().is_none() && url.fragment().is_none();
        let path = url.to_file_path().ok().filter(|p| plain && p.is_absolute()).ok_or(StorageError::Path)?;
        let (from, to) = (root.canonicalize().unwrap_or(root.into()), path.canonicalize().unwrap_or(path.clone()));
        if from.starts_with(&to) || to.starts_with(&from) {
            return Err(StorageError::Inside);
        }
        // Durable when it says so: the local file goes because of that.
        let connect = move || Ok(Arc::new(LocalFileSystem::new_with_prefix(&path)?.with_fsync(true)) as Arc<dyn ObjectStore>);
        Self::behind(Box::new(connect), root, ANSWER)
    }

    pub(crate) fn behind(connect: Connect, root: &Path, answer: Duration) -> Result<Self, StorageError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(16)
            .thread_name("recorder-archive")
            .enable_time()
            .build()
            .map_err(StorageError::Threads)?;
        Ok(Self {
            connect,
            root: root.into(),
            answer,
            runtime: Some(runtime),
            fetches: Semaphore::new(FETCHES),
            fetching: Mutex::default(),
        })
    }

    pub(crate) fn handle(&self) -> io::Result<&Handle> {
        self.runtime.as_ref().map(Runtime::handle).ok_or_else(|| io::Error::other("the archive is being closed"))
    }

    /// Ships a segment whose local file was found to be `whole`. When this returns the archive has exactly these bytes, durable and read
    /// back, under the segment's name, and nothing was overwritten. May be called again whatever happened before.
    pub(crate) async fn put(self: &Arc<Self>, place: &Place, whole: &Whole) -> Result<(), ArchiveError> {
        let store = self.reach(true).await?;
        let key = self.key(place)?;
        match self.timed(store.head(&key)).await {
            Ok(_) => return self.compare(&*store, &key, place, whole).await,
            Err(ArchiveError::Missing(_)) => {}
            Err(e) => return Err(e),
        }
        // Nobody reads it under this name; what another try left there is replaced.
        let upload = Key::from(format!("{key}.upload"));
        self.send(&*store, &upload, place.path(), whole.bytes).await?;
        if let Err(e) = self.compare(&*store, &upload, place, whole).await {
            let _ = self.timed(store.delete(&upload)).await;
            return Err(e);
        }
        match self.timed(async { Ok(store.rename_if_not_exists(&upload, &key).await) }).await? {
            Ok(()) => {}
            Err(object_store::Error::AlreadyExists { .. }) => {
                let _ = self.timed(store.delete(&upload)).await;
                self.compare(&*store, &key, place, whole).await?;
            }
            Err(e) => return Err(ArchiveError::of(e)),
        }
        // It may have been unmounted meanwhile: then all of this happened to the directory underneath.
        self.reach(false).await.map(|_| ())
    }

    /// The size of the archive's copy.
    pub(crate) async fn size(self: &Arc<Self>, place: &Place) -> Result<u64, ArchiveError> {
        let store = self.reach(false).await?;
        Ok(self.timed(store.head(&self.key(place)?)).await?.size)
    }

    /// The archive's copy of a segment, checked against the manifest, out of the cache or into it. Blocks for at most `limit`; what is not
    /// there by then still comes, for the next one who asks.
    pub(crate) fn fetch(self: &Arc<Self>, place: Place, cache: &Arc<Cache>, limit: Duration) -> io::Result<File> {
        let name = format!("{}.{}", place.folder.file_name().unwrap_or_default().to_string_lossy(), place.name);
        if let Some(file) = cache.get(&name)? {
            return Ok(file);
        }
        let (send, receive) = mpsc::sync_channel(1);
        let (archive, cache) = (self.clone(), cache.clone());
        self.handle()?.spawn(async move {
            // Whoever asked may have stopped waiting.
            let _ = send.send(archive.fetch_once(place, cache, name).await);
        });
        receive.recv_timeout(limit).unwrap_or_else(|e| match e {
            mpsc::RecvTimeoutError::Timeout => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the archive is slow: the recording is still being fetched; try again"))
            }
            mpsc::RecvTimeoutError::Disconnected => Err(io::Error::other("the archive is being closed")),
        })
    }

    async fn fetch_once(self: &Arc<Self>, place: Place, cache: Arc<Cache>, name: String) -> io::Result<File> {
        let of_this = self.fetching.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default().clone();
        let first = of_this.lock().await;
        let fetched = match cache.get(&name) {
            Ok(Some(file)) => Ok(file),
            Ok(None) => self.fetch_to(&place, cache, &name).await,
            Err(e) => Err(e),
        };
        drop(first);
        let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        // Ours and the map's: nobody else waits.
        if Arc::strong_count(&of_this) <= 2 {
            fetching.remove(&name);
        }
        fetched
    }

    async fn fetch_to(self: &Arc<Self>, place: &Place, cache: Arc<Cache>, name: &str) -> io::Result<File> {
        let _slot = self.fetches.acquire().await.map_err(io::Error::other)?;
        let store = self.reach(false).await?;
        let key = self.key(place)?;
        let wanted = place.wanted();
        let size = self.timed(store.head(&key)).await?.size;
        if size < wanted.bytes {
            let why = format!("it ends at byte {size} of {}", wanted.bytes);
            return Err(ArchiveError::OtherBytes { file: place.name.clone(), why }.into());
        }
        let (begin, into, bytes) = (cache.clone(), name.to_owned(), wanted.bytes);
        let (file, part) = blocking(move || begin.begin(&into, bytes)).await?;
        let copied = self.copy(&*store, &key, file, place.clone(), wanted).await;
        let (name, done) = (name.to_owned(), part.clone());
        let finished = match copied {
            Ok(()) => blocking(move || File::open(&done).and_then(|f| cache.finish(&done, &name).map(|()| f))).await,
            Err(e) => Err(e),
        };
        if finished.is_err() {
            let _ = blocking(move || std::fs::remove_file(part)).await;
        }
        finished
    }

    /// `2026/11/<session>/sealed.0`
    fn key(&self, place: &Place) -> Result<Key, ArchiveError> {
        let below = place.path();
        let below = below.strip_prefix(&self.root).ok().and_then(Path::to_str);
        below.and_then(|b| Key::parse(b).ok()).ok_or_else(|| ArchiveError::Missing(place.name.clone()))
    }

    /// The archive that recordings went to before, and no other one. With `begin` a new one is given its name.
    async fn reach(self: &Arc<Self>, begin: bool) -> Result<Arc<dyn ObjectStore>, ArchiveError> {
        let this = self.clone();
        let store = self.timed(async { spawn_blocking(move || (this.connect)()).await? }).await?;
        let name = Key::from(NAME);
        let there = match self.timed(async { store.get_range(&name, 0..NAME_BYTES).await }).await {
            Ok(bytes) => Some(bytes.to_vec()),
            Err(ArchiveError::Missing(_)) => None,
            Err(e) => return Err(e),
        };
        let (root, known) = (self.root.clone(), self.root.join(KNOWN));
        let here = match blocking(move || store::read_small(&known)).await {
            Ok(bytes) => Some(bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(ArchiveError::Away(format!("its name in the recordings' directory cannot be read: {}", e.kind()))),
        };
        let name_of = match (here, there) {
            (Some(here), Some(there)) if here == there => return Ok(store),
            (Some(_), Some(_)) => return Err(ArchiveError::Away("another archive is in its place".into())),
            (Some(_), None) => return Err(ArchiveError::Away("it is not mounted, or has lost its name".into())),
            (None, Some(there)) => there,
            (None, None) if begin => {
                let fresh = fresh_name()?;
                let put = store.put_opts(&name, Bytes::from(fresh.clone()).into(), PutMode::Create.into());
                self.timed(async { put.await.map(|_| ()) }).await?;
                tracing::info!("an archive begins: it has got its name");
                fresh
            }
            (None, None) => return Err(ArchiveError::Away("nothing was ever put there".into())),
        };
        if begin {
            let published = blocking(move || store::publish(&root, KNOWN, &name_of)).await;
            published.map_err(|e| ArchiveError::Away(format!("its name cannot be noted in the recordings' directory: {}", e.kind())))?;
        }
        Ok(store)
    }

    /// Reads an object to its end: it must be these bytes.
    async fn compare(&self, store: &dyn ObjectStore, key: &Key, place: &Place, whole: &Whole) -> Result<(), ArchiveError> {
        let other = |why: &str| ArchiveError::OtherBytes { file: place.name.clone(), why: why.into() };
        if self.timed(store.head(key)).await?.size != whole.bytes {
            return Err(other("its size differs"));
        }
        let mut hash = Sha256::new();
        for from in (0..whole.bytes).step_by(PIECE as usize) {
            let piece = self.timed(store.get_range(key, from..whole.bytes.min(from + PIECE))).await?;
            hash = spawn_blocking(move || hash.chain_update(&piece)).await.map_err(|_| ArchiveError::Away("it is being closed".into()))?;
        }
        if hash.finalize()[..] == whole.sha256 { Ok(()) } else { Err(other("its SHA-256 differs")) }
    }

    async fn send(&self, store: &dyn ObjectStore, to: &Key, from: PathBuf, bytes: u64) -> Result<(), ArchiveError> {
        let here = |e: io::Error| ArchiveError::Away(format!("the local file cannot be read: {}", e.kind()));
        let mut upload = self.timed(store.put_multipart(to)).await?;
        let sent = async {
            // What follows came after the file was looked at; nobody was promised it.
            let mut file = blocking(move || Ok(File::open(from)?.take(bytes))).await.map_err(here)?;
            loop {
                let (piece, rest) = blocking(move || {
                    let mut piece = Vec::with_capacity(PIECE.min(file.limit()) as usize);
                    file.by_ref().take(PIECE).read_to_end(&mut piece)?;
                    Ok((piece, file))
                })
                .await
                .map_err(here)?;
                if piece.is_empty() {
                    return self.timed(async { upload.complete().await.map(|_| ()) }).await;
                }
                file = rest;
                self.timed(upload.put_part(piece.into())).await?;
            }
        };
        let sent = sent.await;
        if sent.is_err() {
            let _ = self.timed(upload.abort()).await;
        }
        sent
    }

    async fn copy(&self, store: &dyn ObjectStore, key: &Key, mut file: File, place: Place, wanted: Wanted) -> io::Result<()> {
        for from in (0..wanted.bytes).step_by(PIECE as usize) {
            let piece = self.timed(store.get_range(key, from..wanted.bytes.min(from + PIECE))).await?;
            file = blocking(move || file.write_all(&piece).map(|()| file)).await?;
        }
        blocking(move || {
            io::Seek::rewind(&mut file)?;
            place.check_copy(file, &wanted)
        })
        .await
    }

    async fn timed<T>(&self, asked: impl Future<Output = object_store::Result<T>>) -> Result<T, ArchiveError> {
        match timeout(self.answer, asked).await {
            Ok(answer) => answer.map_err(ArchiveError::of),
            Err(_) => Err(ArchiveError::Away(format!("it does not answer within {:?}", self.answer))),
        }
    }
}

/// `anteroom-archive-v1 <32 hex digits>`
const NAME_BYTES: u64 = 20 + 32;

fn fresh_name() -> Result<Vec<u8>, ArchiveError> {
    let mut id = [0u8; 16];
    getrandom::fill(&mut id).map_err(|_| ArchiveError::Away("the system gives no random bytes for its name".into()))?;
    Ok(format!("anteroom-archive-v1 {}", anteroom_format::hex(&id)).into_bytes())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(|_| io::Error::other("a thread of the archive died"))?
}
