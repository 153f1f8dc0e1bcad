//! What reaches the sessions of this gateway by way of the database: from the command line, or from another gateway's portal.
//! Supervisors' messages, and orders to stand still. (Orders that end a session reach its guard.)
use super::Registry;
use anteroom_approvals::{Approvals, Change, StoreError};
use anteroom_domain::{Hold, MessageId, PersonId, SessionControl as _, SessionId};
use std::time::Duration;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// How long the database has to hear of a stop.
const ANSWER: Duration = Duration::from_secs(5);

/// Carries them out until `stop`. A message that was missed stays unanswered, and whoever wrote it is told so; whether a session stands
/// still is looked up again.
pub async fn orders(approvals: Approvals, registry: Registry, mut changes: Receiver<Change>, stop: CancellationToken) {
    loop {
        let change = tokio::select! {
            () = stop.cancelled() => return,
            change = changes.recv() => change,
        };
        match change {
            Ok(Change::Message { session, message }) if registry.runs(session) => {
                if let Err(e) = show(&approvals, &registry, session, message).await {
                    tracing::warn!(%session, error = %e, "a message could not be taken from the database");
                }
            }
            Ok(Change::Pause { session, by }) => _ = registry.pause(session, by),
            Ok(Change::Resume { session, by }) => _ = registry.resume(session, by),
            Ok(Change::Resync) | Err(RecvError::Lagged(_)) => {
                if let Err(e) = look_again(&approvals, &registry).await {
                    tracing::warn!(error = %e, "which sessions are paused could not be looked up");
                }
            }
            Ok(_) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// A rule made it stand still: written down, so that the portal offers to resume it from whichever gateway.
pub async fn stopped(approvals: &Approvals, session: SessionId) {
    if !matches!(timeout(ANSWER, approvals.stopped_by_rule(session)).await, Ok(Ok(()))) {
        tracing::warn!(%session, "that a rule stopped a session could not be kept; it will be when the database is back");
    }
}

async fn show(approvals: &Approvals, registry: &Registry, session: SessionId, id: MessageId) -> Result<(), StoreError> {
    let Some(taken) = approvals.take_message(id).await? else { return Ok(()) };
    let shown = registry.message(session, &taken.from, &taken.text);
    approvals.message_answered(id, session, taken.by, shown).await
}

async fn look_again(approvals: &Approvals, registry: &Registry) -> Result<(), StoreError> {
    let here = registry.ids();
    if here.is_empty() {
        return Ok(());
    }
    // What a rule stopped while the database was away.
    for live in registry.list().into_iter().filter(|l| l.holds.limit) {
        approvals.stopped_by_rule(live.id).await?;
    }
    for (session, pausing) in approvals.pausing(&here).await? {
        match pausing.ordered_by {
            Some(by) => registry.hold(session, Hold::Order { by }),
            None => registry.release(session, Hold::Order { by: PersonId(uuid::Uuid::nil()) }),
        };
    }
    Ok(())
}
