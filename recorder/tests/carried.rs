//! Forwards and files: what both tracks say of them, and that their bytes are in the sealed track only.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_domain::{SessionId, capability::Direction};
use anteroom_format::{Body, Carries, ChainReader, Content, Envelope, IndexEntry, SegmentKey, SegmentReader, Track};
use anteroom_recorder::*;
use bytes::Bytes;
use common::*;
use std::{io::Cursor, time::Duration};

fn forward() -> EventKind {
    EventKind::OpenForward { forward: "local-forward".into(), place: "db-1.example:5432".into() }
}

fn moved(direction: Direction, path: &'static str, outcome: Outcome) -> EventKind {
    let sha256 = (outcome == Outcome::Complete).then_some([0xbb; 32]);
    EventKind::File(FileMoved { direction, path: path.into(), bytes: 12_345, sha256, outcome })
}

/// Everything that whoever holds the key of a track can read in it: text and bytes of every event, keyframe and index entry.
fn readable(lab: &Lab, session: SessionId, track: Track) -> Vec<Vec<u8>> {
    let read = |name: String| std::fs::read(lab.folder(session).join(name)).unwrap();
    let file = read(track.file_name(0));
    let header = ChainReader::open(&file[..]).unwrap().header().clone();
    let envelope = Envelope::from_bytes(&read(track.envelope_name(0))).unwrap();
    let key: SegmentKey = match track {
        Track::Masked => envelope.open(&header, &lab.masked).unwrap(),
        Track::Sealed => {
            let shares = lab.holders.each_ref().map(|h| envelope.open_share(&header, h).unwrap());
            envelope.combine(&header, &shares).unwrap()
        }
    };
    let mut reader = SegmentReader::open(Cursor::new(&file), &key, file.len() as u64).unwrap();
    let mut all = Vec::new();
    while let Some((_, content)) = reader.next_chunk().unwrap() {
        match content {
            Content::Events(events) => {
                for event in events {
                    match event.unwrap().body {
                        Body::Command(b) | Body::Input(b) | Body::Output(b) | Body::Stderr(b) => all.push(b.to_vec()),
                        Body::Note(t) | Body::Message(t) | Body::OpenFiles { how: t } => all.push(t.into()),
                        Body::Signalled { signal: t } | Body::OpenPty { term: t, .. } => all.push(t.into()),
                        Body::OpenForward { forward, place } => all.extend([forward.into(), place.into()]),
                        Body::File(f) => all.push(f.path.to_vec()),
                        Body::Open | Body::Resize { .. } | Body::Exit { .. } | Body::Eof | Body::Close | Body::Traffic { .. } => {}
                        other => panic!("{other:?} has no business here"),
                    }
                }
            }
            Content::Keyframe(k) => all.push(k.text.into()),
            Content::Index(entries) => {
                for entry in entries {
                    if let IndexEntry::Channel(c) = entry {
                        all.extend(c.command);
                        all.extend(c.pty.map(|p| p.2.into_bytes()));
                        match c.carries {
                            Some(Carries::Forward { forward, place }) => all.extend([forward.into(), place.into()]),
                            Some(Carries::Files { how }) => all.push(how.into()),
                            None => {}
                        }
                    }
                }
            }
            Content::End(_) => {}
        }
    }
    all
}

fn holds(all: &[Vec<u8>], secret: &[u8]) -> bool {
    all.iter().any(|text| text.windows(secret.len()).any(|w| w == secret))
}

/// Readable lines that differ from each other everywhere, so that any piece of them would be recognised.
fn lines(seed: u32, len: usize) -> Bytes {
    let mut x = seed;
    (0..len)
        .map(|n| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if n % 61 == 60 { b'\n' } else { b'a' + ((x >> 24) as u8) % 26 }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_a_forward_or_a_file_is_in_the_masked_track() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    let mut live = recorder.live(session).unwrap();
    // A shell beside them, so that it is not the silence of everything that is tested.
    recording.record(at(0, 0, shell())).await.unwrap();
    recording.record(at(0, 0, EventKind::Output("an ordinary shell\r\n".into()))).await.unwrap();
    let mut carried = Vec::new();
    for (channel, open) in [(1, forward()), (2, EventKind::OpenFiles { how: "sftp".into() }), (3, forward())] {
        recording.record(at(1, channel, open)).await.unwrap();
        for n in 0..40u32 {
            let (up, down) = (lines(channel * 1000 + n, 700), lines(channel * 2000 + n, 900));
            recording.record(at(u64::from(n) * 400, channel, EventKind::Input(up.clone()))).await.unwrap();
            recording.record(at(u64::from(n) * 400, channel, EventKind::Output(down.clone()))).await.unwrap();
            carried.extend([up, down]);
        }
        if channel != 3 {
            recording.record(at(17_000, channel, EventKind::Close)).await.unwrap();
            // A straggler after the close, as no gateway sends it, when masking has long seen the close.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let late = lines(channel * 3000, 700);
            recording.record(at(17_001, channel, EventKind::Output(late.clone()))).await.unwrap();
            carried.push(late);
        }
    }
    // A forward has no standard error; what came as such would be bytes of the forward too.
    let odd = lines(7, 700);
    recording.record(at(17_002, 3, EventKind::Stderr(odd.clone()))).await.unwrap();
    carried.push(odd);
    recording.finish().await.unwrap();

    let (masked, sealed) = (readable(&lab, session, Track::Masked), readable(&lab, session, Track::Sealed));
    let mut watched = Vec::new();
    while let Ok(event) = live.try_recv() {
        if let LiveKind::Output(text) | LiveKind::Line(text) = event.kind {
            watched.push(text.as_bytes().to_vec());
        }
    }
    let replayer = lab.replayer();
    let played: Vec<Vec<u8>> = (0..4)
        .flat_map(|c| [Duration::ZERO, Duration::from_secs(12)].map(|from| shown(&replayer, session, c, from).into_bytes()))
        .collect();
    assert!(holds(&masked, b"an ordinary shell") && holds(&watched, b"an ordinary shell") && holds(&played, b"an ordinary shell"));
    for bytes in &carried {
        assert!(holds(&sealed, bytes));
        for piece in bytes.chunks_exact(8) {
            assert!(!holds(&masked, piece) && !holds(&watched, piece) && !holds(&played, piece));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_is_listed_with_its_place_and_how_much_it_carried() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(5, 1, forward())).await.unwrap();
    recording.record(at(6, 1, EventKind::Input(vec![0; 300].into()))).await.unwrap();
    recording.record(at(7, 1, EventKind::Output(vec![1; 70_000].into()))).await.unwrap();
    recording.record(at(9, 1, EventKind::Close)).await.unwrap();
    recording.record(at(10, 2, EventKind::OpenFiles { how: "sftp".into() })).await.unwrap();
    recording.record(at(11, 3, exec("id"))).await.unwrap();
    let sealed = recording.finish().await.unwrap();
    assert_eq!((sealed.manifest.channels[0].input_bytes, sealed.manifest.channels[0].output_bytes), (300, 70_000));

    let channels = lab.replayer().info(session).unwrap().channels;
    let place = "db-1.example:5432".to_owned();
    assert_eq!(channels[0].kind, ChannelKind::Forward { forward: "local-forward".into(), place });
    assert_eq!((channels[0].title.as_str(), channels[0].traffic), ("local-forward db-1.example:5432", Some((300, 70_000))));
    // Never closed: said when the recording ended.
    assert_eq!((&channels[1].kind, channels[1].traffic), (&ChannelKind::Files { how: "sftp".into() }, Some((0, 0))));
    assert_eq!((&channels[2].kind, channels[2].traffic), (&ChannelKind::Command, None));
    let cast: String = lab.replayer().cast(session, 1, Duration::ZERO).unwrap().map(Result::unwrap).collect();
    assert!(cast.contains("\"m\",\"local-forward db-1.example:5432\""), "{cast}");
    assert!(cast.contains("300 bytes from the client, 68 KiB to the client\\r\\n"), "{cast}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_listed_with_masked_paths_and_played_as_markers() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    let mut live = recorder.live(session).unwrap();
    recording.record(at(0, 1, EventKind::OpenFiles { how: "subsystem:sftp".into() })).await.unwrap();
    recording.record(at(100, 1, moved(Direction::Download, "/var/log/app.log", Outcome::Complete))).await.unwrap();
    recording.record(at(200, 1, moved(Direction::Upload, "/tmp/Patient Name: Whitfield, Ann", Outcome::Partial))).await.unwrap();
    recording.record(at(300, 1, moved(Direction::Download, "/etc/shadow\x1b]0;x\x07", Outcome::Refused))).await.unwrap();
    recording.record(at(350, 1, EventKind::Stderr("no such file\n".into()))).await.unwrap();
    recording.record(at(400, 1, EventKind::Close)).await.unwrap();
    recording.finish().await.unwrap();

    let files = lab.replayer().files(session).unwrap();
    assert_eq!(files.len(), 3);
    assert_eq!((files[0].path.as_str(), files[0].bytes, files[0].channel), ("/var/log/app.log", 12_345, 1));
    assert_eq!((files[0].at, files[0].direction, files[0].outcome), (Duration::from_millis(100), Direction::Download, Outcome::Complete));
    assert_eq!(files[0].sha256.as_deref(), Some("bb".repeat(32).as_str()));
    assert!(files[1].path.starts_with("/tmp/") && !files[1].path.contains("Whitfield"), "{}", files[1].path);
    assert_eq!((files[1].outcome, &files[1].sha256), (Outcome::Partial, &None));
    assert_eq!((files[2].path.as_str(), files[2].outcome), ("/etc/shadow ]0;x ", Outcome::Refused));

    // Sealed, the path is as it was.
    assert!(holds(&readable(&lab, session, Track::Sealed), b"/etc/shadow\x1b]0;x\x07"));
    assert!(!holds(&readable(&lab, session, Track::Masked), b"Whitfield"));

    let cast: String = lab.replayer().cast(session, 1, Duration::ZERO).unwrap().map(Result::unwrap).collect();
    assert!(cast.contains("[0.100000,\"m\",\"download /var/log/app.log, 12 KiB, complete\"]"), "{cast}");
    assert!(shown(&lab.replayer(), session, 1, Duration::ZERO).contains("no such file"), "standard error is text");
    let mut lines = Vec::new();
    while let Ok(event) = live.try_recv() {
        if let LiveKind::Line(line) = event.kind {
            lines.push(line.to_string());
        }
    }
    assert!(lines.contains(&"download /var/log/app.log, 12 KiB, complete".to_owned()), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisors_message_is_seen_where_the_person_saw_it() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, shell())).await.unwrap();
    recording.record(at(10, 0, EventKind::Output("$ ".into()))).await.unwrap();
    recording.record(at(500, 0, EventKind::Message("please stop\x1b[2J at three".into()))).await.unwrap();
    recording.record(at(900, 0, EventKind::Output("\r\n$ ls\r\n".into()))).await.unwrap();
    recording.finish().await.unwrap();
    let cast: String = lab.replayer().cast(session, 0, Duration::ZERO).unwrap().map(Result::unwrap).collect();
    assert!(cast.contains("\"m\",\"message: please stop [2J at three\""), "{cast}");
    let text = shown(&lab.replayer(), session, 0, Duration::ZERO);
    let (message, next) = (text.find("please stop [2J at three").unwrap(), text.find("$ ls").unwrap());
    assert!(message < next, "{text:?}");
}
