//! How far a request has come: what its page shows.
use super::review;
use crate::{ApprovalView, Approvals, Progress, StoreError, store};
use anteroom_domain::{RequestId, RequestState};
use anteroom_policy::{Needed, Tally, Voice};

impl Approvals {
    /// None if there is no such request.
    pub async fn progress(&self, request: RequestId) -> Result<Option<Progress>, StoreError> {
        let db = &self.inner.pool;
        let Some(r) = store::requests::by_id(db, request).await? else { return Ok(None) };
        let requester = store::people::by_id(db, r.requester).await?.ok_or(StoreError::Damaged("access_request"))?;
        let needed = Needed::new(&r.obligations, r.requester);
        let rows = store::approvals::of(db, request).await?;
        let target = store::targets::by_id(db, r.target).await?.ok_or(StoreError::Damaged("access_request"))?;
        let subject = review::subject(&r, &requester, &target)?;
        let (mut given, mut voices): (Vec<ApprovalView>, Vec<Voice>) = Default::default();
        for g in rows {
            const WHERE: StoreError = StoreError::Damaged("approval");
            let counts = review::counts(&g, &subject);
            let approver = store::people::by_id(db, g.voice.approver).await?.ok_or(WHERE)?;
            let stands_for = match g.voice.stands_for {
                Some(id) => store::people::by_id(db, id).await?,
                None => None,
            };
            given.push(ApprovalView { approver, stands_for, verdict: g.voice.verdict, comment: g.comment, at: g.at, counts });
            if counts {
                voices.push(g.voice);
            }
        }
        let missing = match needed.tally(&voices) {
            Tally::Waiting(missing) if r.state == RequestState::Pending => missing,
            _ => Vec::new(),
        };
        Ok(Some(Progress {
            needed: needed.quorums().to_vec(),
            ordered: needed.is_ordered(),
            missing,
            given,
            comments: store::comments::of(db, request).await?,
            grants: store::grants::of_request(db, request).await?,
        }))
    }
}
