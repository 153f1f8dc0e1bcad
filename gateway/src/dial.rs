//! From a target's addresses to a TCP connection.
use anteroom_domain::Target;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// Addresses tried of one name.
const MAX_ADDRESSES: usize = 8;

/// Tries the target's hosts in turn, and the addresses of each. `limit` holds for each step.
pub(crate) async fn dial(target: &Target, limit: Duration) -> Result<TcpStream, String> {
    let mut last = String::from("it has no address");
    for (host, port) in target.addresses() {
        match one(&host, port, limit).await {
            Ok(stream) => return Ok(stream),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// Resolves once and connects to the addresses in turn. A *name* that leads to this machine, to a link-local or
/// to a multicast address is refused (THREATS 10): only an operator who wrote such an address itself meant it.
pub(crate) async fn one(host: &str, port: u16, limit: Duration) -> Result<TcpStream, String> {
    let literal: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let addresses: Vec<SocketAddr> = match literal {
        Some(ip) => vec![(ip, port).into()],
        None => {
            let found = timeout(limit, tokio::net::lookup_host((host, port))).await;
            let found =
                found.map_err(|_| "its name was not resolved in time".to_owned())?.map_err(|_| "its name can't be resolved".to_owned())?;
            found.filter(|a| host == "localhost" || routable(a.ip())).take(MAX_ADDRESSES).collect()
        }
    };
    let mut last = String::from("its name leads to no address that may be reached");
    for a in addresses {
        match timeout(limit, TcpStream::connect(a)).await {
            Ok(Ok(s)) => {
                // Keystrokes must not wait for more bytes.
                let _ = s.set_nodelay(true);
                return Ok(s);
            }
            Ok(Err(e)) => last = e.to_string(),
            Err(_) => last = format!("no answer within {} s", limit.as_secs()),
        }
    }
    Err(last)
}

fn routable(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let link_local = match ip {
        IpAddr::V4(a) => a.is_link_local() || a.is_broadcast(),
        IpAddr::V6(a) => a.is_unicast_link_local(),
    };
    !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || link_local)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_may_not_lead_to_this_machine_or_to_metadata() {
        for bad in ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "fe80::1", "224.0.0.1", "::ffff:127.0.0.1", "255.255.255.255"] {
            assert!(!routable(bad.parse().unwrap()), "{bad}");
        }
        assert!(routable("10.1.2.3".parse().unwrap()) && routable("2001:db8::1".parse().unwrap()));
    }
}
