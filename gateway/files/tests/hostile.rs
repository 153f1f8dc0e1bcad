//! Whatever is cut or changed on the way.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_files::{Event, Kind, Out, Real, Scp, Sftp, Side, scp_command};
use bytes::Bytes;
use common::*;
use proptest::prelude::*;

const GRANT: [&str; 2] = ["download:/var/log/**;keep", "upload:/srv/in/*;max=70;keep"];

/// Everything a client does, with the answers of the target, in turn.
fn session(texts: &[&str]) -> Vec<(Side, Vec<u8>)> {
    let (mut watcher, mut target, mut out) = (Sftp::new(&granted(texts)), Target::new(), Out::default());
    let mut streams = Vec::new();
    let h = |i| n(i);
    for request in [
        init(),
        [path(16, 1, "."), path(17, 2, "/var/log"), open(3, "/var/log/app/b.log", READ), open(4, "/var/log/escape/shadow", READ)].concat(),
        [read(5, &h(8), 0, 60), read(6, &h(8), 60, 60), read(7, &h(8), 100, 60)].concat(),
        [close(8, &h(8)), open(9, "/srv/in/new", WRITE)].concat(),
        [write(10, &h(9), 0, &[1; 40]), write(11, &h(9), 40, &[2; 30]), write(12, &h(9), 70, &[3; 30])].concat(),
        [
            packet(10, &[&n(13), &s(h(9)), &n(0)]),
            close(14, &h(9)),
            path(13, 15, "/srv/in/new"),
            path(11, 16, "/etc"),
            path(11, 17, "/var/log"),
        ]
        .concat(),
        [path(12, 18, "\0\0\0\x0a"), extended(19, "posix-rename@openssh.com", &[&s("/srv/in/old.hl7"), &s("/srv/in/x")])].concat(),
    ] {
        streams.push((Side::Client, request.clone()));
        watcher.client(&request.into(), &mut out).unwrap();
        loop {
            let requests: Vec<u8> = out.to_target.drain(..).flatten().collect();
            if requests.is_empty() {
                break;
            }
            let answers = target.serve(&requests);
            streams.push((Side::Target, answers.clone()));
            watcher.target(&answers.into(), &mut out).unwrap();
        }
    }
    streams
}

/// What came out, with the pieces of one file's content in one.
fn run(texts: &[&str], streams: &[(Side, Vec<u8>)], cuts: &[usize]) -> (Vec<u8>, Vec<u8>, Vec<Event>, Option<String>) {
    let (mut watcher, mut out, mut end) = (Sftp::new(&granted(texts)), Out::default(), None);
    let mut cut = cuts.iter().cycle();
    'all: for (side, bytes) in streams {
        let mut rest = Bytes::copy_from_slice(bytes);
        while !rest.is_empty() {
            let piece = rest.split_to((*cut.next().unwrap()).clamp(1, rest.len()));
            let fed = if *side == Side::Client { watcher.client(&piece, &mut out) } else { watcher.target(&piece, &mut out) };
            if let Err(e) = fed {
                end = Some(e.to_string());
                break 'all;
            }
        }
    }
    watcher.finish(&mut out);
    (out.to_target.concat(), out.to_client.concat(), joined(out.events), end)
}

fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    for e in events {
        if let (Some(Event::Content { handle: h, offset: o, bytes: before, .. }), Event::Content { handle, offset, bytes, .. }) =
            (all.last_mut(), &e)
            && h == handle
            && *o + before.len() as u64 == *offset
        {
            *before = [&before[..], bytes].concat().into();
            continue;
        }
        all.push(e);
    }
    all
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut_the_same_comes_out(cuts in prop::collection::vec(1_usize..60, 1..40), any in any::<bool>()) {
        let texts: &[&str] = if any { &["download:**;keep", "upload"] } else { &GRANT };
        let streams = session(texts);
        let whole = run(texts, &streams, &[usize::MAX]);
        prop_assert_eq!(&whole.3, &None);
        prop_assert!(whole.2.len() > 6);
        prop_assert_eq!(run(texts, &streams, &cuts), whole);
    }

    /// An honest target behind a hostile client: no OPEN reaches it that the grant does not allow.
    #[test]
    fn no_mutation_lets_an_open_through_that_the_grant_refuses(
        order in prop::collection::vec((0_usize..24, any::<u16>(), any::<u8>(), 0_u8..4), 1..60),
        cut in 1_usize..50,
    ) {
        let mut wire = Wire::new(&["download:/var/log/**", "upload:/srv/in/*"]);
        let names = ["/var/log/a.log", "/var/log/escape/shadow", "/srv/in/out.hl7", "/etc/shadow", "../../etc/shadow", "/srv/in/../../etc/x", "/srv/in/y", "/var/log/shadow.log"];
        for (which, at, byte, mutations) in order {
            let name = names[which % names.len()];
            let id = u32::from(at);
            let mut bytes = match which {
                0..8 => open(id, name, READ),
                8..16 => open(id, name, WRITE | u32::from(byte)),
                16 => read(id, &n(u32::from(byte)), 0, 99),
                17 => write(id, &n(u32::from(byte)), 0, b"x"),
                18 => packet(20, &[&n(id), &s(name), &s("/srv/in/y")]),
                19 => packet(18, &[&n(id), &s("/srv/in/old.hl7"), &s(name)]),
                20 => extended(id, "hardlink@openssh.com", &[&s(name), &s("/var/log/l")]),
                21 => close(id, &n(u32::from(byte))),
                22 => path(16, id, name),
                _ => path(13, id, name),
            };
            for i in 0..mutations {
                let at = (usize::from(at) * 7 + usize::from(i) * 13) % bytes.len();
                bytes[at] = byte.wrapping_add(i);
            }
            let ended = bytes.chunks(cut).any(|piece| wire.try_send(piece).is_err());
            if ended {
                break;
            }
        }
        for (path, flags) in &wire.target.opened {
            let writes = flags & (2 | 4 | 8 | 16) != 0;
            let reads = flags & 1 != 0 || !writes;
            prop_assert!(!reads || path.starts_with("/var/log/"), "{path} {flags}");
            prop_assert!(!writes || path.starts_with("/srv/in/"), "{path} {flags}");
            let resolved = wire.target.resolve(path);
            prop_assert_eq!(resolved.as_ref(), Some(path), "what is opened is no link and below none");
        }
        prop_assert!(!wire.target.tree.contains_key("/etc/new") && !wire.target.tree.contains_key("/var/log/l"));
    }

    #[test]
    fn no_mutation_of_either_side_panics(changes in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6), cuts in prop::collection::vec(1_usize..300, 1..9)) {
        let mut streams = session(&GRANT);
        let all: usize = streams.iter().map(|s| s.1.len()).sum();
        for (at, byte) in changes {
            let mut at = usize::from(at) % all;
            for (_, bytes) in &mut streams {
                if at < bytes.len() {
                    bytes[at] = byte;
                    break;
                }
                at -= bytes.len();
            }
        }
        run(&GRANT, &streams, &cuts);
    }

    #[test]
    fn random_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..2000)) {
        anteroom_files::fuzz(&data);
        let _ = scp_command(&data);
    }

    #[test]
    fn however_scp_is_cut_the_same_comes_out(cuts in prop::collection::vec(1_usize..9, 1..20)) {
        let steps: [(Side, &[u8]); 13] = [
            (Side::Target, b"\0"), (Side::Client, b"T1 0 1 0\n"), (Side::Target, b"\0"), (Side::Client, b"D0755 0 in\n"), (Side::Target, b"\0"),
            (Side::Client, b"C0644 11 a.hl7\n"), (Side::Target, b"\0"), (Side::Client, b"hello world\0"), (Side::Target, b"\x01full\n"),
            (Side::Client, b"C0644 900 b.hl7\n"), (Side::Client, b"\x01cannot read\nE\n"), (Side::Target, b"\0"), (Side::Client, b"E\n"),
        ];
        let run = |cuts: &[usize]| {
            let (mut cut, mut out) = (cuts.iter().cycle(), Out::default());
            let mut scp = Scp::new(scp_command(b"scp -r -t /srv/").unwrap(), &granted(&["upload:/srv/**;max=100;keep"]));
            let mut end = scp.answer(Some(Real { path: "/srv".into(), kind: Kind::Directory }), &mut out).err();
            for (side, bytes) in steps {
                let mut rest = Bytes::copy_from_slice(bytes);
                while !rest.is_empty() && end.is_none() {
                    let piece = rest.split_to((*cut.next().unwrap()).clamp(1, rest.len()));
                    end = if side == Side::Client { scp.client(&piece, &mut out) } else { scp.target(&piece, &mut out) }.err();
                    while let Some(path) = out.question.take() {
                        end = end.or(scp.answer(Some(Real { path, kind: Kind::Absent }), &mut out).err());
                    }
                }
            }
            scp.finish(&mut out);
            (out.to_target.concat(), out.to_client.concat(), joined(out.events), end)
        };
        let whole = run(&[usize::MAX]);
        prop_assert!(whole.3.is_some() && whole.2.len() > 3);
        prop_assert_eq!(run(&cuts), whole);
    }
}
