//! Addresses and relays as they are written on the command line.
use anteroom_domain::{AccountName, TargetName};
use std::{net::Ipv6Addr, str::FromStr};

/// A login on the way: `ACCOUNT@TARGET`.
#[derive(Debug, Clone)]
pub(super) struct Relay {
    account: AccountName,
    target: TargetName,
}

impl FromStr for Relay {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        // Account names hold no '@'.
        let (account, target) = s.split_once('@').ok_or("not of the form ACCOUNT@TARGET, like relay@zone-lab")?;
        Ok(Self {
            account: AccountName::new(account).map_err(|e| e.to_string())?,
            target: TargetName::new(target).map_err(|e| e.to_string())?,
        })
    }
}

impl From<Relay> for (TargetName, AccountName) {
    fn from(r: Relay) -> Self {
        (r.target, r.account)
    }
}

/// `HOST`, `HOST:PORT`, an IPv6 address, or one in brackets with a port. Whether the host is one is looked at where it is kept.
pub(super) fn place(s: &str) -> Result<String, String> {
    let port = |p: &str| p.parse::<u16>().ok().filter(|p| *p > 0).map(drop).ok_or_else(|| format!("{p:?} is no port; from 1 to 65535"));
    match s.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or("a '[' without its ']'")?;
            address.parse::<Ipv6Addr>().map_err(|_| format!("{address:?} is no IPv6 address"))?;
            port(after.strip_prefix(':').ok_or("brackets are for an IPv6 address with a port, like [2001:db8::7]:2222")?)?;
        }
        None => match s.split_once(':') {
            Some((_, p)) if !p.contains(':') => port(p)?,
            Some(_) if s.parse::<Ipv6Addr>().is_err() => {
                return Err(format!("{s:?} is no IPv6 address; with a port it is written [ADDRESS]:PORT"));
            }
            Some(_) => {}
            None => {}
        },
    }
    Ok(s.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_relay_is_an_account_on_a_target() {
        let r: (TargetName, AccountName) = "DOMAIN\\svc@zone-lab".parse::<Relay>().unwrap().into();
        assert_eq!((r.0.as_str(), r.1.as_str()), ("zone-lab", "DOMAIN\\svc"));
        for bad in ["zone-lab", "@zone-lab", "relay@", "relay@zone@lab", "-oX@zone-lab"] {
            assert!(bad.parse::<Relay>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_come_with_and_without_ports() {
        for good in ["pacs-b", "pacs-b:2222", "10.0.0.7", "10.0.0.7:23", "2001:db8::7", "[2001:db8::7]:2222"] {
            assert_eq!(place(good).as_deref(), Ok(good));
        }
        for bad in ["pacs-b:", "pacs-b:0", "pacs-b:70000", "a:b:c", "[2001:db8::7]", "[2001:db8::7", "[pacs]:22"] {
            assert!(place(bad).is_err(), "{bad}");
        }
    }
}
