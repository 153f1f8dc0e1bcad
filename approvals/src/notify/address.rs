//! Which addresses a webhook may lead to (THREATS 10): never to what only this machine or its cloud answers.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("it is a link-local or metadata address")]
    LinkLocal,
    #[error("it is this machine itself; say loopback = true if that is meant")]
    Loopback,
    #[error("it is not the address of a host")]
    NoHost,
}

/// Private networks are allowed: that is where a hospital's receivers are.
pub fn check(ip: IpAddr, loopback: bool) -> Result<(), Forbidden> {
    match plain(ip) {
        IpAddr::V4(a) => v4(a, loopback),
        IpAddr::V6(a) => v6(a, loopback),
    }
}

/// An IPv4 address inside of an IPv6 one is judged as what it is.
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(a) = ip.to_canonical() else { return ip.to_canonical() };
    let s = a.segments();
    let inside = |hi: u16, lo: u16| {
        let ([a, b], [c, d]) = (hi.to_be_bytes(), lo.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // NAT64 (RFC 6052) and IPv4-compatible addresses
        [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] => inside(hi, lo),
        [0, 0, 0, 0, 0, 0, hi, lo] if hi != 0 => inside(hi, lo),
        // 6to4 (RFC 3056)
        [0x2002, hi, lo, ..] => inside(hi, lo),
        _ => IpAddr::V6(a),
    }
}

fn v4(a: Ipv4Addr, loopback: bool) -> Result<(), Forbidden> {
    // 100.100.100.200 is a cloud's metadata service outside of 169.254.0.0/16.
    if a.is_link_local() || a == Ipv4Addr::new(100, 100, 100, 200) {
        Err(Forbidden::LinkLocal)
    } else if a.is_loopback() {
        if loopback { Ok(()) } else { Err(Forbidden::Loopback) }
    } else if a.octets()[0] == 0 || a.is_multicast() || a.octets()[0] >= 240 {
        Err(Forbidden::NoHost)
    } else {
        Ok(())
    }
}

fn v6(a: Ipv6Addr, loopback: bool) -> Result<(), Forbidden> {
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    if a.is_unicast_link_local() || a == METADATA {
        Err(Forbidden::LinkLocal)
    } else if a.is_loopback() {
        if loopback { Ok(()) } else { Err(Forbidden::Loopback) }
    } else if a.is_unspecified() || a.is_multicast() {
        Err(Forbidden::NoHost)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn metadata_and_link_local_addresses_are_refused_in_every_dress() {
        for bad in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
        ] {
            assert_eq!(check(bad.parse().unwrap(), true), Err(Forbidden::LinkLocal), "{bad}");
        }
        for bad in ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1"] {
            assert_eq!(check(bad.parse().unwrap(), true), Err(Forbidden::NoHost), "{bad}");
        }
        for own in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
            assert_eq!(check(own.parse().unwrap(), false), Err(Forbidden::Loopback), "{own}");
            assert_eq!(check(own.parse().unwrap(), true), Ok(()), "{own}");
        }
        for good in ["10.0.0.7", "192.168.1.1", "203.0.113.9", "2001:db8::1", "fd12::1"] {
            assert_eq!(check(good.parse().unwrap(), false), Ok(()), "{good}");
        }
    }
}
