//! Grants: looking at them, and taking one back.
use crate::{Approvals, Change, GrantFilter, Listing, ManageError, Page, StoreError, audit::record, clock, store};
use anteroom_domain::{AuditEvent, Grant, GrantId, GrantState, Moment, PersonId};
use anteroom_policy::Action;

impl Approvals {
    pub async fn grant(&self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        store::grants::by_id(&self.inner.pool, id).await
    }

    /// The one that ends last first; searched by person, target and account.
    pub async fn grants(&self, filter: GrantFilter, page: Page) -> Result<Listing<Grant>, StoreError> {
        store::grants::list(&self.inner.pool, &filter, clock::now(), page).await
    }

    /// Ends the grant and, by the notice that goes out with it, every session under it. Its holder may give it back;
    /// otherwise it takes the right to revoke. Revoking again changes nothing.
    pub async fn revoke_grant(&self, actor: Option<PersonId>, grant: GrantId) -> Result<(), ManageError> {
        let held = self.grant(grant).await?;
        if held.as_ref().is_none_or(|g| Some(g.person) != actor) {
            self.check_actor(actor, Action::RevokeGrant).await?;
        }
        let held = held.ok_or(ManageError::NoSuch("grant"))?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        if store::grants::revoke(&mut *tx, grant, actor, now).await? {
            // Without an actor it was the operator at the command line; the line's actor stays empty and says so.
            let event = AuditEvent::GrantRevoked { grant, by: actor.unwrap_or(PersonId(uuid::Uuid::nil())) };
            record::write(&mut tx, event, actor, now).await?;
            store::tell(&mut *tx, Change::GrantRevoked(grant)).await?;
            store::tell(&mut *tx, Change::Request(held.request)).await?;
        }
        self.commit(tx).await?;
        Ok(())
    }

    /// What this person can connect to at this moment, by target and account.
    pub async fn reachable(&self, person: PersonId, now: Moment) -> Result<Vec<Grant>, StoreError> {
        let fresh = store::people::by_id(&self.inner.pool, person).await?;
        if fresh.is_none_or(|p| p.is_suspended()) {
            return Ok(Vec::new());
        }
        let mut grants = store::grants::unended(&self.inner.pool, person, None, now).await?;
        grants.retain(|g| g.state(now) == GrantState::Live);
        Ok(grants)
    }
}
