//! What follows an emergency: somebody else looks at it, in time, and at all of it.
use crate::{Action, may};
use anteroom_domain::{BreakGlass, Moment, Person};
use time::Duration;

/// So long after its end somebody should have looked; whoever may is reminded then, and again after as long.
pub const WITHIN: Duration = Duration::DAY;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoReview {
    #[error("you may not do this")]
    NotAllowed,
    #[error("this is your own; somebody else has to look at it")]
    Own,
    #[error("somebody has reviewed this already")]
    Reviewed,
    #[error("it still counts: revoke it or wait until it has ended, then review it")]
    Live,
}

/// Whether this person may close it now. Asked when they begin and again, with the rows held, when they sign.
pub fn review(reviewer: &Person, glass: &BreakGlass, now: Moment) -> Result<(), NoReview> {
    if !may(reviewer, Action::ReviewBreakGlass) {
        return Err(NoReview::NotAllowed);
    }
    if glass.person == reviewer.id {
        return Err(NoReview::Own);
    }
    if glass.review.is_some() {
        return Err(NoReview::Reviewed);
    }
    // What is looked at must not grow afterwards.
    if glass.is_live(now) { Err(NoReview::Live) } else { Ok(()) }
}

/// A session under it became known: one that a gateway let in while it could not tell anybody. What was signed did not name it, so
/// somebody has to look again.
#[must_use]
pub fn reopens(glass: &BreakGlass) -> bool {
    glass.review.is_some()
}

/// Whether whoever may review has to be told that nobody has. `told`: when they were last.
#[must_use]
pub fn is_overdue(glass: &BreakGlass, told: Option<Moment>, now: Moment) -> bool {
    let ended = glass.revoked_at.map_or(glass.until, |at| at.min(glass.until));
    glass.review.is_none() && !glass.is_live(now) && now >= told.map_or(ended, |t| t.max(ended)).saturating_add(WITHIN)
}
