//! File transfers on a channel: the watcher of `anteroom-files`, and the two lanes its packets leave by.
//!
//! A watcher may speak toward both sides at any time (a refusal to the client, a question of its own to the target), so
//! what it lets through goes into a lane in its order, and one pump a lane sends. Whoever feeds the watcher waits while
//! its own lane is full; nobody waits for the other lane, so the two directions can't hold each other.
use super::requests::Request;
use anteroom_domain::{Capabilities, capability::Direction};
use anteroom_files::{Out, Real, Scp, Sftp, scp_command};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// A lane that holds more than this makes its feeder wait.
const FULL: usize = 512 << 10;

#[derive(Debug, Default)]
pub(super) struct Transfer {
    watcher: OnceLock<Mutex<Watcher>>,
    pub(super) to_target: Lane,
    pub(super) to_client: Lane,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // one a channel, made in place
enum Watcher {
    Sftp(Sftp),
    Scp(Scp),
}

/// What starting a request means for files.
pub(super) enum Start {
    /// The reason is for the person to read.
    Refused(String),
    /// Files may move; the name is for the recording.
    Files(String),
    /// Not a file transfer.
    Other,
}

/// What a watcher said to bytes.
pub(super) struct Passed {
    pub(super) events: Vec<anteroom_files::Event>,
    /// The channel has to end; the reason is for the person to read.
    pub(super) end: Option<String>,
    /// What this path is has to be asked and told by [`Transfer::tell`].
    pub(super) question: Option<Bytes>,
}

impl Transfer {
    pub(super) fn start(&self, request: &Request, granted: &Capabilities) -> Start {
        let (watcher, how) = match request {
            Request::Subsystem { name } if name == "sftp" => {
                if !granted.files(Direction::Download) && !granted.files(Direction::Upload) {
                    return Start::Refused("sftp is not allowed by your grant; ask for download or upload".to_owned());
                }
                (Watcher::Sftp(Sftp::new(granted)), "sftp")
            }
            Request::Exec { command } => match scp_command(command) {
                None => return Start::Other,
                Some(scp) => {
                    let way = if scp.upload { Direction::Upload } else { Direction::Download };
                    if !granted.files(way) {
                        return Start::Refused(format!("scp is not allowed by your grant; ask for {}", way.as_str()));
                    }
                    (Watcher::Scp(Scp::new(scp, granted)), "scp")
                }
            },
            _ => return Start::Other,
        };
        // A channel starts one thing.
        let _ = self.watcher.set(Mutex::new(watcher));
        Start::Files(how.to_owned())
    }

    /// The path that has to be told by [`tell`](Self::tell) before the transfer may start.
    pub(super) fn question(&self) -> Option<Bytes> {
        match &*self.watcher.get()?.lock().unwrap_or_else(PoisonError::into_inner) {
            Watcher::Sftp(_) => None,
            Watcher::Scp(s) => s.question().cloned(),
        }
    }

    /// What the path of the last question is. None if the channel moves no files.
    pub(super) fn tell(&self, real: Option<Real>) -> Option<Passed> {
        self.watch(|w, out| match w {
            Watcher::Sftp(_) => Ok(()),
            Watcher::Scp(s) => s.answer(real, out).map_err(|e| e.to_string()),
        })
    }

    /// Whether the client should wait until the target has answered more of what it asked.
    pub(super) fn full(&self) -> bool {
        self.watcher.get().is_some_and(|w| match &*w.lock().unwrap_or_else(PoisonError::into_inner) {
            Watcher::Sftp(s) => s.full(),
            Watcher::Scp(_) => false,
        })
    }

    /// None if the channel moves no files.
    pub(super) fn client(&self, data: &Bytes) -> Option<Passed> {
        self.watch(|w, out| match w {
            Watcher::Sftp(s) => s.client(data, out).map_err(|e| e.to_string()),
            Watcher::Scp(s) => s.client(data, out).map_err(|e| e.to_string()),
        })
    }

    pub(super) fn target(&self, data: &Bytes) -> Option<Passed> {
        self.watch(|w, out| match w {
            Watcher::Sftp(s) => s.target(data, out).map_err(|e| e.to_string()),
            Watcher::Scp(s) => s.target(data, out).map_err(|e| e.to_string()),
        })
    }

    /// What was still open is partial.
    pub(super) fn finish(&self) -> Vec<anteroom_files::Event> {
        let finished = self.watch(|w, out| {
            match w {
                Watcher::Sftp(s) => s.finish(out),
                Watcher::Scp(s) => s.finish(out),
            }
            Ok(())
        });
        finished.map(|p| p.events).unwrap_or_default()
    }

    fn watch(&self, f: impl FnOnce(&mut Watcher, &mut Out) -> Result<(), String>) -> Option<Passed> {
        let mut watcher = self.watcher.get()?.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = Out::default();
        let end = f(&mut watcher, &mut out).err();
        // Under the watcher's lock: the lanes keep its order.
        self.to_target.put(out.to_target);
        self.to_client.put(out.to_client);
        Some(Passed { events: out.events, end, question: out.question })
    }
}

/// Bytes on their way to one side, in order.
#[derive(Debug, Default)]
pub(super) struct Lane {
    queue: Mutex<VecDeque<Bytes>>,
    /// Bytes that are queued or being sent.
    held: AtomicUsize,
    more: Notify,
    less: Notify,
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Bytes>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, data: Vec<Bytes>) {
        if data.is_empty() {
            return;
        }
        self.held.fetch_add(data.iter().map(Bytes::len).sum(), Ordering::SeqCst);
        self.lock().extend(data);
        self.more.notify_one();
    }

    /// The next bytes to send; call [`sent`](Self::sent) after they are. One caller at a time.
    pub(super) async fn next(&self) -> Bytes {
        loop {
            if let Some(data) = self.lock().pop_front() {
                return data;
            }
            self.more.notified().await;
        }
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::SeqCst);
        self.less.notify_waiters();
    }

    /// Resolves when there is room for more.
    pub(super) async fn room(&self) {
        self.until(|held| held < FULL).await;
    }

    /// Resolves when all that was put in before is sent.
    pub(super) async fn drained(&self) {
        self.until(|held| held == 0).await;
    }

    async fn until(&self, enough: impl Fn(usize) -> bool) {
        loop {
            let less = self.less.notified();
            tokio::pin!(less);
            less.as_mut().enable();
            if enough(self.held.load(Ordering::SeqCst)) {
                return;
            }
            less.await;
        }
    }
}
