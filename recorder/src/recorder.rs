//! The process-wide recorder: storage root, recipients, rules and a small fixed pool of threads.
use crate::{
    OpenError, RecordError, Recording, RecordingFailed, Sealed, Storage,
    desk::{ClearingStatus, Desk, Desks, DesktopOptions},
    disk::DiskThreads,
    masked_lane::MaskedLane,
    pool::{Lane, Message, Pool},
    recording::LiveEvent,
    recover, seal,
    sealed_lane::SealedLane,
    shared::{MASKED_TOTAL, Shared},
    storage::Shipping,
    store::{self, Disk, RealDisk, Root, SegmentFile},
    track::{TrackFile, TrackSetup},
};
use anteroom_domain::{Secret, SessionId};
use anteroom_format::{PublicKey, RecordingHeader, SessionHeader, SignedManifest, Track, hex, public_text};
use anteroom_masking::RuleSet;
use ed25519_dalek::SigningKey;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    sync::{Semaphore, broadcast},
    task::spawn_blocking,
};

/// To whom recordings are written.
#[derive(Debug, Clone)]
pub struct Recipients {
    pub masked: PublicKey,
    /// Two key-holders; each gets half of every sealed key, and only both together can open it.
    pub sealed: [PublicKey; 2],
}

#[derive(Debug)]
pub struct RecorderOptions {
    /// Where recordings are kept. Made (0700) when missing; one recorder at a time.
    pub root: PathBuf,
    /// This gateway's name, for header and manifest.
    pub gateway: String,
    pub recipients: Recipients,
    pub rules: Arc<RuleSet>,
    /// Ed25519 seed that signs manifests.
    pub manifest_key: Secret<[u8; 32]>,
    /// How long what was accepted may wait to be durable. 1 s unless there is a reason.
    pub max_lag: Duration,
}

/// A segment that grew beyond this is followed by a new one, with a new key. In bytes.
const SEGMENT_BYTES: u64 = 1 << 30;

/// What clearing has left when the process is about to end.
pub const HURRY: Duration = Duration::from_secs(8);

/// Cheap to clone; all clones are the same recorder.
#[derive(Clone)]
pub struct Recorder {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    options: RecorderOptions,
    root: Root,
    storage: Storage,
    shipping: Mutex<Option<Shipping>>,
    files: Arc<dyn Disk>,
    segment_bytes: u64,
    /// Bytes that may wait for masking in all sessions together.
    pub(crate) masked_total: Arc<Semaphore>,
    pool: Arc<Pool>,
    desktops: OnceLock<DesktopOptions>,
    /// Started with the first desktop.
    desks: Mutex<Option<Arc<Desks>>>,
    disk: Arc<DiskThreads>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    open: Mutex<HashMap<SessionId, Weak<Shared>>>,
    next: AtomicU64,
    stopping: AtomicBool,
}

/// A recording on its way to be durable.
struct Begun {
    shared: Arc<Shared>,
    files: Vec<Arc<dyn SegmentFile>>,
    lanes: [Lane; 2],
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("root", &self.inner.root.path()).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Checks the recipients, takes the storage root for this process, proves that it can be written, starts the threads.
    pub fn open(options: RecorderOptions) -> Result<Self, OpenError> {
        let storage = options.root.clone().into();
        Self::open_in(storage, options)
    }

    /// What it masks by.
    pub fn rules(&self) -> Arc<RuleSet> {
        self.inner.options.rules.clone()
    }

    /// The same in a storage with that root, whose bounds are kept, and which closed recordings are shipped to.
    pub fn open_in(storage: Storage, options: RecorderOptions) -> Result<Self, OpenError> {
        Self::open_with(storage, options, Arc::new(RealDisk), SEGMENT_BYTES)
    }

    #[cfg(test)]
    pub(crate) fn open_on(options: RecorderOptions, files: Arc<dyn Disk>, segment_bytes: u64) -> Result<Self, OpenError> {
        Self::open_with(options.root.clone().into(), options, files, segment_bytes)
    }

    pub(crate) fn open_with(
        storage: Storage,
        options: RecorderOptions,
        files: Arc<dyn Disk>,
        segment_bytes: u64,
    ) -> Result<Self, OpenError> {
        let Recipients { masked, sealed: [a, b] } = &options.recipients;
        if a == b {
            return Err(OpenError::Recipients("the two key-holders of the sealed track are the same key"));
        }
        if masked == a || masked == b {
            return Err(OpenError::Recipients("the masked track's key must not be one that holds a share of the sealed track"));
        }
        let root = Root::open(storage.root())?;
        let (disk, mut threads) = DiskThreads::start(options.max_lag, options.manifest_key.clone()).map_err(OpenError::Thread)?;
        let disk = Arc::new(disk);
        let (pool, more) = Pool::start(&disk, options.max_lag / 4).map_err(OpenError::Thread)?;
        threads.extend(more);
        let inner = Inner {
            options,
            root,
            shipping: Mutex::new(storage.ship().map_err(OpenError::Thread)?),
            storage,
            files,
            segment_bytes,
            masked_total: Arc::new(Semaphore::new(MASKED_TOTAL)),
            pool: Arc::new(pool),
            desktops: OnceLock::new(),
            desks: Mutex::default(),
            disk,
            threads: Mutex::new(threads),
            open: Mutex::default(),
            next: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Starts a recording. When this returns, its header and envelopes are durable.
    pub async fn start(&self, header: SessionHeader) -> Result<Recording, RecordError> {
        let lost = |_| RecordError::Format("the recorder stopped unexpectedly".into());
        let inner = self.inner.clone();
        let begun = spawn_blocking(move || inner.begin(header)).await.map_err(lost)??;
        let session = begun.shared.session;
        let durable = async {
            // All at the same time: a file system commits them together.
            let syncing: Vec<_> = begun.files.iter().cloned().map(|f| spawn_blocking(move || f.sync())).collect();
            for sync in syncing {
                sync.await.map_err(lost)??;
            }
            let inner = self.inner.clone();
            spawn_blocking(move || inner.opened(begun)).await.map_err(lost)?
        };
        durable.await.inspect_err(|_| self.inner.close(session))
    }

    /// Closes what a dead process left behind: the longest valid prefix of each recording without manifest gets a torn manifest.
    /// Recordings that are being written are left alone. Call after `open`, before the first session; blocks on the disk.
    pub fn recover(&self) -> Vec<Sealed> {
        let inner = &self.inner;
        let mut sealed = Vec::new();
        for (session, folder) in store::all(inner.root.path()) {
            if folder.join(store::MANIFEST).exists() || inner.is_open(session) {
                continue;
            }
            // Without a header `start` never returned: nothing was recorded.
            if !folder.join(store::HEADER).exists() {
                tracing::info!(%session, "folder of a recording that never started");
                continue;
            }
            match recover::close_torn(&folder, session, &inner.options.manifest_key) {
                Ok(s) => sealed.push(s),
                Err(e) => tracing::error!(%session, error = %e, "recording cannot be recovered"),
            }
        }
        sealed
    }

    /// What `finish` or `recover` said, read again from the manifest of this gateway; none when it has none. For a process that died between
    /// closing a recording and writing that down. Blocks on the disk.
    pub fn sealed(&self, session: SessionId) -> Option<Sealed> {
        let folder = store::find(self.inner.root.path(), session)?;
        let bytes = store::read_small(&folder.join(store::MANIFEST)).ok()?;
        let key = public_text(&SigningKey::from_bytes(self.inner.options.manifest_key.expose()));
        match SignedManifest::verify(&bytes, &key) {
            Ok(signed) if signed.manifest.session == session => seal::sealed(signed.manifest).ok(),
            Ok(_) => None,
            Err(e) => {
                tracing::error!(%session, error = %e, "manifest cannot be read again");
                None
            }
        }
    }

    /// Masked feed of a running session, lossy: a slow watcher misses events and never slows the session.
    pub fn live(&self, session: SessionId) -> Option<broadcast::Receiver<LiveEvent>> {
        let open = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&session).and_then(Weak::upgrade).map(|shared| shared.watch())
    }

    /// How desktops are recorded, if not as ever. To be said before the first one.
    #[must_use]
    pub fn with_desktops(self, options: DesktopOptions) -> Self {
        let _ = self.inner.desktops.set(options);
        self
    }

    /// How far clearing came in a session of desktops that runs; none for others.
    pub fn clearing(&self, session: SessionId) -> Option<ClearingStatus> {
        let shared = self.inner.open.lock().unwrap_or_else(PoisonError::into_inner).get(&session).and_then(Weak::upgrade)?;
        shared.desk.get().and_then(Weak::upgrade).map(|desk| desk.status())
    }

    /// The process is about to end: clearing has [`HURRY`] left, in all sessions. What is not read by then stays blurred. To be called before
    /// sessions are finished, which otherwise wait for it.
    pub fn hurry(&self) {
        let desks = self.inner.desks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desks) = &*desks {
            desks.hurry(HURRY);
        }
    }

    /// Where the recordings are, and how much room there is.
    pub fn storage(&self) -> &Storage {
        &self.inner.storage
    }

    /// Makes everything durable and stops the threads. Recordings that were not finished are left for `recover`.
    pub async fn shutdown(&self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        let inner = self.inner.clone();
        // The only error would be that the runtime is going away: then there is nobody to wait.
        let _ = spawn_blocking(move || inner.stop()).await;
        let shipping = self.inner.shipping.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(shipping) = shipping {
            shipping.stop().await;
        }
    }
}

impl Inner {
    /// Makes a recording's folder and files, which are not durable yet.
    fn begin(&self, session: SessionHeader) -> Result<Begun, RecordError> {
        if self.stopping.load(Ordering::SeqCst) {
            return Err(RecordError::Stopping);
        }
        if let Some(why) = self.storage.refusal() {
            return Err(why.into());
        }
        let id = session.session;
        let header = RecordingHeader {
            format: RecordingHeader::FORMAT.into(),
            gateway: self.options.gateway.clone(),
            rules_sha256: hex(&self.options.rules.sha256()),
            manifest_key: public_text(&SigningKey::from_bytes(self.options.manifest_key.expose())),
            session,
        };
        let format = |e: anteroom_domain::canonical::CanonicalError| RecordError::Format(e.to_string());
        let (bytes, recording) = (header.to_bytes().map_err(format)?, header.sha256().map_err(format)?);

        let folder = self.root.folder(header.session.started_at, id);
        if store::find(self.root.path(), id).is_some() {
            return Err(RecordError::Exists(id));
        }
        folder.parent().map(store::make_dirs).transpose()?;
        store::make_dir(&folder)
            .map_err(|e| if e.kind() == std::io::ErrorKind::AlreadyExists { RecordError::Exists(id) } else { e.into() })?;

        self.storage.begun(id, &folder);
        let shared = Arc::new(Shared::new(self.next.fetch_add(1, Ordering::SeqCst), folder.clone(), header, recording));
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever stopped waiting for `finish` did not say goodbye.
            open.retain(|_, w| w.strong_count() > 0);
            open.insert(id, Arc::downgrade(&shared));
        }
        self.lanes(shared, &bytes).inspect_err(|_| self.close(id))
    }

    /// What was begun is durable but for its names.
    fn opened(self: &Arc<Self>, begun: Begun) -> Result<Recording, RecordError> {
        let Begun { shared, lanes: [sealed, masked], .. } = begun;
        store::sync_dir(&shared.folder)?;
        self.disk.watch(&shared);
        let opened = self.pool.send(Track::Sealed, shared.id, Message::Open(shared.clone(), Box::new(sealed)))
            && self.pool.send(Track::Masked, shared.id, Message::Open(shared.clone(), Box::new(masked)));
        if opened { Ok(Recording::new(self.clone(), shared)) } else { Err(RecordError::Stopping) }
    }

    fn lanes(&self, shared: Arc<Shared>, header: &[u8]) -> Result<Begun, RecordError> {
        let mut files = vec![store::place(&shared.folder, store::HEADER, header)?];
        let Recipients { masked, sealed } = &self.options.recipients;
        let setup = |track, holders| TrackSetup {
            track,
            folder: shared.folder.clone(),
            session: shared.session.0,
            recording: shared.header_sha256,
            holders,
            disk: self.files.clone(),
            segment_bytes: self.segment_bytes,
        };
        let masked = TrackFile::create(setup(Track::Masked, vec![vec![*masked]]), &mut files)?;
        let sealed = TrackFile::create(setup(Track::Sealed, sealed.iter().map(|k| vec![*k]).collect()), &mut files)?;
        let rules = self.options.rules.clone();
        let lanes = [Lane::Sealed(SealedLane::new(shared.clone(), sealed)), Lane::Masked(MaskedLane::new(shared.clone(), masked, rules))];
        Ok(Begun { shared, files, lanes })
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The session's first desktop is about to be opened.
    pub(crate) fn open_desk(&self, shared: &Arc<Shared>) -> Result<(Arc<Desks>, Arc<Desk>), RecordingFailed> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        let desks = match &*desks {
            Some(desks) => desks.clone(),
            None if self.stopping.load(Ordering::SeqCst) => return Err(RecordingFailed::Closed),
            None => {
                let (options, rules) = (self.desktops.get().cloned().unwrap_or_default(), self.options.rules.clone());
                let started = Desks::start(options, self.root.path().into(), rules, &self.pool);
                desks.insert(Arc::new(started.map_err(|e| RecordingFailed::from(&e))?)).clone()
            }
        };
        let desk = desks.open(shared)?;
        Ok((desks, desk))
    }

    pub(crate) fn max_lag(&self) -> Duration {
        self.options.max_lag
    }

    /// Forgets a recording, so that `recover` may touch it.
    pub(crate) fn close(&self, session: SessionId) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
        self.storage.ended(session);
    }

    fn is_open(&self, session: SessionId) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&session).is_some_and(|w| w.strong_count() > 0)
    }

    /// Lanes first: they may still have work for the disk threads.
    fn stop(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let (lanes, mut disks): (Vec<_>, Vec<_>) = threads
            .into_iter()
            .partition(|t| t.thread().name().is_some_and(|n| n.starts_with("recorder-seal") || n.starts_with("recorder-mask")));
        disks.retain(|t| t.thread().name() != Some("recorder-watch"));
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(desks) = desks {
            desks.stop();
        }
        self.pool.stop();
        lanes.into_iter().for_each(|t| drop(t.join()));
        self.disk.stop();
        disks.into_iter().for_each(|t| drop(t.join()));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Threads that are still there end by themselves when their queues close.
        self.pool.stop();
    }
}
