//! Requests over a Unix socket: one a connection, few at once, each bounded in size and time. Who may ask is decided by the socket's mode;
//! what they get is decided by signatures.
use crate::{
    interval::{self, Keys},
    journal::{Entry, Journal, JournalError, Warranted},
    trust::{Site, Trust},
    trust_file::TrustFileError,
    wire::{self, Answer, MAX_REQUEST, Refused, Request},
    {Warrant, decide},
};
use anteroom_domain::Moment;
use anteroom_format::{Release, ReleaseContent};
use anteroom_recorder::Storage;
use getrandom::rand_core::UnwrapErr;
use std::{
    fs::Permissions,
    future::Future,
    io,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use time::format_description::well_known::Rfc3339;
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};

/// Requests that are worked on at the same time; others wait to be accepted.
const AT_ONCE: usize = 4;
/// How long a request may take to arrive, and an answer to be taken.
const TRANSFER: Duration = Duration::from_secs(10);
/// How long checking a recording may take.
const READING: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Options {
    /// Its folder is there.
    pub socket: PathBuf,
    /// 0600, or 0660 when the gateway runs as another user of the socket's group.
    pub socket_mode: u32,
    /// Where the recordings are; read only.
    pub recordings: Storage,
    /// Where the journal is kept; there, and the unsealer's alone.
    pub state: PathBuf,
    /// Read again for every request.
    pub trust: PathBuf,
    pub site: Site,
    pub keys: Keys,
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("socket {}: {source}", path.display())]
    Socket { path: PathBuf, source: io::Error },
    #[error("socket {} is in use by another unsealer", .0.display())]
    InUse(PathBuf),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Trust(#[from] TrustFileError),
}

#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Options,
    journal: Journal,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
struct Peer {
    uid: Option<u32>,
    pid: Option<i32>,
}

impl Server {
    /// Opens journal and socket. The trust file must be readable; who is in it may change any time.
    pub async fn bind(options: Options) -> Result<Self, ServeError> {
        Trust::load(&options.trust, options.site.clone())?;
        let journal = Journal::open(&options.state, Moment::now_utc())?;
        let listener = listen(&options.socket, options.socket_mode).await?;
        Ok(Self { listener, inner: Arc::new(Inner { options, journal }) })
    }

    /// Serves until `stop`; requests that are being worked on are answered first.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, inner } = self;
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        tokio::pin!(stop);
        loop {
            let next = async {
                // Nobody closes it.
                let slot = slots.clone().acquire_owned().await.ok();
                (slot, listener.accept().await)
            };
            let (slot, accepted) = tokio::select! { next = next => next, () = &mut stop => break };
            match accepted {
                Ok((stream, _)) => {
                    let inner = inner.clone();
                    tokio::spawn(async move {
                        connection(inner, stream).await;
                        drop(slot);
                    });
                }
                Err(e) => {
                    tracing::warn!(error = %e, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        let _ = std::fs::remove_file(&inner.options.socket);
        let all = u32::try_from(AT_ONCE).unwrap_or(1);
        let _ = timeout(TRANSFER * 2 + READING, slots.acquire_many(all)).await;
    }
}

/// A socket with its mode before anybody can connect to its name.
async fn listen(path: &Path, mode: u32) -> Result<UnixListener, ServeError> {
    let err = |source| ServeError::Socket { path: path.into(), source };
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => return Err(err(io::Error::other("is there and no socket"))),
        Ok(_) if UnixStream::connect(path).await.is_ok() => return Err(ServeError::InUse(path.into())),
        _ => {}
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let _ = std::fs::remove_file(&new);
    let listener = UnixListener::bind(&new).map_err(err)?;
    std::fs::set_permissions(&new, Permissions::from_mode(mode)).map_err(err)?;
    std::fs::rename(&new, path).map_err(err)?;
    Ok(listener)
}

async fn connection(inner: Arc<Inner>, mut stream: UnixStream) {
    let peer = stream.peer_cred().map_or(Peer { uid: None, pid: None }, |c| Peer { uid: Some(c.uid()), pid: c.pid() });
    let request = match timeout(TRANSFER, wire::read(&mut stream, MAX_REQUEST)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(refused("request_too_long", "the request is too long")),
        // Gone, or too slow to be asked anything: nobody waits for an answer.
        Ok(Err(_)) | Err(_) => return tracing::info!(uid = peer.uid, "a connection without a request"),
    };
    let answer = tokio::task::spawn_blocking(move || answer(&inner, request, peer)).await;
    let answer = answer.unwrap_or_else(|_| Answer::Refused(refused("broken", "the unsealer broke over it; see its log")));
    if let Ok(bytes) = serde_json::to_vec(&answer) {
        let _ = timeout(TRANSFER, wire::write(&mut stream, &bytes)).await;
    }
}

fn refused(code: &str, why: impl ToString) -> Refused {
    Refused { code: code.into(), why: why.to_string() }
}

/// Judges, reads, wraps, writes down; only then it is an answer.
fn answer(inner: &Inner, request: Result<Vec<u8>, Refused>, peer: Peer) -> Answer {
    let now = Moment::now_utc();
    let warrant = request.and_then(|bytes| warrant(inner, &bytes, now));
    let outcome = warrant.as_ref().map_err(Clone::clone).and_then(|w| release(inner, w));
    let entry = Entry {
        at: now.format(&Rfc3339).unwrap_or_default(),
        peer_uid: peer.uid,
        peer_pid: peer.pid,
        decision: outcome.as_ref().map_or_else(|r| r.code.as_str(), |_| "released"),
        why: outcome.as_ref().err().map(|r| r.why.clone()),
        warrant: warrant.as_ref().ok().map(Warranted::of),
        chunks: outcome.as_ref().ok().map(|r| r.content.chunks as usize),
    };
    match (inner.journal.log(&entry), outcome) {
        (Ok(()), Ok(release)) => Answer::Released(release),
        (Ok(()), Err(refused)) => Answer::Refused(refused),
        (Err(e), _) => {
            tracing::error!(error = %e, "the journal cannot be written; nothing is released");
            Answer::Refused(refused("journal", "it cannot be written down by the unsealer, so nothing is released"))
        }
    }
}

fn warrant(inner: &Inner, bytes: &[u8], now: Moment) -> Result<Warrant, Refused> {
    let request = Request::parse(bytes).map_err(|e| refused("bad_request", e))?;
    let o = &inner.options;
    let trust = Trust::load(&o.trust, o.site.clone()).map_err(|e| {
        tracing::error!(error = %e, "nobody is believed");
        refused("trust", "the unsealer cannot read whom to trust; see its log")
    })?;
    let claimed = inner.journal.claim(|used| decide(&trust, &request.proof, now, used)).map_err(|e| {
        tracing::error!(error = %e, "the journal cannot be written; nothing is released");
        refused("journal", "it cannot be written down by the unsealer, so nothing is released")
    })?;
    claimed.map_err(|refusal| refused(refusal.code(), refusal))
}

fn release(inner: &Inner, w: &Warrant) -> Result<Release, Refused> {
    let o = &inner.options;
    let chunks = interval::chunk_keys(&o.recordings, w, &o.keys, READING).map_err(|e| refused(e.code(), e))?;
    let content = ReleaseContent {
        format: Release::FORMAT.into(),
        unmask: w.unmask(),
        session: w.session(),
        header_sha256: w.header_sha256().to_owned(),
        from_us: w.from_us(),
        until_us: w.until_us(),
        recipient: w.recipient().id(),
        expires_at: w.hold_until(),
        chunks: 0,
    };
    Release::seal(content, &chunks, w.recipient(), &mut UnwrapErr(getrandom::SysRng)).map_err(|e| refused("wrapping", e))
}
