//! Background work: hearing of changes, the audit tree, the spool, and sweeping what has expired.
use crate::{Approvals, Change, StoreError, change::CHANNEL, clock, store};
use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often waiting entries get their place in the tree, and a checkpoint.
const SEQUENCE_EVERY: Duration = Duration::from_secs(2);
/// How often the spool is tried.
const MERGE_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long an answered or forgotten wish for a certificate is still shown as such.
const KEEP_ASKS: time::Duration = time::Duration::hours(1);
/// A message that nobody took belongs to a program that died: whoever writes one waits for seconds.
const KEEP_MESSAGES: time::Duration = time::Duration::minutes(1);
/// How long a ticket that opens nothing any more is still answered with the reason.
const KEEP_TICKETS: time::Duration = time::Duration::hours(1);
/// Between attempts to listen again.
const RETRY: Duration = Duration::from_secs(1);
/// For the last merge and checkpoint when stopping.
const DRAIN: Duration = Duration::from_secs(10);

impl Approvals {
    /// Does the background work until `stop`; then merges and signs what is left and returns. Run it once a process.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::join!(
            Box::pin(self.listen(&stop)),
            Box::pin(self.keep_log(&stop)),
            Box::pin(self.sweep(&stop)),
            Box::pin(self.keep_known(&stop)),
            self.keep_local_locks(&stop)
        );
        let drained = timeout(DRAIN, async {
            Box::pin(self.merge_spool()).await?;
            while self.sequence().await? > 0 {}
            Ok::<_, StoreError>(())
        });
        if !matches!(drained.await, Ok(Ok(()))) {
            tracing::warn!("stopped with audit work left; the next start does it");
        }
    }

    async fn listen(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => return,
                ended = self.listen_once() => {
                    if let Err(e) = ended {
                        tracing::warn!(error = %e, "not listening for changes at the moment");
                    }
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(RETRY) => {}
            }
        }
    }

    /// Listens until the connection breaks. Begins with a resync: what was said before was not heard.
    async fn listen_once(&self) -> Result<(), StoreError> {
        let mut listener = PgListener::connect_with(&self.inner.pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        self.check_late().await?;
        self.reload_policy().await?;
        self.tell(Change::Resync);
        while let Some(n) = listener.try_recv().await? {
            // A newer program may say what this one does not know; looking again is always right.
            let change = Change::read(n.payload()).unwrap_or(Change::Resync);
            // Read before anybody is told: whoever judges again judges by it.
            if matches!(change, Change::Policy | Change::Resync) {
                self.reload_policy().await?;
            }
            self.tell(change);
        }
        Ok(())
    }

    async fn keep_log(&self, stop: &CancellationToken) {
        let (mut merge, mut sequence) = (interval(MERGE_EVERY), interval(SEQUENCE_EVERY));
        merge.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sequence.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                () = stop.cancelled() => return,
                _ = merge.tick() => self.merge_spool().await,
                _ = sequence.tick() => self.sequence().await.map(|_| ()),
            };
            if let Err(e) = done {
                tracing::debug!(error = %e, "audit work has to wait");
            }
        }
    }

    async fn sweep(&self, stop: &CancellationToken) {
        let mut tick = interval(SWEEP_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            if let Err(e) = self.sweep_once().await {
                tracing::debug!(error = %e, "sweeping has to wait");
            }
        }
    }

    /// What the background work does once a minute, now.
    pub async fn sweep_now(&self) -> Result<(), StoreError> {
        self.sweep_once().await
    }

    async fn sweep_once(&self) -> Result<(), StoreError> {
        let now = clock::now();
        store::ceremonies::sweep(&self.inner.pool, now).await?;
        store::web_sessions::sweep(&self.inner.pool, now, self.seen_after(now)).await?;
        store::people::sweep_links(&self.inner.pool, now).await?;
        store::certificates::sweep(&self.inner.pool, now - KEEP_ASKS).await?;
        store::messages::sweep(&self.inner.pool, now - KEEP_MESSAGES).await?;
        store::tickets::sweep(&self.inner.pool, now - KEEP_TICKETS).await?;
        Box::pin(self.expire_requests()).await?;
        Box::pin(self.remind_of_reviews()).await?;
        Box::pin(self.retire_replaced()).await
    }
}
