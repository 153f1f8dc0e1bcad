//! Who begins a connection and does not get on with it keeps no place (THREATS 8): a silent socket, a byte now and then, a handshake that stops.
use anteroom_tests::harness::{World, WorldOptions, wait_for};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

const GRACE: Duration = Duration::from_secs(5);
/// What a busy machine may take on top.
const SLACK: Duration = Duration::from_secs(15);
const BANNER: &[u8] = b"SSH-2.0-Loris\r\n";

fn world() -> World {
    let ssh = format!("login_grace = \"{}s\"\nmax_unauthenticated_per_address = 10", GRACE.as_secs());
    World::with(WorldOptions { ssh, remember_step_up: "1h".into(), ..Default::default() }).unwrap()
}

/// A whole KEXINIT (RFC 4253 section 7.1) in its packet.
fn kexinit() -> Vec<u8> {
    let mut payload = vec![20];
    payload.extend([7; 16]);
    let gcm = "aes256-gcm@openssh.com";
    for list in ["curve25519-sha256", "ssh-ed25519", gcm, gcm, "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""] {
        payload.extend((list.len() as u32).to_be_bytes());
        payload.extend(list.as_bytes());
    }
    payload.extend([0; 5]);
    let padding = 8 - (payload.len() + 5) % 8 + 8;
    let mut packet = ((payload.len() + 1 + padding) as u32).to_be_bytes().to_vec();
    packet.push(padding as u8);
    packet.extend(payload);
    packet.extend(vec![0; padding]);
    packet
}

/// How long the gateway bears with a client that sends `at_once` and then a byte of `slowly` now and then.
fn borne(w: &World, at_once: &[u8], slowly: &[u8]) -> Duration {
    let began = Instant::now();
    let mut s = TcpStream::connect(("127.0.0.1", w.ssh_port())).unwrap();
    s.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    s.write_all(at_once).unwrap();
    let (mut bytes, mut buffer) = (slowly.iter(), [0; 4096]);
    while began.elapsed() < GRACE + SLACK {
        match s.read(&mut buffer) {
            Ok(0) => return began.elapsed(),
            Ok(_) => {}
            Err(e) if matches!(e.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return began.elapsed(),
        }
        if let Some(byte) = bytes.next()
            && s.write_all(&[*byte]).is_err()
        {
            return began.elapsed();
        }
    }
    panic!("after {:?} the gateway still bears with it", began.elapsed());
}

#[test]
fn a_handshake_that_gets_nowhere_ends_in_time_whoever_else_comes_in_meanwhile() {
    let w = world();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    w.ssh(&ada).unwrap().command("true").run().unwrap().good().unwrap();
    let whole = [BANNER, &kexinit()].concat();
    let slow = vec![b'a'; 200];
    // A packet of 500 bytes that begins well.
    let packet = [&[0, 0, 1, 0xf4, 4, 2][..], &slow].concat();
    let kex = kexinit();
    std::thread::scope(|s| {
        let lame: Vec<_> = [
            ("says nothing", &b""[..], &b""[..]),
            ("never ends its banner", b"SSH-2.0-", &slow),
            ("says its banner only", BANNER, b""),
            ("sends its KEXINIT byte by byte", BANNER, &kex),
            ("begins a key exchange only", &whole, b""),
            ("goes on with it byte by byte", &whole, &packet),
        ]
        .into_iter()
        .map(|(what, at_once, slowly)| {
            let w = &w;
            (what, s.spawn(move || borne(w, at_once, slowly)))
        })
        .collect();
        assert_eq!(w.ssh(&ada).unwrap().command("echo in").run().unwrap().good().unwrap(), "in\n");
        for (what, lame) in lame {
            let borne = lame.join().unwrap_or_else(|_| panic!("a client that {what} keeps its place"));
            assert!(borne > Duration::from_secs(1), "a client that {what} had no time at all: {borne:?}");
        }
    });
}

#[test]
fn one_address_has_so_many_places_and_they_come_back() {
    let w = world();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let connect = || {
        let s = TcpStream::connect(("127.0.0.1", w.ssh_port())).unwrap();
        s.set_read_timeout(Some(SLACK)).unwrap();
        s
    };
    // Greeted, or closed at once.
    let greeted = |mut s: &TcpStream| matches!(s.read(&mut [0; 8]), Ok(n) if n > 0);
    let silent: Vec<_> = (0..10).map(|_| connect()).collect();
    assert!(silent.iter().all(greeted), "so many there are");
    assert!(!greeted(&connect()), "and no more");
    let began = Instant::now();
    wait_for("a place", GRACE + SLACK, || Ok(greeted(&connect()).then_some(()))).unwrap();
    assert!(began.elapsed() < GRACE + SLACK);
    w.ssh(&ada).unwrap().command("true").run().unwrap().good().unwrap();
}
