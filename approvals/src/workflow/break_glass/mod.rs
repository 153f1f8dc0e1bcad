//! Access in an emergency: the person's own passkey instead of an approver's, everybody is told, and somebody else looks at it afterwards.
mod after;
mod open;
mod review;

use crate::{Approvals, Listing, Page, SignError, StoreError, store};
use anteroom_domain::{AccountName, BreakGlass, Capabilities, Reason, RequestId, TargetName};
use anteroom_policy::{aftermath::NoReview, break_glass::NoGlass};
use serde::{Deserialize, Serialize};

/// What somebody asks for in an emergency. It begins at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassForm {
    pub target: TargetName,
    pub account: AccountName,
    pub reason: Reason,
    pub length: time::Duration,
    pub capabilities: Capabilities,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreakGlassError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error("you may not do this")]
    NotAllowed,
    #[error("there is no such target, or no such account on it")]
    NoSuchTarget,
    #[error("{target} does not know {capability}")]
    Misfit { target: String, capability: String },
    #[error(transparent)]
    Refused(#[from] NoGlass),
    #[error("your address changed since you began; begin again")]
    Moved,
    #[error("what you signed is not what it says now; begin again")]
    Changed,
    #[error("there is no such emergency access")]
    NoSuch,
    #[error(transparent)]
    Review(#[from] NoReview),
}

impl From<StoreError> for BreakGlassError {
    fn from(e: StoreError) -> Self {
        Self::Sign(e.into())
    }
}

impl Approvals {
    pub async fn break_glass(&self, request: RequestId) -> Result<Option<BreakGlass>, StoreError> {
        store::break_glass::by_id(&self.inner.pool, request).await
    }

    /// What waits for a look first, then the newest.
    pub async fn broken_glass(&self, open_only: bool, page: Page) -> Result<Listing<BreakGlass>, StoreError> {
        store::break_glass::list(&self.inner.pool, open_only, page).await
    }
}
