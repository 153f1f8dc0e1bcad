//! What a path is, asked of a target over sftp.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_files::{Kind, Lookup, Next, Real};
use common::{Target, n, packet, s, target::Node};

/// Asks the target until there is an answer.
fn ask(lookup: &mut Lookup, target: &mut Target, path: &str) -> Option<(String, Kind)> {
    let mut question = lookup.ask(path.as_bytes());
    loop {
        let answers = target.serve(&question);
        // In pieces, as a channel may bring them.
        let (last, first) = answers.split_last().unwrap();
        assert_eq!(lookup.receive(first).unwrap(), Next::Wait);
        match lookup.receive(&[*last]).unwrap() {
            Next::Send(more) => question = more,
            Next::Found(real) => return real.map(|Real { path, kind }| (String::from_utf8(path.to_vec()).unwrap(), kind)),
            other => panic!("{other:?}"),
        }
    }
}

fn begun() -> (Lookup, Target) {
    let (mut lookup, mut target) = (Lookup::default(), Target::new());
    assert_eq!(lookup.receive(&target.serve(&Lookup::hello())).unwrap(), Next::Ready);
    (lookup, target)
}

#[test]
fn a_path_is_what_it_leads_to_and_what_is_there() {
    for strict in [false, true] {
        let (mut lookup, mut target) = begun();
        target.strict_realpath = strict;
        let mut is = |path: &str| ask(&mut lookup, &mut target, path);
        let found = |path: &str, kind| Some((path.to_owned(), kind));
        assert_eq!(is("/var/log/a.log"), found("/var/log/a.log", Kind::Other));
        assert_eq!(is("/var/log/../log/"), found("/var/log", Kind::Directory));
        assert_eq!(is("/var/log/escape"), found("/etc", Kind::Directory));
        assert_eq!(is("/var/log/shadow.log"), found("/etc/shadow", Kind::Other));
        assert_eq!(is("/srv/in/new.hl7"), found("/srv/in/new.hl7", Kind::Absent));
        assert_eq!(is("/var/log/escape/new"), found("/etc/new", Kind::Absent));
        assert_eq!(is("/no/such/directory"), None);
        // A link to what is not there yet: where it leads, or nothing at all.
        assert_eq!(is("/srv/in/out.hl7"), if strict { None } else { found("/etc/new", Kind::Absent) });
    }
}

#[test]
fn a_server_that_leaves_a_link_in_its_answer_has_said_nothing() {
    let (mut lookup, mut target) = begun();
    lookup.ask(b"/var/log/escape");
    let tidied = packet(104, &[&n(1), &n(1), &s("/var/log/escape"), &s(""), &n(0)]);
    let Next::Send(question) = lookup.receive(&tidied).unwrap() else { panic!() };
    target.tree.insert("/var/log/escape".into(), Node::Link("/etc".into()));
    assert_eq!(lookup.receive(&target.serve(&question)).unwrap(), Next::Found(None));
}

#[test]
fn a_target_that_breaks_the_protocol_is_not_believed() {
    let name = |id, count: u32, path: &str| packet(104, &[&n(id), &n(count), &s(path), &s(""), &n(0)]);
    for answer in [
        name(7, 1, "/var/log"),
        name(1, 2, "/var/log"),
        packet(104, &[&n(1), &n(1), &n(900)]),
        packet(105, &[&n(1), &n(0)]),
        packet(2, &[&n(3)]),
        [name(1, 1, "/var/log"), name(2, 1, "/var/log")].concat(),
        vec![0xff; 9],
        vec![0, 0, 0, 1, 104],
    ] {
        let (mut lookup, _) = begun();
        lookup.ask(b"/x");
        assert!(lookup.receive(&answer).is_err(), "{answer:?}");
    }
    for strange in ["relative", "", "/a\0b"] {
        let (mut lookup, _) = begun();
        lookup.ask(b"/x");
        assert_eq!(lookup.receive(&name(1, 1, strange)).unwrap(), Next::Found(None), "{strange:?}");
    }
    assert!(Lookup::default().receive(&packet(101, &[&n(1), &n(0)])).is_err());
}

proptest::proptest! {
    #[test]
    fn no_bytes_of_a_target_break_it(pieces in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..80), 0..20)) {
        let (mut lookup, _) = begun();
        lookup.ask(b"/x");
        for p in pieces {
            match lookup.receive(&p) {
                Ok(Next::Found(_)) => { lookup.ask(b"/y"); }
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
}
