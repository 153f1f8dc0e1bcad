//! Reads closed recordings, masked, into the search index. Here and not in a gateway: this process has the masked track's key.
use anteroom_approvals::{Approvals, Change, IndexLine, Indexed, StoreError};
use anteroom_domain::SessionId;
use anteroom_recorder::{ReplayError, Replayer, Survey};
use std::{
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

/// Of how lines are made of recordings: a higher one makes every recording be read again.
pub(crate) const VERSION: i32 = 1;
/// What nobody told us of is looked for this often, so many at once.
const LOOK_EVERY: Duration = Duration::from_secs(300);
const AT_ONCE: i64 = 100;

/// One recording after the other, each soon after it is closed; those that were closed meanwhile, too.
pub(crate) async fn run(approvals: Approvals, replayer: Replayer, stop: CancellationToken) {
    let mut changes = approvals.changes();
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => return,
            change = changes.recv() => match change {
                Ok(Change::Session(id)) => Some(id),
                Ok(Change::Resync) | Err(RecvError::Lagged(_)) => None,
                Ok(_) => continue,
                Err(RecvError::Closed) => return,
            },
            _ = look.tick() => None,
        };
        let done = match next {
            Some(id) => index(&approvals, &replayer, id, &stop).await,
            None => catch_up(&approvals, &replayer, &stop).await,
        };
        if let Err(e) = done {
            tracing::debug!(error = %e, "indexing recordings has to wait");
        }
    }
}

async fn catch_up(approvals: &Approvals, replayer: &Replayer, stop: &CancellationToken) -> Result<(), StoreError> {
    loop {
        let waiting = approvals.unindexed(VERSION, AT_ONCE).await?;
        let all = waiting.len();
        for session in waiting {
            if stop.is_cancelled() {
                return Ok(());
            }
            index(approvals, replayer, session, stop).await?;
        }
        if i64::try_from(all).is_ok_and(|all| all < AT_ONCE) {
            return Ok(());
        }
    }
}

async fn index(approvals: &Approvals, replayer: &Replayer, session: SessionId, stop: &CancellationToken) -> Result<(), StoreError> {
    if !approvals.begin_index(session, VERSION).await? {
        return Ok(());
    }
    match survey(replayer, session, stop).await {
        Ok(Some(Survey { lines, cut, timeline })) => {
            let lines: Vec<_> =
                lines.into_iter().map(|l| IndexLine { channel: l.channel, at_us: l.at_us, kind: l.kind, text: l.text }).collect();
            // Numbers and texts always have a JSON form.
            let timeline = serde_json::to_value(&timeline).unwrap_or_default();
            approvals.finish_index(session, &lines, &Indexed { timeline, cut }).await?;
            tracing::debug!(%session, lines = lines.len(), cut, "a recording can be searched");
        }
        Ok(None) => approvals.index_failed(session).await?,
        Err(ReplayError::Shredded) => approvals.forget_index(session).await?,
        Err(e) => {
            let (damaged, gone) = (matches!(e, ReplayError::Damaged(_)), matches!(e, ReplayError::NotFound(_)));
            tracing::warn!(%session, damaged, gone, "a recording could not be read for searching; it is tried again later");
            approvals.index_failed(session).await?;
        }
    }
    Ok(())
}

/// None if it was stopped. Half of one core at most: sessions run beside it.
pub(crate) async fn survey(replayer: &Replayer, session: SessionId, stop: &CancellationToken) -> Result<Option<Survey>, ReplayError> {
    let (replayer, stop) = (replayer.clone(), stop.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut since = Instant::now();
        replayer.survey(session, &mut || {
            if stop.is_cancelled() {
                return ControlFlow::Break(());
            }
            thread::sleep(since.elapsed().min(Duration::from_secs(1)));
            since = Instant::now();
            ControlFlow::Continue(())
        })
    });
    reading.await.map_err(|_| ReplayError::Io(std::io::Error::other("the reading thread is gone")))?
}
