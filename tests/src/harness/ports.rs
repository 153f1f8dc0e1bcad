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
pub fn candidate() -> u16 {
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

/// Whether somebody listens on this port of 127.0.0.1 or of every address (proc(5), `/proc/net/tcp`). Trying to bind the port instead would be
/// in the way of the one that is about to, and trying to connect would be a connection.
pub fn listens(port: u16) -> bool {
    const LISTEN: &str = "0A";
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next().unwrap_or_default(), fields.nth(1));
        let here = [format!("0100007F:{port:04X}"), format!("00000000:{port:04X}")];
        state == Some(LISTEN) && here.iter().any(|h| h == local)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_listened_on_while_its_listener_lives() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, candidate())).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listens(port));
        drop(listener);
        assert!(!listens(port));
    }
}
