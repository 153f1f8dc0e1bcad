#![allow(clippy::unwrap_used)]
mod common;
use anteroom_files::{Direction, Event, Kind, Out, Outcome, Real, Scp, scp_command};
use bytes::Bytes;
use common::granted;
use sha2::{Digest, Sha256};

fn watch(command: &str, texts: &[&str]) -> Scp {
    Scp::new(scp_command(command.as_bytes()).unwrap(), &granted(texts))
}

/// A target's tree as its sftp server tells of it: what a path leads to.
fn there(path: &str) -> Option<Real> {
    let (path, kind) = match path {
        "/var/log" | "/srv/in" | "/srv/in/" | "/etc" => (path.trim_end_matches('/'), Kind::Directory),
        "/var/log/out" => ("/etc", Kind::Directory),
        "/var/log/link" | "/var/log/out/passwd" | "/srv/in/link" => ("/etc/passwd", Kind::Other),
        "/srv/in/new" | "/srv/in/new/a" | "/srv/in/passwd" | "/srv/in/big" | "/srv/in/absent" | "/var/log/gone" => (path, Kind::Absent),
        p if p.contains("..") => ("/etc/passwd", Kind::Other),
        "/var/log/strange" | "/srv/in/strange" => return None,
        _ => (path, Kind::Other),
    };
    Some(Real { path: Bytes::copy_from_slice(path.as_bytes()), kind })
}

fn tell(scp: &mut Scp, question: &Bytes, out: &mut Out) -> Result<(), String> {
    scp.answer(there(std::str::from_utf8(question).unwrap()), out).map_err(|e| e.to_string())
}

/// A side and what it sends, in turn; what came out, and how it ended.
fn talk(scp: &mut Scp, steps: &[(char, &[u8])]) -> (Out, Option<String>) {
    let mut out = Out::default();
    if let Some(path) = scp.question().cloned()
        && let Err(e) = tell(scp, &path, &mut out)
    {
        return (out, Some(e));
    }
    for (side, bytes) in steps {
        let bytes = Bytes::copy_from_slice(bytes);
        let fed = if *side == 'c' { scp.client(&bytes, &mut out) } else { scp.target(&bytes, &mut out) };
        let mut fed = fed.map_err(|e| e.to_string());
        while let (Ok(()), Some(path)) = (&fed, out.question.take()) {
            fed = tell(scp, &path, &mut out);
        }
        if let Err(e) = fed {
            return (out, Some(e.to_string()));
        }
    }
    (out, None)
}

fn moved(out: &Out) -> Vec<(String, u64, bool, Outcome)> {
    let one = |e: &Event| match e {
        Event::Moved { path, bytes, sha256, outcome, .. } => {
            Some((String::from_utf8_lossy(path).into_owned(), *bytes, sha256.is_some(), *outcome))
        }
        _ => None,
    };
    out.events.iter().filter_map(one).collect()
}

#[test]
fn an_upload_passes_and_is_written_down_with_its_hash() {
    let mut scp = watch("scp -p -t x", &["upload:**;keep"]);
    let (out, end) = talk(
        &mut scp,
        &[
            ('t', b"\0"),
            ('c', b"T1 0 1 0\n"),
            ('t', b"\0"),
            ('c', b"C0644 5 x\n"),
            ('t', b"\0"),
            ('c', b"hello"),
            ('c', b"\0"),
            ('t', b"\0"),
        ],
    );
    assert_eq!(end, None);
    assert_eq!(out.to_target.concat(), b"T1 0 1 0\nC0644 5 x\nhello\0");
    assert_eq!(out.to_client.concat(), b"\0\0\0\0");
    let content =
        Event::Content { direction: Direction::Upload, handle: 1, path: "x".into(), offset: 0, bytes: Bytes::from_static(b"hello") };
    let sha256 = Some(Sha256::digest(b"hello").into());
    let moved = Event::Moved { direction: Direction::Upload, path: "x".into(), bytes: 5, sha256, outcome: Outcome::Complete };
    assert_eq!(out.events, [content, moved]);
}

#[test]
fn a_source_that_does_not_wait_for_answers_is_kept_in_step() {
    let mut scp = watch("scp -t /srv/in/", &["upload"]);
    let (out, end) = talk(&mut scp, &[('c', b"C0644 3 a\nabc\0C0644 0 b\n\0"), ('t', b"\0\0"), ('t', b"\0\0"), ('t', b"\0")]);
    assert_eq!(end, None);
    assert_eq!(out.to_target.concat(), b"C0644 3 a\nabc\0C0644 0 b\n\0");
    let complete = |path: &str, n| (path.to_owned(), n, true, Outcome::Complete);
    assert_eq!(moved(&out), [complete("/srv/in/a", 3), complete("/srv/in/b", 0)]);
}

#[test]
fn a_recursive_download_takes_what_the_rule_names_and_skips_the_rest() {
    let mut scp = watch("scp -r -f /var/log", &["download:/var/log/**;max=4"]);
    let (out, end) = talk(
        &mut scp,
        &[
            ('c', b"\0"),
            ('t', b"D0755 0 log\n"),
            ('c', b"\0"),
            ('t', b"C0644 3 a\n"),
            ('c', b"\0"),
            ('t', b"abc\0"),
            ('c', b"\0"),
            ('t', b"C0644 5 big\n"),
            ('t', b"E\n"),
            ('c', b"\0"),
        ],
    );
    assert_eq!(end, None);
    let told = "\x01anteroom: the file is larger than your grant allows to download\n";
    assert_eq!(out.to_client.concat(), format!("D0755 0 log\nC0644 3 a\nabc\0{told}E\n").as_bytes());
    assert_eq!(out.to_target.concat(), format!("\0\0\0\0{told}\0").as_bytes());
    assert_eq!(
        moved(&out),
        [("/var/log/a".to_owned(), 3, true, Outcome::Complete), ("/var/log/big".to_owned(), 0, false, Outcome::Refused)]
    );
    assert!(out.events.iter().any(|e| matches!(e, Event::Refused { .. })));
}

#[test]
fn what_does_not_lead_anywhere_granted_does_not_even_start() {
    for (command, texts, why) in [
        ("scp -t /etc/passwd", &["upload:/srv/in/*"][..], "does not allow uploading"),
        ("scp -t /srv/in/../../etc/passwd", &["upload:/srv/in/**"], "does not allow uploading"),
        ("scp -t /srv/in/link", &["upload:/srv/in/**"], "does not allow uploading"),
        ("scp -t /srv/in/strange", &["upload:/srv/in/**"], "can't tell"),
        ("scp -t /etc", &["upload:/srv/in/**"], "does not allow uploading"),
        ("scp -f /var/log/link", &["download:/var/log/**"], "does not allow downloading"),
        ("scp -r -f /var/log/out", &["download:/var/log/**"], "does not allow downloading"),
        ("scp -f /var/log/strange", &["download:/var/log/**"], "can't tell"),
        ("scp -f /var", &["download:/var/log/**"], "does not allow downloading"),
    ] {
        let mut scp = watch(command, texts);
        let (out, end) = talk(&mut scp, &[]);
        assert!(end.as_ref().is_some_and(|e| e.contains(why)), "{command}: {end:?}");
        assert_eq!(out, Out::default(), "{command}");
        // Whoever starts it all the same moves nothing.
        assert!(scp.target(&Bytes::from_static(b"C0644 1 link\n"), &mut Out::default()).is_err());
    }
    let mut unasked = watch("scp -f /var/log/a", &["download:/var/log/**"]);
    assert!(unasked.client(&Bytes::from_static(b"\0"), &mut Out::default()).is_err(), "the question was not answered");
}

#[test]
fn where_no_rule_goes_by_paths_nothing_is_asked() {
    for (command, texts) in [
        ("scp -t /srv/in", &["upload"][..]),
        ("scp -f /var/log", &["download:**;max=4", "upload:/srv/**"]),
        ("scp -t x", &["upload:/srv/in/*"]),
        ("scp -f ~/x", &["download:/srv/in/*"]),
    ] {
        assert_eq!(watch(command, texts).question(), None, "{command}");
    }
    assert!(watch("scp -t /srv/in", &["upload:/srv/**"]).question().is_some());
}

#[test]
fn a_link_on_the_way_leads_out_of_no_rule() {
    // A directory that is fetched: its links to a file and to a directory elsewhere, and what is gone again.
    let mut scp = watch("scp -r -f /var/log", &["download:/var/log/**"]);
    let no = b"\x01anteroom: your grant does not allow downloading this file\n";
    let unknown: &[u8] = b"\x01anteroom: the target can't tell what this path is, and your grant goes by paths\n";
    let (out, end) = talk(
        &mut scp,
        &[
            ('c', b"\0"),
            ('t', b"D0755 0 log\n"),
            ('c', b"\0"),
            ('t', b"C0644 3 a\n"),
            ('c', b"\0"),
            ('t', b"abc\0"),
            ('c', b"\0"),
            ('t', b"C0644 5 link\n"),
            ('t', b"D0755 0 out\n"),
            ('t', b"C0644 5 gone\n"),
            ('t', b"C0644 5 strange\n"),
            ('t', b"E\n"),
            ('c', b"\0"),
        ],
    );
    assert_eq!(end, None);
    assert_eq!(out.to_client.concat(), [&b"D0755 0 log\nC0644 3 a\nabc\0"[..], no, no, unknown, unknown, b"E\n"].concat());
    let refused: Vec<_> = moved(&out).into_iter().map(|(path, bytes, _, outcome)| (path, bytes, outcome)).collect();
    assert_eq!(refused[0], ("/var/log/a".to_owned(), 3, Outcome::Complete));
    assert!(
        refused[1..].iter().all(|(_, bytes, outcome)| *bytes == 0 && *outcome == Outcome::Refused) && refused.len() == 4,
        "{refused:?}"
    );

    // Into a directory: over a link that is there, beside it, and deeper.
    let mut scp = watch("scp -r -t /srv/in", &["upload:/srv/in/**"]);
    let (out, end) = talk(
        &mut scp,
        &[
            ('t', b"\0"),
            ('c', b"C0644 1 link\n"),
            ('c', b"C0644 1 absent\n"),
            ('t', b"\0"),
            ('c', b"x\0"),
            ('t', b"\0"),
            ('c', b"D0755 0 new\n"),
            ('t', b"\0"),
            ('c', b"C0644 0 a\n"),
            ('t', b"\0"),
            ('c', b"\0"),
            ('t', b"\0"),
            ('c', b"E\n"),
        ],
    );
    assert_eq!(end, None);
    assert_eq!(out.to_target.concat(), b"C0644 1 absent\nx\0D0755 0 new\nC0644 0 a\n\0E\n");
    let paths: Vec<_> = moved(&out).into_iter().map(|(path, _, _, outcome)| (path, outcome)).collect();
    let complete = |path: &str| (path.to_owned(), Outcome::Complete);
    assert_eq!(paths, [("/etc/passwd".to_owned(), Outcome::Refused), complete("/srv/in/absent"), complete("/srv/in/new/a")]);
}

#[test]
fn bytes_that_come_while_the_target_is_asked_wait() {
    let mut scp = watch("scp -t /srv/in", &["upload:/srv/in/**"]);
    let mut out = Out::default();
    tell(&mut scp, &Bytes::from_static(b"/srv/in"), &mut out).unwrap();
    scp.target(&Bytes::from_static(b"\0\0\0"), &mut out).unwrap();
    scp.client(&Bytes::from_static(b"C0644 1 a\n"), &mut out).unwrap();
    assert_eq!(out.question.take().as_deref(), Some(&b"/srv/in/a"[..]));
    scp.client(&Bytes::from_static(b"x\0C0644 1 b\n"), &mut out).unwrap();
    assert!(out.to_target.is_empty() && out.question.is_none(), "{out:?}");
    tell(&mut scp, &Bytes::from_static(b"/srv/in/a"), &mut out).unwrap();
    assert_eq!(out.to_target.concat(), b"C0644 1 a\nx\0");
    assert_eq!(out.question.take().as_deref(), Some(&b"/srv/in/b"[..]));
    // An answer that nobody waits for changes nothing.
    tell(&mut scp, &Bytes::from_static(b"/srv/in/b"), &mut out).unwrap();
    scp.answer(None, &mut out).unwrap();
    assert_eq!(out.to_target.concat(), b"C0644 1 a\nx\0C0644 1 b\n");
}

#[test]
fn a_refused_upload_is_told_to_the_client_and_the_target_sees_nothing() {
    for (command, texts) in [
        ("scp -t x", &["upload:/srv/in/*"][..]),
        ("scp -t /srv/in/", &["upload:/srv/in/*;max=4"]),
        ("scp -t /srv/in", &["upload:/srv/in/*.txt"]),
    ] {
        let mut scp = watch(command, texts);
        let (out, end) = talk(&mut scp, &[('t', b"\0"), ('c', b"C0644 5 passwd\n"), ('c', b"C0644 5 passwd\n")]);
        assert_eq!((end, out.to_target.len()), (None, 0), "{command}");
        let shown = String::from_utf8(out.to_client.concat()).unwrap();
        assert!(shown.starts_with("\0\x01anteroom: "), "{command}: {shown:?}");
    }
    // A directory, as the target tells; and a file, whatever the name that is sent.
    for (command, texts) in [("scp -t /srv/in", &["upload:/srv/in/*"][..]), ("scp -t /srv/in/x", &["upload:/srv/in/x"])] {
        let (out, _) = talk(&mut watch(command, texts), &[('t', b"\0"), ('c', b"C0644 5 passwd\n")]);
        assert_eq!(out.to_target.concat(), b"C0644 5 passwd\n", "{command}");
    }
}

#[test]
fn a_grant_for_one_way_is_none_for_the_other() {
    let (out, end) = talk(&mut watch("scp -t x", &["download"]), &[('t', b"\0")]);
    assert_eq!(end.as_deref(), Some("your grant does not allow uploading to this path"));
    assert_eq!(out.to_client.concat(), b"\x01anteroom: your grant does not allow uploading to this path\n");
    let (out, end) = talk(&mut watch("scp -f x", &["upload"]), &[('c', b"\0")]);
    assert!(end.is_some() && out.to_target.is_empty());
}

/// CVE-2019-6111, CVE-2018-20685.
#[test]
fn a_target_that_sends_other_names_than_were_asked_for_is_cut_off() {
    for line in ["C0644 1 ../x\n", "C0644 1 ..\n", "C0644 1 .\n", "C0644 1 /etc/x\n", "C0644 1 .ssh\n", "D0755 0 a\n", "D0777 0 \n"] {
        let (out, end) = talk(&mut watch("scp -f /srv/a", &["download"]), &[('c', b"\0"), ('t', line.as_bytes())]);
        assert!(end.is_some(), "{line}");
        assert!(out.to_client.concat().starts_with(b"\x01anteroom: the target broke the scp protocol"), "{line}");
    }
    let (_, end) =
        talk(&mut watch("scp -r -f /srv/a", &["download"]), &[('c', b"\0"), ('t', b"D0755 0 a\n"), ('c', b"\0"), ('t', b"C0644 1 ../b\n")]);
    assert!(end.is_some());
}

#[test]
fn an_ended_or_failed_transfer_is_partial() {
    let mut scp = watch("scp -t x", &["upload"]);
    let (mut out, _) = talk(&mut scp, &[('t', b"\0"), ('c', b"C0644 5 x\n"), ('t', b"\0"), ('c', b"he")]);
    scp.finish(&mut out);
    assert_eq!(moved(&out), [("x".to_owned(), 2, true, Outcome::Partial)]);
    let steps: &[(char, &[u8])] = &[('t', b"\0"), ('c', b"C0644 2 x\n"), ('t', b"\0"), ('c', b"he\0"), ('t', b"\x01disk full\n")];
    let (out, end) = talk(&mut watch("scp -t x", &["upload"]), steps);
    assert_eq!((end, moved(&out)), (None, vec![("x".to_owned(), 2, true, Outcome::Partial)]));
    // The target does not want it: there is no content, the next line follows.
    let steps: &[(char, &[u8])] = &[('t', b"\0"), ('c', b"C0644 2 x\n"), ('t', b"\x01no\n"), ('c', b"C0644 2 y\n")];
    let (out, end) = talk(&mut watch("scp -d -t .", &["upload"]), steps);
    assert_eq!((end, moved(&out)), (None, vec![("x".to_owned(), 0, true, Outcome::Partial)]));
    assert_eq!(out.to_target.concat(), b"C0644 2 x\nC0644 2 y\n");
}

#[test]
fn lines_messages_depth_and_what_is_held_are_bounded() {
    let long = vec![b'a'; 5000];
    let end = |steps: &[(char, &[u8])]| talk(&mut watch("scp -r -t x", &["upload"]), steps).1.unwrap();
    assert!(end(&[('t', b"\0"), ('c', &long)]).contains("too long"));
    assert!(end(&[('t', b"\x01"), ('t', &long)]).contains("too long"));
    assert!(end(&[('t', b"\0"), ('c', b"\x01"), ('c', &long)]).contains("too long"));
    assert!(end(&[('t', &[0; 100])]).contains("nobody asked"));
    assert!(end(&[('c', &vec![b'C'; (4 << 20) + 1])]).contains("does not wait"));
    let deep: Vec<(char, &[u8])> =
        [('t', &b"\0"[..])].into_iter().chain([('c', &b"D0755 0 d\n"[..]), ('t', b"\0")].into_iter().cycle().take(1000)).collect();
    assert!(end(&deep).contains("too deep"));
    assert!(end(&[('t', b"\0"), ('c', b"E\n")]).contains("did not begin"));
}
