//! Ports for servers that cannot bind port 0 and tell.
use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Below the range that Linux takes client ports from (`ip_local_port_range`), so that no outgoing connection is in the way.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that was free a moment ago and that nobody else in this process was given. Another process may still take
/// it: whoever binds it tries again with another one.
pub(super) fn candidate() -> u16 {
    // Processes that run at the same time begin at different places.
    let offset = (std::process::id() as u16).wrapping_mul(97);
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(offset) % COUNT;
        let port = FIRST + n;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
