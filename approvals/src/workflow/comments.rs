//! What people write below a request. Not signed; shown to whoever sees the request.
use crate::{
    Approvals, Change, RequestError,
    audit::record,
    clock::{self, hex},
    notify::{self, Notice, To, What},
    store,
};
use anteroom_domain::{AuditEvent, Comment, Person, RequestId, audit::RequestsEvent};
use anteroom_policy::{Action, may};
use sha2::{Digest, Sha256};

/// Of one request.
const MAX_COMMENTS: i64 = 50;

impl Approvals {
    /// By whoever asked, and by approvers.
    pub async fn comment_request(&self, person: &Person, request: RequestId, text: Comment) -> Result<(), RequestError> {
        let now = clock::now();
        let mut tx = self.begin().await?;
        let person = store::people::held(&mut *tx, person.id).await?.ok_or(RequestError::NotAllowed)?;
        let (r, _) = store::requests::held(&mut tx, request).await?.ok_or(RequestError::NoSuchRequest)?;
        let own = r.requester == person.id && may(&person, Action::RequestAccess);
        if !own && !may(&person, Action::ReviewRequests) {
            return Err(RequestError::NoSuchRequest);
        }
        if store::comments::count(&mut *tx, request).await? >= MAX_COMMENTS {
            return Err(RequestError::TooManyComments { max: MAX_COMMENTS });
        }
        store::comments::insert(&mut *tx, clock::new_id(), request, person.id, &text, now).await?;
        let event = RequestsEvent::Commented { request, person: person.id, comment_sha256: hex(&Sha256::digest(text.as_str())) };
        record::write(&mut tx, AuditEvent::Requests(event), Some(person.id), now).await?;
        if !own {
            let what = What::RequestCommented { request, by: person.handle, targets: r.target_names() };
            notify::enqueue(&mut tx, &Notice { to: vec![To::Person(r.requester)], what }, now).await?;
        }
        store::tell(&mut *tx, Change::Request(request)).await?;
        Ok(self.commit(tx).await?)
    }
}
