//! How often one person may ask. In memory, before anything else is asked: a flood costs one look at a clock each, and no connection to
//! the database. Every gateway counts for itself; what they let through together is counted in the database.
use anteroom_domain::PersonId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Requests of one person in a minute.
pub(crate) const A_MINUTE: u32 = 30;
const MINUTE: Duration = Duration::from_secs(60);
/// People remembered at once; beyond that those whose minute is over are forgotten.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<PersonId, (Instant, u32)>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    Yes,
    /// The first refusal of this minute: it is worth a line in the log.
    FirstNo,
    No,
}

impl Throttle {
    pub(crate) fn pass(&self, who: PersonId, now: Instant) -> Pass {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, (since, _)| now.duration_since(*since) < MINUTE);
        }
        let (since, n) = all.entry(who).or_insert((now, 0));
        if now.duration_since(*since) >= MINUTE {
            (*since, *n) = (now, 0);
        }
        *n = n.saturating_add(1);
        match *n {
            n if n <= A_MINUTE => Pass::Yes,
            n if n == A_MINUTE + 1 => Pass::FirstNo,
            _ => Pass::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_minute_holds_so_many_and_others_are_not_counted_with_them() {
        let (t, then) = (Throttle::default(), Instant::now());
        let (ada, bob) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
        for _ in 0..A_MINUTE {
            assert_eq!(t.pass(ada, then), Pass::Yes);
        }
        assert_eq!((t.pass(ada, then), t.pass(ada, then)), (Pass::FirstNo, Pass::No));
        assert_eq!(t.pass(bob, then), Pass::Yes);
        assert_eq!(t.pass(ada, then + MINUTE), Pass::Yes);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (t, then) = (Throttle::default(), Instant::now());
        for n in 0..2 * MOST as u128 {
            let _ = t.pass(PersonId(Uuid::from_u128(n)), then + Duration::from_millis(n as u64 * 10));
        }
        assert!(t.0.lock().is_ok_and(|m| m.len() <= MOST + 1));
    }
}
