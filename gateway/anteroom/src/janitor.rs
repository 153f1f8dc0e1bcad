//! Carries out what was decided about recordings that lie here: keys that are to be destroyed go, also those whose deciding process
//! died before; and when recordings have an end, each of them is decided here, one at a time.
use anteroom_approvals::{Approvals, KeepError};
use anteroom_domain::{Moment, SessionId};
use anteroom_recorder::shred::{self, ShredError};
use anyhow::{Context as _, Result};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(600);
/// Rows read at once.
const PAGE: i64 = 200;
/// Recordings whose time ends in one round: a wrong clock or a wrong number of days is noticed before everything is gone.
const MOST_A_ROUND: usize = 100;

pub(crate) struct Janitor {
    pub(crate) approvals: Approvals,
    pub(crate) recordings: PathBuf,
    /// How long recordings are kept after their session; none: for ever.
    pub(crate) keep: Option<time::Duration>,
}

impl Janitor {
    /// Never returns before `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(e) = self.finish(&stop).await {
                tracing::warn!(error = format!("{e:#}"), "keys that are to be destroyed are still there");
            }
            if let Some(keep) = self.keep
                && let Err(e) = self.end(keep, &stop).await
            {
                tracing::warn!(error = format!("{e:#}"), "recordings whose time is over are still there");
            }
        }
    }

    /// What was decided, by whomever, and lies here.
    async fn finish(&self, stop: &CancellationToken) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.approvals.shreddings_to_do(after, PAGE).await?;
            for (_, session) in &page {
                if stop.is_cancelled() {
                    return Ok(());
                }
                match carry_out(&self.approvals, &self.recordings, *session).await {
                    Ok(()) => tracing::info!(%session, "the keys of a recording are destroyed, as decided"),
                    // Another gateway's.
                    Err(e) if matches!(e.downcast_ref(), Some(ShredError::NotFound(_))) => {}
                    Err(e) => tracing::warn!(%session, error = format!("{e:#}"), "the keys of a recording could not be destroyed yet"),
                }
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => after = Some(*last),
                _ => return Ok(()),
            }
        }
    }

    async fn end(&self, keep: time::Duration, stop: &CancellationToken) -> Result<()> {
        let (mut after, mut ended): (Option<(Moment, SessionId)>, usize) = (None, 0);
        loop {
            let Some(page) = self.approvals.expired(keep, after, PAGE).await? else {
                anyhow::bail!("this machine's clock and the database's differ by more than ten minutes");
            };
            for (_, session) in &page {
                if stop.is_cancelled() || ended >= MOST_A_ROUND {
                    return Ok(());
                }
                match self.end_one(*session, keep).await {
                    Ok(true) => ended += 1,
                    Ok(false) => {}
                    Err(e) => tracing::warn!(%session, error = format!("{e:#}"), "a recording whose time is over stays for now"),
                }
            }
            match page.last() {
                Some(last) if page.len() >= PAGE as usize => after = Some(*last),
                _ => return Ok(()),
            }
        }
    }

    /// False: it is not here, or it stays for a good reason.
    async fn end_one(&self, session: SessionId, keep: time::Duration) -> Result<bool> {
        let root = self.recordings.clone();
        let found = match tokio::task::spawn_blocking(move || shred::envelopes(&root, session)).await.context(GONE)? {
            Err(ShredError::NotFound(_)) => return Ok(false),
            found => found?,
        };
        match self.approvals.shred_expired(session, keep, found).await {
            Ok(Some(_)) => {}
            Ok(None) | Err(KeepError::Held { .. } | KeepError::BeingUnmasked { .. } | KeepError::NotSealed) => return Ok(false),
            Err(e) => return Err(e.into()),
        }
        carry_out(&self.approvals, &self.recordings, session).await?;
        tracing::info!(%session, days = keep.whole_days(), "the time of a recording is over: its keys are destroyed");
        Ok(true)
    }
}

const GONE: &str = "the thread that works on the disk is gone";

/// Removes the keys of a recording whose shredding is decided and committed, and says so.
pub(crate) async fn carry_out(approvals: &Approvals, recordings: &Path, session: SessionId) -> Result<()> {
    anyhow::ensure!(approvals.keeping(session).await?.shredding.is_some(), "nobody decided to destroy the keys of session {session}");
    let root = recordings.to_owned();
    tokio::task::spawn_blocking(move || shred::destroy(&root, session)).await.context(GONE)??;
    Ok(approvals.shredding_done(session).await?)
}
