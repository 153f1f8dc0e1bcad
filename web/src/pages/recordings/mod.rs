//! Finding recordings, searching what they show, and watching them, masked.
pub(in crate::pages) mod admit;
pub(crate) mod cast;
pub(crate) mod film;
pub(crate) mod film_live;
pub(crate) mod keeping;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod parts;
pub(crate) mod search;
pub(crate) mod show;
pub(crate) mod timeline;
pub(crate) mod watching;

use anteroom_domain::{PersonId, SessionId, SessionRecord};
use anteroom_policy::Action;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Requests of one person for one recording within this time are one viewing.
const ONE_VIEWING: Duration = Duration::from_secs(15 * 60);
/// Viewings remembered; when more, the oldest are audited again, which is the safe side.
const REMEMBERED: usize = 10_000;

/// Who watched what lately, so that the audit log has one line a viewing and not one a request.
#[derive(Debug, Default)]
pub(crate) struct Viewings(Mutex<HashMap<(PersonId, SessionId), Instant>>);

impl Viewings {
    /// Whether this begins a viewing.
    fn begins(&self, who: PersonId, what: SessionId, now: Instant) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.retain(|_, at| now.duration_since(*at) < ONE_VIEWING);
            if seen.len() >= REMEMBERED {
                seen.clear();
            }
        }
        let known = seen.get(&(who, what)).is_some_and(|at| now.duration_since(*at) < ONE_VIEWING);
        if !known {
            seen.insert((who, what), now);
        }
        !known
    }
}

/// For pages that show something of a running session.
pub(crate) async fn read<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, anteroom_recorder::ReplayError> + Send + 'static,
) -> Result<T, anteroom_recorder::ReplayError> {
    admit::reading(work).await
}

/// What it takes to watch this one: more when masking is known to be incomplete.
fn needed(session: &SessionRecord) -> Action {
    if session.mask_incomplete { Action::ReplayIncomplete } else { Action::ReplayMasked }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_viewing_is_one_line_in_the_audit_log() {
        let (v, now) = (Viewings::default(), Instant::now());
        let (p, s) = (PersonId(Default::default()), SessionId(Default::default()));
        assert!(v.begins(p, s, now));
        assert!(!v.begins(p, s, now + Duration::from_secs(60)));
        assert!(v.begins(p, s, now + ONE_VIEWING));
    }
}
