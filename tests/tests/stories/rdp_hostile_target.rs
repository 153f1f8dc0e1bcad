//! A target that speaks nonsense harms its own session and nobody else's.
use super::desktops::{AT_MOST, READING_ROOM, Scene, TOLERANCE};
use anteroom_tests::harness::{
    rdp::{Certificate, Login},
    soon,
};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    thread,
};

/// What it says as soon as it was spoken to, and then to everything.
const NONSENSE: [(&str, &[u8]); 6] = [
    ("nothing", b""),
    ("text", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    ("a frame without an end", &[3, 0, 0xff, 0xff, 2, 0xf0, 0x80]),
    ("a frame shorter than its head", &[3, 0, 0, 1]),
    ("a negotiation that chose everything", &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 0xff, 0xff, 0xff, 0xff]),
    ("TLS that never comes", &[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 2, 0, 0, 0, 0x16, 3, 3, 0x40, 0, 0, 0, 0, 0]),
];

fn speaks(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut s) = stream else { return };
            thread::spawn(move || {
                let mut heard = [0; 4096];
                while let Ok(1..) = s.read(&mut heard) {
                    if words.is_empty() || s.write_all(words).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn nonsense_from_a_target_ends_its_own_session_only() {
    let s = Scene::set();
    let (shadow, _tap) = s.reading_room();
    let good = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let mut bystander = s.connect(&good, "bystander", &[]);
    bystander.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();

    let certificate = Certificate::make(&s.dir("nonsense"), "nonsense").unwrap();
    for (n, (what, words)) in NONSENSE.iter().enumerate() {
        let name = format!("nonsense-{n}");
        let login =
            Login { port: speaks(words), certificate: certificate.clone(), account: "chartview".into(), password: "x-Vault-1".into() };
        s.w.register_desktop(&name, &login, login.port).unwrap();
        let grant = s.grant(&name, "chartview", &[]);
        let mut client = s.connect(&grant, &name, &[]);
        let (status, said) = client.ended().unwrap();
        assert!(!status.success(), "{what}: {said}");
        soon("its session to be over", || Ok(s.w.sessions()?.iter().filter(|x| x["ended_at"].is_null()).count() == 1)).unwrap();
    }

    bystander.type_line("still here").unwrap();
    soon("the bystander's line", || Ok(shadow.desk.typed() == "still here\n")).unwrap();
    bystander.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
}
