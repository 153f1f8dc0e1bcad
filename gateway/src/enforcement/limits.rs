//! How many connections may be open before they have signed in: in all and from one address. Protects against
//! floods of half-open handshakes (CVE-2002-20001 "DHEat" and slow-loris alike).
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug, Clone)]
pub struct PreAuthLimits {
    max: usize,
    max_per_address: usize,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("too many connections wait to sign in")]
    Full,
    #[error("too many connections from this address wait to sign in")]
    AddressFull,
}

/// A place among those who have not signed in yet; given back on drop.
#[derive(Debug)]
pub struct Slot {
    address: IpAddr,
    counts: Arc<Mutex<Counts>>,
}

impl PreAuthLimits {
    pub fn new(max: usize, max_per_address: usize) -> Self {
        Self { max, max_per_address, counts: Arc::default() }
    }

    pub fn take(&self, address: IpAddr) -> Result<Slot, Refused> {
        // IPv6 hosts own a /64 (RFC 6177): count them as one.
        let address = match address.to_canonical() {
            IpAddr::V6(a) => IpAddr::V6((u128::from(a) >> 64 << 64).into()),
            v4 => v4,
        };
        let mut c = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if c.all >= self.max {
            return Err(Refused::Full);
        }
        let here = c.by_address.entry(address).or_default();
        if *here >= self.max_per_address {
            return Err(Refused::AddressFull);
        }
        *here += 1;
        c.all += 1;
        Ok(Slot { address, counts: self.counts.clone() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut c = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        c.all = c.all.saturating_sub(1);
        if let Some(n) = c.by_address.get_mut(&self.address) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                c.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_address_cannot_take_all_places_and_places_come_back() {
        let l = PreAuthLimits::new(3, 2);
        let (a, b): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let (s1, _s2) = (l.take(a).unwrap(), l.take(a).unwrap());
        assert_eq!(l.take(a).unwrap_err(), Refused::AddressFull);
        let _s3 = l.take(b).unwrap();
        assert_eq!(l.take(b).unwrap_err(), Refused::Full);
        drop(s1);
        assert!(l.take(a).is_ok());
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        let l = PreAuthLimits::new(9, 1);
        let _s = l.take("2001:db8::1".parse().unwrap()).unwrap();
        assert!(l.take("2001:db8::2".parse().unwrap()).is_err());
        assert!(l.take("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }
}
