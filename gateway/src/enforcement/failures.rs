//! Who fails to sign in has to wait: a bucket of attempts for each address and each person, which only failures drain.
use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anteroom_domain::PersonId;

/// Failures one may make at once, and how long it takes to get one back. An address may be many people behind one NAT.
const ADDRESS: Bucket = Bucket { size: 60, refill: Duration::from_secs(2) };
const PERSON: Bucket = Bucket { size: 15, refill: Duration::from_secs(10) };
/// Entries remembered of each kind; the fullest buckets, which say nothing, go first.
const MAX_ENTRIES: usize = 20_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    size: u32,
    refill: Duration,
}

#[derive(Debug, Default)]
pub struct Failures {
    addresses: Mutex<HashMap<IpAddr, Level>>,
    people: Mutex<HashMap<PersonId, Level>>,
}

/// Failures that count at a moment.
#[derive(Debug, Clone, Copy)]
struct Level {
    spent: f64,
    at: Instant,
}

impl Level {
    fn now(&self, bucket: Bucket, now: Instant) -> f64 {
        (self.spent - now.saturating_duration_since(self.at).as_secs_f64() / bucket.refill.as_secs_f64()).max(0.0)
    }
}

impl Failures {
    /// An attempt failed.
    pub fn count(&self, address: IpAddr, person: Option<PersonId>, now: Instant) {
        add(lock(&self.addresses), network(address), ADDRESS, now);
        if let Some(person) = person {
            add(lock(&self.people), person, PERSON, now);
        }
    }

    /// Whether this address has to wait.
    pub fn address_waits(&self, address: IpAddr, now: Instant) -> bool {
        waits(&lock(&self.addresses), &network(address), ADDRESS, now)
    }

    pub fn person_waits(&self, person: PersonId, now: Instant) -> bool {
        waits(&lock(&self.people), &person, PERSON, now)
    }
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// IPv6 hosts own a /64 (RFC 6177): they count as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(a) => IpAddr::V6((u128::from(a) >> 64 << 64).into()),
        v4 => v4,
    }
}

fn add<K: Eq + Hash>(mut all: MutexGuard<'_, HashMap<K, Level>>, key: K, bucket: Bucket, now: Instant) {
    if all.len() >= MAX_ENTRIES && !all.contains_key(&key) {
        all.retain(|_, l| l.now(bucket, now) >= 1.0);
        if all.len() >= MAX_ENTRIES {
            return;
        }
    }
    let level = all.entry(key).or_insert(Level { spent: 0.0, at: now });
    // Never deeper than twice the bucket: who stops gets in again within a known time.
    *level = Level { spent: (level.now(bucket, now) + 1.0).min(f64::from(bucket.size) * 2.0), at: now };
}

fn waits<K: Eq + Hash>(all: &HashMap<K, Level>, key: &K, bucket: Bucket, now: Instant) -> bool {
    all.get(key).is_some_and(|l| l.now(bucket, now) >= f64::from(bucket.size))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn who_fails_too_often_waits_and_gets_in_again_later() {
        let (f, now) = (Failures::default(), Instant::now());
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let ada = PersonId(uuid::Uuid::from_u128(1));
        for _ in 0..PERSON.size {
            assert!(!f.person_waits(ada, now));
            f.count(a, Some(ada), now);
        }
        assert!(f.person_waits(ada, now) && !f.address_waits(a, now));
        assert!(!f.person_waits(ada, now + PERSON.refill * 2), "one attempt came back");
        for _ in 0..1000 {
            f.count(a, None, now);
        }
        assert!(f.address_waits(a, now) && !f.address_waits(b, now));
        assert!(!f.address_waits(a, now + ADDRESS.refill * ADDRESS.size * 2));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let (f, now) = (Failures::default(), Instant::now());
        for n in 0..ADDRESS.size {
            f.count(format!("2001:db8::{n:x}").parse().unwrap(), None, now);
        }
        assert!(f.address_waits("2001:db8::ffff:1".parse().unwrap(), now));
        assert!(!f.address_waits("2001:db8:0:1::1".parse().unwrap(), now));
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory() {
        let (f, now) = (Failures::default(), Instant::now());
        for n in 0..MAX_ENTRIES as u32 + 5_000 {
            f.count(IpAddr::from(n.to_be_bytes()), None, now + Duration::from_millis(u64::from(n)));
        }
        assert!(lock(&f.addresses).len() <= MAX_ENTRIES);
    }
}
