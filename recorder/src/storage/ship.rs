//! The one task that ships closed recordings to the archive and removes what was shipped. Dying anywhere loses nothing: each step looks at
//! what is there before it does anything, and the local file goes last.
use super::{
    Inner,
    archive::Archive,
    error::{ArchiveError, Size},
    place::{self, Place},
};
use crate::store;
use anteroom_domain::SessionId;
use futures_util::{StreamExt as _, stream};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::sleep,
};

/// Recordings on their way at the same time.
const AT_ONCE: usize = 2;
/// And in one round; then it looks again what there is to do and to say.
const ROUND: usize = 64;
/// How often it looks for work.
const LOOK: Duration = Duration::from_millis(500);
/// First and longest pause after the archive was away.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// A recording that cannot be shipped as it is, is tried again after that.
const TRY_AGAIN: Duration = Duration::from_secs(600);
/// How long stopping waits for a piece that is on its way.
const STOP: Duration = Duration::from_secs(5);

/// The running task; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Shipping {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Shipping {
    pub(crate) fn start(storage: Arc<Inner>, archive: Arc<Archive>) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let task = archive.handle()?.clone().spawn(run(storage, archive, stopped));
        Ok(Self { stop, task })
    }

    pub(crate) async fn stop(mut self) {
        let _ = self.stop.send(true);
        if tokio::time::timeout(STOP, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// What became of a recording.
enum Outcome {
    Done,
    Away(String),
    /// Something is wrong with it, or with what the archive has of it: it stays here.
    Held(String),
}

async fn run(storage: Arc<Inner>, archive: Arc<Archive>, mut stopped: watch::Receiver<bool>) {
    let found = {
        let storage = storage.clone();
        spawn_blocking(move || store::all(&storage.root).into_iter().for_each(|(id, folder)| storage.spool.find(id, &folder)))
    };
    let _ = found.await;
    let (mut pause, mut refusing) = (PAUSES.0, false);
    loop {
        let away = tokio::select! {
            away = round(&storage, &archive) => away,
            _ = stopped.changed() => return,
        };
        let wait = match &away {
            None => {
                pause = PAUSES.0;
                LOOK
            }
            Some(_) => {
                let now = pause;
                pause = (pause * 2).min(PAUSES.1);
                now
            }
        };
        tell(&storage, away, &mut refusing);
        tokio::select! {
            () = sleep(wait) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// Says in the log what changed.
fn tell(storage: &Inner, away: Option<String>, refusing: &mut bool) {
    let before = storage.spool.status();
    match (&before.away, &away) {
        (None, Some(why)) => tracing::warn!(why, waiting = %Size(before.waiting_bytes), "the archive is away; recordings wait for it here"),
        (Some(_), None) => tracing::info!(waiting = %Size(before.waiting_bytes), "the archive is back"),
        _ => {}
    }
    storage.spool.set_away(away);
    let refusal = storage.spool.refusal();
    match (&refusal, *refusing) {
        (Some(why), false) => tracing::error!(%why, "new sessions are refused"),
        (None, true) => tracing::info!("new sessions are accepted again"),
        _ => {}
    }
    *refusing = refusal.is_some();
}

/// Ships what is ready and removes what was shipped. Why the archive is away, if it is.
async fn round(storage: &Arc<Inner>, archive: &Arc<Archive>) -> Option<String> {
    let shipping = storage.clone();
    let ready = spawn_blocking(move || shipping.spool.ready()).await.unwrap_or_default();
    let mut outcomes = stream::iter(ready.into_iter().take(ROUND))
        .map(|(session, folder)| async move { (session, ship(storage, archive, session, folder).await) })
        .buffer_unordered(AT_ONCE);
    while let Some((session, outcome)) = outcomes.next().await {
        match outcome {
            Outcome::Done => storage.spool.shipped(session),
            Outcome::Away(why) => return Some(why),
            Outcome::Held(why) => {
                tracing::error!(%session, why, "a recording is not shipped; it stays here");
                storage.spool.later(session, TRY_AGAIN);
            }
        }
    }
    drop(outcomes);
    for (session, folder) in storage.spool.kept() {
        match clear(storage, archive, &folder).await {
            Ok(None) => storage.spool.not_kept(session),
            Ok(Some(longer)) => storage.spool.keep(session, longer),
            Err(Outcome::Away(why)) => return Some(why),
            Err(Outcome::Held(why)) => {
                tracing::error!(%session, why, "what was shipped stays here too");
                storage.spool.keep(session, TRY_AGAIN);
            }
            Err(Outcome::Done) => {}
        }
    }
    None
}

async fn ship(storage: &Inner, archive: &Arc<Archive>, session: SessionId, folder: PathBuf) -> Outcome {
    let places = match places(&folder).await {
        Ok(places) => places,
        Err(e) => return Outcome::Held(e.to_string()),
    };
    for place in places {
        match ship_one(archive, place).await {
            Ok(()) => storage.spool.progressed(session),
            Err(outcome) => return outcome,
        }
    }
    Outcome::Done
}

async fn ship_one(archive: &Arc<Archive>, place: Place) -> Result<(), Outcome> {
    let local = place.clone();
    let checked = on_disk(move || if local.is_shipped() { Ok(None) } else { local.check(File::open(local.path())?).map(Some) }).await;
    let whole = match checked {
        Ok(None) => return Ok(()),
        Ok(Some(Ok(whole))) => whole,
        Ok(Some(Err(why))) => return Err(Outcome::Held(format!("{} is not what was recorded: {why}", place.name))),
        Err(e) => return Err(Outcome::Held(format!("{}: {e}", place.name))),
    };
    archive.put(&place, &whole).await.map_err(|e| match e {
        ArchiveError::Away(why) => Outcome::Away(why),
        e => Outcome::Held(e.to_string()),
    })?;
    on_disk(move || place.mark_shipped(&whole)).await.map_err(|e| Outcome::Held(e.to_string()))
}

/// Removes local files that were shipped long enough ago, or now if the disk has little room. How much longer others are kept.
async fn clear(storage: &Arc<Inner>, archive: &Arc<Archive>, folder: &Path) -> Result<Option<Duration>, Outcome> {
    let held = |e: io::Error| Outcome::Held(e.to_string());
    let mut longer = None;
    for place in places(folder).await.map_err(held)? {
        let (local, keep, spool) = (place.clone(), storage.keep, storage.clone());
        let state = on_disk(move || {
            if !local.path().exists() || !local.is_shipped() {
                return Ok(None);
            }
            // A clock that was set back lets it stay the whole time again.
            let left = keep.saturating_sub(local.shipped_ago().unwrap_or_default());
            Ok(Some(if spool.spool.disk_is_low() { Duration::ZERO } else { left }))
        });
        match state.await.map_err(held)? {
            None => continue,
            Some(Duration::ZERO) => {}
            Some(left) => {
                longer = longer.max(Some(left));
                continue;
            }
        }
        let there = archive.size(&place).await;
        on_disk(move || match there {
            Ok(size) if size == place.wanted().bytes => {
                std::fs::remove_file(place.path())?;
                store::sync_dir(&place.folder).map(Ok)
            }
            // It had it and lost it: the local file is the only one again.
            Ok(_) | Err(ArchiveError::Missing(_) | ArchiveError::OtherBytes { .. }) => {
                tracing::error!(file = place.name, "the archive lost what was shipped; it is shipped again");
                place.unmark().map(Ok)
            }
            Err(ArchiveError::Away(why)) => Ok(Err(Outcome::Away(why))),
        })
        .await
        .map_err(held)??;
    }
    Ok(longer)
}

async fn places(folder: &Path) -> io::Result<Vec<Place>> {
    let folder = folder.to_owned();
    on_disk(move || place::places(&folder)).await
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(|_| io::Error::other("a shipping thread died"))?
}
