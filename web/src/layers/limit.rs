//! A bound on what strangers may start: passkey ceremonies cost a database row each.
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(60);
/// A whole hospital may sit behind one address, so this is generous.
const PER_WINDOW: u32 = 300;
/// Addresses remembered at once; when full, the window starts anew for all.
const ADDRESSES: usize = 10_000;

/// Counts per address and minute, in memory of this process.
#[derive(Debug)]
pub(crate) struct Limiter {
    seen: Mutex<HashMap<IpAddr, (Instant, u32)>>,
    per_window: u32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { seen: Mutex::default(), per_window: PER_WINDOW }
    }
}

impl Limiter {
    /// For programs that ask once a second while they wait; so many from one address wait at once.
    pub(crate) fn of_polls() -> Self {
        Self { per_window: PER_WINDOW * 4, ..Self::default() }
    }

    /// Whether one more is fine for this address.
    pub(crate) fn allow(&self, source: IpAddr, now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ADDRESSES && !seen.contains_key(&source) {
            seen.retain(|_, (at, _)| now.duration_since(*at) < WINDOW);
            if seen.len() >= ADDRESSES {
                seen.clear();
            }
        }
        let (at, count) = seen.entry(source).or_insert((now, 0));
        if now.duration_since(*at) >= WINDOW {
            (*at, *count) = (now, 0);
        }
        *count += 1;
        *count <= self.per_window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_slowed_down_and_others_are_not() {
        let (limiter, now) = (Limiter::default(), Instant::now());
        let (a, b) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        assert!((0..PER_WINDOW).all(|_| limiter.allow(a, now)));
        assert!(!limiter.allow(a, now));
        assert!(limiter.allow(b, now));
        assert!(limiter.allow(a, now + WINDOW));
    }
}
