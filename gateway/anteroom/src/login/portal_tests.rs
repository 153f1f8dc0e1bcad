#![allow(clippy::unwrap_used)]
use super::*;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
};

/// Answers one call after the other with these bodies and gives back what was asked.
fn serve(answers: Vec<(u16, String)>) -> (Url, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = Url::parse(&format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port())).unwrap();
    let heard = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|(status, body)| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reads = BufReader::new(stream.try_clone().unwrap());
                let (mut first, mut length) = (String::new(), 0);
                reads.read_line(&mut first).unwrap();
                loop {
                    let mut line = String::new();
                    reads.read_line(&mut line).unwrap();
                    match line.trim_end().split_once(": ") {
                        Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                        Some(_) => {}
                        None => break,
                    }
                }
                let mut said = vec![0; length];
                reads.read_exact(&mut said).unwrap();
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
                format!("{} {}", first.trim_end(), serde_json::from_slice::<serde_json::Value>(&said).unwrap())
            })
            .collect()
    });
    (origin, heard)
}

fn asked(link: &str, number: &str) -> String {
    format!(
        r#"{{"id":"0198f2b4-0000-7000-8000-000000000001","number":"{number}","link":"{link}","token":"T0KEN","expires_at":"2026-01-01T00:02:00Z","more":1}}"#
    )
}

#[test]
fn a_certificate_is_asked_for_and_fetched() {
    let ready = r#"{"state":"ready","certificate":"ssh-ed25519-cert-v01@openssh.com AAAA","until":"2026-01-01T01:00:00Z"}"#;
    let pending = r#"{"state":"pending","certificate":null,"until":null}"#;
    let (origin, heard) = serve(vec![(200, asked("/login/0198", "481 206")), (200, pending.into()), (200, ready.into())]);
    let portal = Portal::at(origin.clone()).unwrap();
    let a = portal.ask("ssh-ed25519 AAAA").unwrap();
    assert_eq!((a.link.as_str(), a.number.as_str()), (format!("{origin}login/0198").as_str(), "481 206"));
    assert_eq!(portal.poll(&a).unwrap(), Answer::Pending);
    assert_eq!(portal.poll(&a).unwrap(), Answer::Ready("ssh-ed25519-cert-v01@openssh.com AAAA".into()));
    let heard = heard.join().unwrap();
    assert_eq!(heard[0], r#"POST /api/login HTTP/1.1 {"public_key":"ssh-ed25519 AAAA"}"#);
    assert_eq!(heard[1], r#"POST /api/login/0198f2b4-0000-7000-8000-000000000001/poll HTTP/1.1 {"token":"T0KEN"}"#);
    assert!(!format!("{a:?}").contains("T0KEN"), "the token is in no output");
}

#[test]
fn a_link_to_elsewhere_and_a_number_that_is_none_are_not_shown() {
    for (link, number) in [
        ("https://evil.example/login", "481 206"),
        ("//evil.example/login", "481 206"),
        ("javascript:alert(1)", "481 206"),
        ("/login/1", "\\u001b[2J"),
        ("/login/1", ""),
    ] {
        let (origin, heard) = serve(vec![(200, asked(link, number))]);
        assert!(matches!(Portal::at(origin).unwrap().ask("k"), Err(PortalError::Strange(_))), "{link} {number}");
        heard.join().unwrap();
    }
}

#[test]
fn a_refusal_is_told_in_the_portals_words_but_without_control_characters() {
    let (origin, heard) = serve(vec![(429, r#"{"error":"too many\u001b[31m certificates"}"#.into())]);
    let e = Portal::at(origin).unwrap().ask("k").unwrap_err().to_string();
    assert_eq!(e, "the portal refused: too many[31m certificates");
    heard.join().unwrap();
}

#[test]
fn another_program_on_that_port_is_not_taken_for_a_portal() {
    let (origin, heard) = serve(vec![(404, "<html>".into()), (200, "<html>".into()), (302, String::new())]);
    let portal = Portal::at(origin).unwrap();
    for _ in 0..3 {
        assert!(portal.ask("k").unwrap_err().to_string().contains("does not answer like an Anteroom portal"));
    }
    heard.join().unwrap();
}

#[test]
fn an_answer_without_end_is_not_read() {
    let (origin, heard) = serve(vec![(200, format!("{{\"id\":\"{}\"}}", "x".repeat(100_000)))]);
    assert!(matches!(Portal::at(origin).unwrap().ask("k"), Err(PortalError::Strange(_))));
    let _ = heard.join();
}

#[test]
fn the_portal_is_reached_in_clear_on_this_machine_only() {
    assert_eq!(origin("bastion.example").unwrap().as_str(), "https://bastion.example/");
    assert_eq!(origin("https://bastion.example:8443/login?x#y").unwrap().as_str(), "https://bastion.example:8443/");
    for good in ["http://localhost:7070", "http://127.0.0.1:7070", "http://[::1]:7070"] {
        assert!(origin(good).is_ok(), "{good}");
    }
    for bad in [
        "http://bastion.example",
        "http://10.0.0.1",
        "ftp://bastion.example",
        "https://",
        "https://ada@bastion.example",
        "http://localhost.evil.example",
    ] {
        let e = origin(bad).unwrap_err().to_string();
        assert!(e.starts_with("--portal"), "{bad}: {e}");
    }
}
