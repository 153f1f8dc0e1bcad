//! Messages of supervisors that come by way of the database: from the command line, or from another gateway's portal.
use super::Registry;
use anteroom_approvals::{Approvals, Change, StoreError};
use anteroom_domain::{MessageId, SessionControl as _, SessionId};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Shows them in the sessions that run here, until `stop`. One that was missed stays unanswered, and whoever wrote it is told so.
pub async fn messages(approvals: Approvals, registry: Registry, mut changes: Receiver<Change>, stop: CancellationToken) {
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
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

async fn show(approvals: &Approvals, registry: &Registry, session: SessionId, id: MessageId) -> Result<(), StoreError> {
    let Some(taken) = approvals.take_message(id).await? else { return Ok(()) };
    let shown = registry.message(session, &taken.from, &taken.text);
    approvals.message_answered(id, session, taken.by, shown).await
}
