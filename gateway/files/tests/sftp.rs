//! Section numbers are those of draft-ietf-secsh-filexfer-02.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_files::{Direction, Event, MAX_HANDLES, MAX_PACKET, Out, Outcome, Sftp, Violation};
use bytes::Bytes;
use common::*;
use sha2::{Digest, Sha256};

const DENIED: Option<u32> = Some(3);

fn sha(data: &[u8]) -> Option<[u8; 32]> {
    Some(Sha256::digest(data).into())
}

/// Direction, path, bytes, SHA-256 and outcome.
type Moved<'a> = (Direction, &'a [u8], u64, Option<[u8; 32]>, Outcome);

fn moved(e: &Event) -> Option<Moved<'_>> {
    match e {
        Event::Moved { direction, path, bytes, sha256, outcome } => Some((*direction, path, *bytes, *sha256, *outcome)),
        _ => None,
    }
}

fn refused(e: &Event) -> bool {
    matches!(e, Event::Refused { .. })
}

#[test]
fn a_download_passes_and_is_written_down_with_its_hash() {
    let mut w = Wire::new(&["download"]);
    let h = w.one(&open(1, "/var/log/a.log", READ)).string();
    let data = w.send(&[read(2, &h, 0, 3), read(3, &h, 3, 100), read(4, &h, 5, 100)].concat());
    assert_eq!((data[0].string(), data[1].string(), data[2].status()), (b"a l".to_vec(), b"og".to_vec(), Some(1)));
    assert_eq!(w.one(&close(5, &h)).status(), Some(0));
    assert_eq!(moved(&w.took()[0]), Some((Direction::Download, b"/var/log/a.log".as_slice(), 5, sha(b"a log"), Outcome::Complete)));
}

#[test]
fn an_upload_passes_and_is_written_down_with_its_hash() {
    let mut w = Wire::new(&["upload"]);
    let h = w.one(&open(1, "x", WRITE)).string();
    // Behind each other without waiting, and not quite in order.
    w.send(&[write(2, &h, 3, b"def"), write(3, &h, 0, b"abc"), close(4, &h)].concat());
    assert_eq!(
        w.took(),
        [Event::Moved { direction: Direction::Upload, path: "x".into(), bytes: 6, sha256: sha(b"abcdef"), outcome: Outcome::Complete }]
    );
}

#[test]
fn what_has_no_rule_is_refused_readably_and_never_reaches_the_target() {
    let mut w = Wire::new(&["upload:/srv/in/*.hl7"]);
    let answer = w.one(&open(9, "/etc/shadow", READ));
    assert_eq!((answer.id, answer.status()), (9, DENIED));
    assert!(answer.text().contains("anteroom: your grant does not allow downloading this file"), "{}", answer.text());
    assert!(w.target.opened.is_empty());
    let events = w.took();
    assert_eq!(moved(&events[0]), Some((Direction::Download, b"/etc/shadow".as_slice(), 0, None, Outcome::Refused)));
    assert_eq!(
        events[1],
        Event::Refused { what: "your grant does not allow downloading this file".into(), path_sha256: sha(b"/etc/shadow") }
    );
}

#[test]
fn a_path_rule_holds_against_symbolic_links_and_dots() {
    let mut w = Wire::new(&["download:/var/log/**"]);
    for no in ["/var/log/escape/shadow", "/var/log/shadow.log", "/var/log/../../etc/shadow", "../../etc/shadow", "/etc/shadow"] {
        assert_eq!(w.one(&open(1, no, READ)).status(), DENIED, "{no}");
    }
    assert!(w.target.opened.is_empty(), "{:?}", w.target.opened);
    assert_eq!(w.one(&open(2, "/var/log/here.log", READ)).kind, 102);
    assert_eq!(w.one(&open(3, "../../var/log//a.log", READ)).kind, 102);
    let resolved = ("/var/log/a.log".to_owned(), READ);
    assert_eq!(w.target.opened, [resolved.clone(), resolved], "the request goes on with the resolved path");
}

#[test]
fn a_new_file_is_judged_by_its_directory_and_a_dangling_link_is_not_new() {
    for strict in [false, true] {
        let mut w = Wire::new(&["upload:/srv/in/*.hl7"]);
        w.target.strict_realpath = strict;
        assert_eq!(w.one(&open(1, "/srv/in/new.hl7", WRITE)).kind, 102);
        assert_eq!(w.one(&open(2, "/srv/in/out.hl7", WRITE)).status(), DENIED, "it leads to /etc/new");
        assert_eq!(w.one(&open(3, "/srv/in/new.txt", WRITE)).status(), DENIED);
        assert_eq!(w.one(&open(4, "/var/log/escape/x.hl7", WRITE)).status(), DENIED);
        assert!(!w.target.tree.contains_key("/etc/new"));
        assert_eq!(w.target.opened.len(), 1);
    }
}

#[test]
fn opening_for_both_needs_both() {
    let mut w = Wire::new(&["download"]);
    assert_eq!(w.one(&open(1, "/var/log/a.log", READ | 2)).status(), DENIED);
    for flag in [2, 4, 8, 16] {
        assert_eq!(w.one(&open(1, "/var/log/a.log", flag)).status(), DENIED, "{flag}");
        assert_eq!(w.one(&open(1, "/var/log/a.log", READ | flag)).status(), DENIED, "{flag}");
    }
    assert_eq!(Wire::new(&["upload"]).one(&open(1, "/srv/in/old.hl7", 0)).status(), DENIED);
    assert_eq!(Wire::new(&["upload", "download"]).one(&open(1, "/srv/in/old.hl7", READ | 2)).kind, 102);
}

#[test]
fn a_download_that_is_too_large_or_no_file_is_refused_and_closed_again() {
    let mut w = Wire::new(&["download:/var/**;max=99"]);
    let answer = w.one(&open(1, "/var/log/app/b.log", READ));
    assert_eq!((answer.status(), answer.text().contains("larger than your grant allows")), (DENIED, true));
    assert_eq!(w.target.asked.last(), Some(&4), "the watcher closes what it opened");
    assert_eq!(w.one(&open(2, "/var/log/device", READ)).status(), DENIED);
    assert_eq!(w.took().iter().filter(|e| refused(e)).count(), 2);
    assert_eq!(Wire::new(&["download"]).one(&open(2, "/var/log/device", READ)).status(), DENIED);
    assert_eq!(Wire::new(&["download:/var/**;max=100"]).one(&open(1, "/var/log/app/b.log", READ)).kind, 102);
}

#[test]
fn a_file_that_grows_past_its_limit_is_cut_there() {
    let mut w = Wire::new(&["download:**;max=100"]);
    w.target.grows = 1;
    let h = w.one(&open(1, "/var/log/app/b.log", READ)).string();
    assert_eq!(w.one(&read(2, &h, 0, 50)).kind, 103);
    assert_eq!(w.one(&read(3, &h, 50, 51)).status(), Some(4));
    assert_eq!(w.one(&read(4, &h, u64::MAX, 51)).status(), Some(1), "the target says so");
    w.one(&close(5, &h));
    let events = w.took();
    assert!(refused(&events[0]));
    assert_eq!(moved(&events[1]).map(|m| (m.2, m.4)), Some((50, Outcome::Partial)));
}

#[test]
fn an_upload_that_passes_its_limit_is_refused_there_and_partial() {
    let mut w = Wire::new(&["upload:/srv/in/*;max=4"]);
    let h = w.one(&open(1, "/srv/in/x", WRITE)).string();
    assert_eq!(w.one(&write(2, &h, 0, b"abcd")).status(), Some(0));
    let answer = w.one(&write(3, &h, 4, b"e"));
    assert_eq!((answer.status(), answer.text().contains("anteroom: the file is larger")), (DENIED, true));
    assert_eq!(w.one(&write(4, &h, u64::MAX - 8, b"e")).status(), DENIED);
    // Section 6.9: setting its size is writing, too.
    assert_eq!(w.one(&packet(10, &[&n(5), &s(&h), &n(1), &5_u64.to_be_bytes()])).status(), DENIED);
    w.one(&close(6, &h));
    let events = w.took();
    assert_eq!(events.iter().filter(|e| refused(e)).count(), 2, "once a file, and the FSETSTAT");
    assert_eq!(moved(events.last().unwrap()).map(|m| (m.2, m.4)), Some((4, Outcome::Partial)));
    assert!(matches!(&w.target.tree["/srv/in/x"], target::Node::File(c) if c == b"abcd"));
}

#[test]
fn appending_counts_from_the_end_of_what_is_there() {
    let mut w = Wire::new(&["upload:/srv/in/*;max=6"]);
    let h = w.one(&open(1, "/srv/in/old.hl7", 2 | 4)).string();
    assert_eq!(w.one(&write(2, &h, 0, b"abc")).status(), Some(0));
    assert_eq!(w.one(&write(3, &h, 0, b"d")).status(), DENIED);
    assert!(matches!(&w.target.tree["/srv/in/old.hl7"], target::Node::File(c) if c == b"oldabc"));
}

#[test]
fn listing_shows_what_may_lead_to_a_match_and_no_more() {
    let mut w = Wire::new(&["download:/var/log/*.log"]);
    for yes in ["/", "/var", "/var/log", "/var/log/"] {
        assert_eq!(w.one(&path(11, 1, yes)).kind, 102, "{yes}");
        assert_eq!(w.one(&path(17, 2, yes)).kind, 105, "{yes}");
    }
    for no in ["/etc", "/var/log/app", "/var/log/escape", ".", "/home/me"] {
        assert_eq!(w.one(&path(11, 1, no)).status(), DENIED, "{no}");
        assert_eq!(w.one(&path(17, 2, no)).status(), DENIED, "{no}");
    }
    assert_eq!(w.one(&path(7, 3, "/var/log/shadow.log")).kind, 105, "LSTAT is about the link");
    assert_eq!(w.one(&path(17, 3, "/var/log/shadow.log")).status(), DENIED, "STAT is about where it leads");
    assert_eq!(w.one(&path(16, 4, ".")).kind, 104, "every client asks where it is");
    assert_eq!(w.one(&path(16, 5, "/var/log/../log")).kind, 104);
    assert_eq!(w.one(&path(16, 6, "/var/log/escape/shadow")).status(), DENIED);
    assert_eq!(w.one(&path(17, 7, "/var/log/none.log")).status(), Some(2), "what is missing is missing");
    let mut all = Wire::new(&["upload"]);
    assert_eq!(all.one(&path(11, 1, "/etc")).kind, 102);
}

#[test]
fn changes_need_an_upload_rule_for_every_path_and_are_written_down() {
    let mut w = Wire::new(&["upload:/srv/in/**", "download:/var/**"]);
    let two = |kind, id, a, b| packet(kind, &[&n(id), &s(a), &s(b)]);
    assert_eq!(w.one(&two(18, 1, "/srv/in/old.hl7", "/srv/in/new.hl7")).status(), Some(0));
    assert_eq!(w.one(&two(18, 2, "/srv/in/new.hl7", "/etc/cron.d")).status(), DENIED);
    assert_eq!(w.one(&two(18, 3, "/etc/shadow", "/srv/in/s")).status(), DENIED);
    assert_eq!(w.one(&extended(4, "posix-rename@openssh.com", &[&s("/etc/shadow"), &s("/srv/in/s")])).status(), DENIED);
    assert_eq!(w.one(&path(13, 5, "/var/log/a.log")).status(), DENIED);
    assert_eq!(w.one(&packet(14, &[&n(6), &s("/srv/in/d/"), &n(0)])).status(), Some(0));
    // Links only where every path is allowed.
    assert_eq!(w.one(&two(20, 7, "/etc/shadow", "/srv/in/link")).status(), DENIED);
    assert_eq!(w.one(&extended(8, "hardlink@openssh.com", &[&s("/etc/shadow"), &s("/srv/in/link")])).status(), DENIED);
    assert_eq!(w.one(&path(13, 9, "/srv/in/out.hl7")).status(), Some(0), "a link is removed, not where it leads");
    let done: Vec<_> = w
        .took()
        .into_iter()
        .filter_map(|e| if let Event::Other { operation, path, to, ok } = e { Some((operation, path, to, ok)) } else { None })
        .collect();
    let b = |t: &str| Bytes::from(t.to_owned());
    assert_eq!(done[0], ("rename".into(), b("/srv/in/old.hl7"), Some(b("/srv/in/new.hl7")), true));
    assert_eq!(done.iter().map(|d| d.3).collect::<Vec<_>>(), [true, false, false, false, false, true, false, false, true]);
    let mut all = Wire::new(&["upload"]);
    assert_eq!(all.one(&two(20, 7, "/etc/shadow", "/srv/in/link")).status(), Some(0));
    assert!(w.target.tree.contains_key("/etc/shadow") && !w.target.tree.contains_key("/srv/in/link"));
}

#[test]
fn extensions_that_are_not_known_are_neither_offered_nor_passed() {
    let mut w = Wire { watcher: Sftp::new(&granted(&["download"])), target: Target::new(), events: Vec::new() };
    let version = w.send(&init()).remove(0);
    assert_eq!((version.kind, version.id), (2, 3));
    assert_eq!(version.rest, [s("posix-rename@openssh.com"), s("1")].concat(), "copy-data needs upload:**");
    let before = w.target.asked.len();
    assert_eq!(w.one(&extended(1, "evil@example.com", &[])).status(), Some(8));
    assert_eq!(w.one(&packet(99, &[&n(1)])).status(), Some(8));
    assert_eq!(w.target.asked.len(), before);
    assert_eq!(w.one(&extended(2, "limits@openssh.com", &[])).id, 2);
}

#[test]
fn kept_content_is_handed_over_and_other_content_is_not() {
    let mut w = Wire::new(&["upload:/srv/in/*.hl7;keep", "upload:/srv/in/*"]);
    let (kept, plain) = (w.one(&open(1, "/srv/in/a.hl7", WRITE)).string(), w.one(&open(2, "/srv/in/b", WRITE)).string());
    w.send(&[write(3, &kept, 0, b"abc"), write(4, &plain, 0, b"xyz"), write(5, &kept, 3, b"def")].concat());
    let events = w.took();
    let content = |offset, bytes: &'static [u8]| Event::Content {
        direction: Direction::Upload,
        handle: 1,
        path: "/srv/in/a.hl7".into(),
        offset,
        bytes: Bytes::from_static(bytes),
    };
    assert_eq!(events, [content(0, b"abc"), content(3, b"def")]);
}

#[test]
fn what_is_open_at_the_end_is_partial() {
    let mut w = Wire::new(&["upload", "download"]);
    let h = w.one(&open(1, "x", WRITE)).string();
    w.one(&open(2, "/var/log/a.log", READ));
    w.one(&write(3, &h, 0, b"abc"));
    w.finish();
    let outcomes: Vec<_> = w.took().iter().filter_map(moved).map(|m| (m.0, m.2, m.4)).collect();
    assert_eq!(outcomes, [(Direction::Upload, 3, Outcome::Partial), (Direction::Download, 0, Outcome::Partial)]);
    assert!(w.try_send(&close(4, &h)).is_err());
}

#[test]
fn answers_to_the_watcher_never_reach_the_client_and_order_of_paths_is_kept() {
    let mut w = Wire::new(&["download:/var/log/**"]);
    let answers = w.send(
        &[open(1, "/var/log/a.log", READ), path(17, 2, "/var/log"), path(7, 3, "/var/log/a.log"), open(4, "/etc/shadow", READ)].concat(),
    );
    let mut ids: Vec<_> = answers.iter().map(|a| (a.id, a.kind)).collect();
    ids.sort_unstable();
    assert_eq!(ids, [(1, 102), (2, 105), (3, 105), (4, 101)]);
}

#[test]
fn broken_packets_end_the_channel_with_a_reason() {
    let end = |bytes: Vec<u8>| Wire::new(&["download", "upload"]).try_send(&bytes).unwrap_err().to_string();
    assert!(end(packet(3, &[&n(1), &n(99)])).contains("shorter than its fields"));
    assert!(end([read(1, b"x", 0, 1), vec![0; 4]].concat().repeat(2)).contains("the client broke"));
    assert!(end((MAX_PACKET + 1).to_be_bytes().iter().copied().chain([6]).collect()).contains("at most"));
    assert!(end(open(1, &"a".repeat(4097), READ)).contains("4096"));
    assert!(end(open(1, "a\0b", READ)).contains("zero byte"));
    assert!(end(init()).contains("one INIT"));
    assert!(end([path(17, 1, "/"), path(17, 1, "/")].concat()).contains("used twice"));
    let mut bad = write(1, b"h", 0, b"abc");
    bad[25] = 9;
    assert!(end(bad).contains("another length"));
    let mut w = Wire::new(&["download"]);
    let answer = packet(101, &[&n(77), &n(0), &s(""), &s("")]);
    assert_eq!(
        w.watcher.target(&Bytes::from(answer), &mut Out::default()).unwrap_err(),
        Violation::Sftp { side: anteroom_files::Side::Target, what: "an answer belongs to no request" }
    );
    assert!(w.try_send(&path(17, 1, "/")).is_err(), "an ended watcher stays ended");
}

#[test]
fn a_target_may_not_send_more_than_was_asked_nor_another_kind_of_answer() {
    let mut w = Wire::new(&["download"]);
    let h = w.one(&open(1, "/var/log/a.log", READ)).string();
    let mut out = Out::default();
    w.watcher.client(&read(2, &h, 0, 3).into(), &mut out).unwrap();
    let more = packet(103, &[&n(2), &s(b"abcd")]);
    assert!(w.watcher.target(&more.into(), &mut out).unwrap_err().to_string().contains("more than was asked"));
    let mut w = Wire::new(&["download"]);
    w.watcher.client(&path(17, 2, "/").into(), &mut out).unwrap();
    assert!(w.watcher.target(&packet(103, &[&n(2), &s(b"abcd")]).into(), &mut out).unwrap_err().to_string().contains("another kind"));
}

#[test]
fn open_files_and_waiting_requests_are_bounded() {
    let mut w = Wire::new(&["download"]);
    for i in 0..MAX_HANDLES as u32 {
        assert_eq!(w.one(&path(11, i, "/var")).kind, 102);
    }
    assert!(w.one(&path(11, 1, "/var")).text().contains("too many files are open"));
    assert!(w.one(&open(1, "/var/log/a.log", READ)).text().contains("too many files are open"));
    let mut w = Wire::new(&["download:/var/**"]);
    let many: Vec<u8> = (0..1000).flat_map(|id| path(17, id, "/var")).collect();
    let answers = w.send(&many);
    assert_eq!(answers.len(), 1000);
    assert_eq!(answers.iter().filter(|a| a.text().contains("too many requests wait")).count(), 1000 - anteroom_files::MAX_WAITING);
}

#[test]
fn requests_without_an_answer_are_bounded_and_those_with_paths_more() {
    let mut w = Wire::new(&["download"]);
    let h = w.one(&open(1, "/var/log/a.log", READ)).string();
    let mut out = Out::default();
    let mut feed =
        |bytes: Vec<u8>| w.watcher.client(&bytes.into(), &mut out).map(|()| out.to_client.drain(..).flatten().collect::<Vec<_>>());
    let told: Vec<u8> = (0..5000).flat_map(|i| feed(path(13, i, &"a".repeat(4000))).unwrap()).collect();
    assert_eq!(told.len(), 5000 * packet(101, &[&n(0), &n(0), &s("anteroom: your grant does not allow changing this path"), &s("")]).len());
    for i in 0..4096 {
        assert!(feed(path(17, i, "/")).unwrap().is_empty());
    }
    assert!(packets(&feed(path(17, 5000, "/")).unwrap())[0].text().contains("too many requests"));
    for i in 4096..anteroom_files::MAX_OUTSTANDING as u32 {
        feed(read(10_000 + i, &h, 0, 1)).unwrap();
    }
    assert!(feed(read(1_000_000, &h, 0, 1)).unwrap_err().to_string().contains("too many requests"));
}

#[test]
fn handles_that_nobody_gave_or_that_are_closed_reach_no_target() {
    let mut w = Wire::new(&["download", "upload"]);
    let h = w.one(&open(1, "/var/log/a.log", READ)).string();
    let before = w.target.asked.len();
    assert_eq!(w.one(&write(2, &h, 0, b"x")).status(), DENIED, "open for reading only");
    for bytes in [read(3, b"xxxx", 0, 1), write(3, b"xxxx", 0, b"x"), close(3, b"xxxx"), path(8, 3, "xxxx"), path(12, 3, "a")] {
        assert_eq!(w.one(&bytes).status(), Some(4));
    }
    assert_eq!(w.target.asked.len(), before);
    w.one(&close(4, &h));
    assert_eq!(w.one(&read(5, &h, 0, 1)).status(), Some(4));
    assert!(w.took().iter().all(|e| moved(e).is_some()));
}
