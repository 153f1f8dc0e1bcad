//! Requests that nobody answered in time.
use crate::{
    Approvals, Change, StoreError,
    audit::record,
    clock,
    notify::{self, Notice, To, What},
    store,
};
use anteroom_domain::{AuditEvent, RequestState, audit::RequestsEvent};

/// In one transaction.
const AT_ONCE: i64 = 100;

impl Approvals {
    /// They count for nothing from their moment on, whether this has run or not; here it is written down and told.
    pub(crate) async fn expire_requests(&self) -> Result<(), StoreError> {
        loop {
            let now = clock::now();
            let mut tx = self.begin().await?;
            let overdue = store::requests::overdue(&mut *tx, now, AT_ONCE).await?;
            if overdue.is_empty() {
                return Ok(());
            }
            for id in overdue {
                if !store::requests::answer(&mut *tx, id, RequestState::Expired).await? {
                    continue;
                }
                record::write(&mut tx, AuditEvent::Requests(RequestsEvent::Expired { request: id }), None, now).await?;
                store::tell(&mut *tx, Change::Request(id)).await?;
                let Some(r) = store::requests::by_id(&mut *tx, id).await? else { continue };
                let Some(requester) = store::people::by_id(&mut *tx, r.requester).await? else { continue };
                let targets = r.target_names();
                let what = What::RequestAnswered { request: id, requester: requester.handle, targets, state: RequestState::Expired };
                notify::enqueue(&mut tx, &Notice { to: vec![To::Person(r.requester)], what }, now).await?;
            }
            self.commit(tx).await?;
        }
    }
}
