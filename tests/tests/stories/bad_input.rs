//! Bad input gets a clear message and changes nothing.
use anteroom_tests::harness::{Person, World, wait_for};
use serde_json::json;
use std::{fs, os::unix::ffi::OsStrExt, time::Duration};

#[test]
fn requests_that_cannot_be_meant_are_answered_in_words() {
    let w = World::start().unwrap();
    let ada = w.admin("ada").unwrap();
    let (target, account) = (w.target.name.as_str(), w.target.account.as_str());
    let ask = |fields: &[(&str, &str)]| {
        let mut all = vec![("target", target), ("account", account), ("reason", "because"), ("window", "1")];
        for f in fields {
            all.retain(|(name, _)| name != &f.0);
            all.push(*f);
        }
        ada.post_form("/requests", &all).unwrap()
    };
    let huge = "x".repeat(10 << 20);
    let long = "x".repeat(2_001);
    for (what, fields, status, words) in [
        ("10 MB of reason", vec![("reason", &huge[..])], 413, "Too much text"),
        ("a long reason", vec![("reason", &long[..])], 422, "at most 2000"),
        ("no reason", vec![("reason", "  ")], 422, "say why you need access"),
        ("an unknown target", vec![("target", "no-such-target")], 422, "there is no such account on such a target"),
        ("an unknown account", vec![("account", "nobody")], 422, "there is no such account on such a target"),
        ("a name that is none", vec![("target", "../../etc")], 422, "target"),
        ("a control character", vec![("reason", "a\u{1b}[31mb")], 422, "reason"),
        ("the past", vec![("window", "custom"), ("until_utc", "2001-01-01T10:00")], 422, "problem"),
        (
            "an end before the start",
            vec![("window", "custom"), ("from_utc", "2040-01-01T10:00"), ("until_utc", "2040-01-01T09:00")],
            422,
            "problem",
        ),
        ("no date", vec![("window", "custom"), ("until_utc", "tomorrow")], 422, "enter the date and time"),
    ] {
        let r = ask(&fields);
        assert_eq!(r.status, status, "{what}: {}", r.body.chars().take(300).collect::<String>());
        assert!(r.body.contains(words), "{what}: no {words:?} in {}", r.body.chars().take(3000).collect::<String>());
        assert!(r.body.len() < 100_000, "{what}: it was echoed");
    }
    assert!(w.audited("request_submitted").unwrap().is_empty(), "something was changed");

    // Bytes that are no text.
    let own = [("origin", w.origin.origin().ascii_serialization())];
    let own: Vec<(&str, &str)> = own.iter().map(|(n, v)| (*n, v.as_str())).collect();
    for (path, kind, body) in [
        ("/requests", "application/x-www-form-urlencoded", &b"target=%ff%fe&account=root&reason=x&window=1"[..]),
        ("/requests", "application/x-www-form-urlencoded", b"target=\xff\xfe&account=root"),
        ("/keys/ssh/begin", "application/json", b"{\"line\":\"\xff\xfe\"}"),
        ("/keys/ssh/begin", "application/json", b"{\"line\":"),
        ("/keys/ssh/begin", "text/plain", b"{}"),
        ("/enrol/begin", "application/json", b"[]"),
    ] {
        let r = ada.post_raw(path, kind, &own, body).unwrap();
        assert!((400..500).contains(&r.status), "{path}: {r:?}");
    }
    let private = fs::read_to_string(&ada.ssh_key).unwrap();
    let r = ada.post_json("/keys/ssh/begin", &json!({ "line": private, "label": "x" })).unwrap();
    assert!(r.status == 422 && r.error().contains("private key"), "{r:?}");
    for id in ["0", "../x", "%00", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(ada.get(&format!("/requests/{id}")).unwrap().status, 404, "{id}");
    }
}

#[test]
fn a_link_opens_once_and_not_for_ever() {
    let w = World::start().unwrap();
    let link = w.add_person("ada", &["admin"]).unwrap();
    let token = |link: &str| link.split_once('#').unwrap().1.to_owned();
    let open = |token: &str| Person::new("x", &w.origin, w.dir.join("x")).post_json("/enrol/begin", &json!({ "token": token })).unwrap();
    Person::new("ada", &w.origin, w.dir.join("ssh/ada")).enrol(&link).unwrap();
    let gone = "this link was used before, has expired or never existed; ask for a new one";
    let used = open(&token(&link));
    assert_eq!((used.status, used.error().as_str()), (410, gone));
    for never in ["", "x", &"A".repeat(100_000)] {
        let r = open(never);
        assert_eq!((r.status, r.error().as_str()), (410, gone));
    }
    let older = w.cli.good(&["person", "enroll-link", "ada"]).unwrap();
    let short = w.cli.good(&["person", "enroll-link", "ada", "--ttl", "1s"]).unwrap();
    assert_eq!(open(&token(older.trim())).status, 410, "the former link works no more");
    wait_for("the link to expire", Duration::from_secs(10), || {
        let r = open(&token(short.trim()));
        Ok((r.status == 410 && r.error() == gone).then_some(()))
    })
    .unwrap();
}

#[test]
fn strangers_and_other_sites_get_nothing() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let stranger = Person::new("stranger", &w.origin, w.dir.join("x"));
    for page in ["/", "/requests", "/approvals", "/people", "/audit", "/recordings", "/keys"] {
        let r = stranger.get(page).unwrap();
        assert!(r.status == 303 && r.location.unwrap().starts_with("/sign-in"), "{page}");
    }
    assert!(stranger.sign_in().is_err());
    for page in ["/approvals", "/people", "/targets", "/audit", "/recordings", "/sessions"] {
        assert_eq!(ada.get(page).unwrap().status, 404, "{page} is not an admin's");
    }
    // ada's browser, driven by another site's page.
    for headers in [
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
    ] {
        let r = ada.post_raw("/sign-out", "application/x-www-form-urlencoded", &headers, b"").unwrap();
        assert_eq!(r.status, 403, "{headers:?}");
    }
    assert_eq!(ada.get("/").unwrap().status, 200, "she is still signed in");
    // Redirects stay here.
    for next in ["https://evil.example", "//evil.example", "/\\evil.example"] {
        let page = stranger.get(&format!("/sign-in?next={next}")).unwrap();
        assert!(!page.body.contains("evil.example"), "{next}");
    }
}

#[test]
fn the_command_line_says_what_is_wrong_and_where() {
    let w = World::start().unwrap();
    let not_text = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let args: Vec<&std::ffi::OsStr> =
        vec!["person".as_ref(), "add".as_ref(), not_text, "--name".as_ref(), "X".as_ref(), "--role".as_ref(), "admin".as_ref()];
    assert_eq!(w.cli.run(&args).unwrap().code, Some(2));
    for args in [
        &["person", "add", "Ada Example", "--name", "X", "--role", "admin"][..],
        &["person", "add", "ada", "--name", "X", "--role", "king"],
        &["grant", "revoke", "not-an-id"],
        &["no-such-command"],
    ] {
        assert_eq!(w.cli.run(args).unwrap().code, Some(2), "{args:?}");
    }
    for args in [&["person", "suspend", "nobody"][..], &["session", "terminate", "00000000-0000-0000-0000-000000000000", "--as", "nobody"]]
    {
        let f = w.cli.run(args).unwrap();
        assert!(f.code == Some(1) && f.stderr.starts_with("anteroom: "), "{args:?}: {f:?}");
    }
    assert_eq!(w.cli.good(&["person", "list", "--json"]).unwrap().trim(), "[]", "somebody was added");

    let good = fs::read_to_string(w.dir.join("anteroom.toml")).unwrap();
    for (what, bad, complaint) in [
        ("an unknown key", good.replace("[ssh]\n", "[ssh]\nlisen = 1\n"), "lisen"),
        ("a wrong value", good.replace("remember_step_up = \"0s\"", "remember_step_up = \"soon\""), "ssh.remember_step_up = \"soon\""),
        ("a missing section", good.replace("[keys]\n", "[other]\n"), "keys"),
        ("no TOML at all", "[[[".to_owned(), "bad.toml:1"),
        ("a portal in clear", good.replace("listen = \"127.0.0.1:", "listen = \"0.0.0.0:"), "portal.listen"),
    ] {
        fs::write(w.dir.join("bad.toml"), &bad).unwrap();
        let f = w.cli.run(&["check-config", "--config", w.dir.join("bad.toml").to_str().unwrap()]).unwrap();
        assert!(f.code == Some(2) && f.stderr.contains(complaint), "{what}: {f:?}");
    }
    fs::write(w.dir.join("bad.toml"), b"\xff\xfe").unwrap();
    assert_ne!(w.cli.run(&["check-config", "--config", w.dir.join("bad.toml").to_str().unwrap()]).unwrap().code, Some(0));
    w.cli.good(&["check-config"]).unwrap();
}
