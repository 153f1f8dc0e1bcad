//! Real recordings: what is released opens the interval and nothing else, and what is shown of it is marked and harmless.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_domain::{Moment, SessionId};
use anteroom_format::{Content, Release, ReleaseContent, ReleasedChunk, ReleasedReader};
use anteroom_recorder::{
    EventKind, ReplayError,
    unmask::{Recipient, Released, UnsealError, Unsealer},
};
use anteroom_unsealer::{Client, Keys, Options, RecordingError, Server, chunk_keys, decide};
use common::*;
use getrandom::rand_core::UnwrapErr;
use serde_json::Value;
use std::{io::Write as _, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::oneshot,
};

const LIMIT: Duration = Duration::from_secs(30);

fn keys_of(world: &World, session: SessionId, from_ms: u64, until_ms: u64) -> Result<Vec<ReleasedChunk>, RecordingError> {
    let wish = world.wish(session, from_ms, until_ms, &Recipient::generate().unwrap());
    let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
    chunk_keys(&world.root(), &warrant, &world.keys(), LIMIT)
}

/// Every chunk of the sealed track: first and last time in milliseconds, offset.
fn chunks(world: &World, session: SessionId) -> Vec<(u64, u64, u64)> {
    let file = std::fs::read(world.folder(session).join("sealed.0")).unwrap();
    let mut chain = anteroom_format::ChainReader::open(&file[..]).unwrap();
    let mut all = Vec::new();
    while let Some((frame, _)) = chain.next_frame().unwrap() {
        if frame.header.kind == anteroom_format::Kind::Events {
            all.push((frame.header.first_us / 1000, frame.header.last_us / 1000, frame.offset));
        }
    }
    all
}

/// A session whose every second is chunks of its own.
async fn ticking(world: &World) -> SessionId {
    let (session, recording) = start(&world.recorder()).await;
    recording.record(at(0, 0, shell())).await.unwrap();
    for second in 1..=4u64 {
        recording.record(at(second * 1000, 0, out(&format!("second {second}\r\n")))).await.unwrap();
        // Longer than a chunk waits for more.
        tokio::time::sleep(Duration::from_millis(1200)).await;
    }
    recording.finish().await.unwrap();
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_open_the_chunks_of_the_interval_and_no_other() {
    let world = world();
    let session = ticking(&world).await;
    let all = chunks(&world, session);
    assert!(all.len() >= 4, "{all:?}");
    let released = keys_of(&world, session, 1900, 2100).unwrap();
    let touching: Vec<u64> = all.iter().filter(|(first, last, _)| *first <= 2100 && *last >= 1900).map(|c| c.2).collect();
    assert_eq!(released.iter().map(|c| c.offset).collect::<Vec<_>>(), touching);
    assert!(touching.len() < all.len());

    let file = std::fs::File::open(world.folder(session).join("sealed.0")).unwrap();
    let mut reader = ReleasedReader::open(file).unwrap();
    for key in &released {
        assert!(matches!(reader.chunk(key).unwrap().1, Content::Events(_)));
        for (number, (_, _, offset)) in all.iter().enumerate().filter(|(_, c)| c.2 != key.offset) {
            let other = ReleasedChunk { sequence: number as u64, offset: *offset, ..key.clone() };
            assert!(reader.chunk(&other).is_err(), "chunk {number} opened with the key of chunk {}", key.sequence);
        }
    }
    assert!(keys_of(&world, session, 500_000, 600_000).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_it_was_written_releases_nothing() {
    let world = world();
    let session = recorded(&world, vec![at(0, 0, shell()), at(10, 0, out("hello\r\n")), at(20, 0, EventKind::Close)]).await;
    let folder = world.folder(session);
    let wish = world.wish(session, 0, 20, &Recipient::generate().unwrap());
    let code = |world: &World| {
        let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
        chunk_keys(&world.root(), &warrant, &world.keys(), LIMIT).map_or_else(|e| e.code(), |_| "released")
    };
    assert_eq!(code(&world), "released");
    let with = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let path = folder.join(name);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        change(&mut bad);
        std::fs::write(&path, bad).unwrap();
        let said = code(&world);
        std::fs::write(&path, good).unwrap();
        said
    };
    let sealed = "sealed.0";
    assert_eq!(with(sealed, &|b| b[300] ^= 1), "damaged", "a body");
    // The first chunk's times, in clear: moved away, so that an interval would find other chunks.
    assert_eq!(with(sealed, &|b| b[192 + 31] = 7), "damaged", "a time");
    assert_eq!(with(sealed, &|b| drop(b.split_off(b.len() - 152))), "damaged", "the final chunk");
    // Times forged with all chain hashes made anew, which anybody who can write the file can do: the manifest has another head.
    assert_eq!(with(sealed, &|b| forge_times(b)), "damaged", "forged times");
    assert_eq!(
        with("manifest.json", &|b| *b = String::from_utf8(b.clone()).unwrap().replacen("\"duration_us\":", "\"duration_us\":1", 1).into()),
        "damaged"
    );
    assert_eq!(with("sealed.0.envelope", &|b| b[40] ^= 1), "damaged");
    assert_eq!(
        with("header.json", &|b| *b = String::from_utf8(b.clone()).unwrap().replace("gw-test", "gw-tost").into()),
        "other_recording"
    );
    let away = |name: &str| {
        let (path, aside) = (folder.join(name), folder.join("aside"));
        std::fs::rename(&path, &aside).unwrap();
        let said = code(&world);
        std::fs::rename(&aside, &path).unwrap();
        said
    };
    assert_eq!((away("sealed.0.envelope"), away("manifest.json"), away("header.json")), ("shredded", "still_recording", "no_recording"));
    let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
    let others = Keys::new([world.holders[0].clone(), world.masked.clone()]);
    assert_eq!(chunk_keys(&world.root(), &warrant, &others, LIMIT).unwrap_err().code(), "other_keys");
    assert_eq!(code(&world), "released", "everything was put back");
}

/// The first chunk says another time, and everything that can be computed without a key fits it.
fn forge_times(b: &mut [u8]) {
    use anteroom_format::layout::{FRAME_HEADER_LEN, FrameHeader, HASH_LEN, HEADER_LEN, SegmentHeader, chain_hash};
    let (_, mut head) = SegmentHeader::decode(b[..HEADER_LEN].try_into().unwrap()).unwrap();
    let mut offset = HEADER_LEN;
    while offset < b.len() {
        let frame: &mut [u8; FRAME_HEADER_LEN] = (&mut b[offset..offset + FRAME_HEADER_LEN]).try_into().unwrap();
        let mut header = FrameHeader::decode(frame).unwrap();
        (header.first_us, header.last_us) = (header.first_us.max(1_000), header.last_us.max(1_000_000));
        *frame = header.encode();
        let (frame, body) = (header.encode(), offset + FRAME_HEADER_LEN..offset + FRAME_HEADER_LEN + header.body_len as usize);
        head = chain_hash(&head, &frame, &b[body.clone()]);
        b[body.end..body.end + HASH_LEN].copy_from_slice(&head);
        offset = body.end + HASH_LEN;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holders_who_were_shown_something_else_released_nothing() {
    let world = world();
    let session = recorded(&world, vec![at(0, 0, shell()), at(10, 0, out("hello\r\n"))]).await;
    let wish = world.wish(session, 0, 20, &Recipient::generate().unwrap());
    for change in [
        |w: &mut Wish| w.content.session_person = "another".parse().unwrap(),
        |w: &mut Wish| w.content.session_target = "root@ehr-db-2".into(),
        |w: &mut Wish| w.content.session_started_at += Duration::from_secs(3600),
    ] {
        let mut wish = wish.clone();
        change(&mut wish);
        let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
        assert_eq!(chunk_keys(&world.root(), &warrant, &world.keys(), LIMIT).unwrap_err().code(), "shown_otherwise");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_recording_releases_what_its_manifest_covers() {
    let world = world();
    let recorder = world.recorder();
    let (session, recording) = start(&recorder).await;
    recording.record(at(0, 0, shell())).await.unwrap();
    recording.record(at(10, 0, out("before the cut\r\n"))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    drop(recording);
    recorder.shutdown().await;
    let folder = world.folder(session);
    // Half a chunk that was being written when the power went.
    std::fs::OpenOptions::new().append(true).open(folder.join("sealed.0")).unwrap().write_all(&[0, 0, 0, 99, 1, 0, 2]).unwrap();
    let wish = world.wish(session, 0, 20, &Recipient::generate().unwrap());
    let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
    let error = chunk_keys(&world.root(), &warrant, &world.keys(), LIMIT).unwrap_err();
    assert_eq!(error.code(), "still_recording");
    // The next start closes it.
    assert_eq!(recorder.recover().len(), 1);
    assert!(!keys_of(&world, session, 0, 20).unwrap().is_empty());
}

fn released(world: &World, session: SessionId, from_ms: u64, until_ms: u64, expires_at: Moment) -> Arc<Released> {
    let recipient = Recipient::generate().unwrap();
    let wish = world.wish(session, from_ms, until_ms, &recipient);
    let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
    let chunks = chunk_keys(&world.root(), &warrant, &world.keys(), LIMIT).unwrap();
    let content = ReleaseContent {
        format: String::new(),
        unmask: warrant.unmask(),
        session,
        header_sha256: warrant.header_sha256().into(),
        from_us: warrant.from_us(),
        until_us: warrant.until_us(),
        recipient: String::new(),
        expires_at,
        chunks: 0,
    };
    let release = Release::seal(content, &chunks, warrant.recipient(), &mut UnwrapErr(getrandom::SysRng)).unwrap();
    Arc::new(Released::open(&release, &recipient, now()).unwrap())
}

async fn lines(world: &World, session: SessionId, channel: u32, released: Arc<Released>) -> Vec<Value> {
    let mut stream = world.replayer().stream_revealed(session, channel, released).await.unwrap();
    let mut text = String::new();
    while let Some(piece) = stream.recv().await {
        text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
    }
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn of(lines: &[Value], kind: &str) -> String {
    lines.iter().skip(1).filter(|l| l[1] == kind).map(|l| l[2].as_str().unwrap()).collect()
}

const MARK: &str = "\x1b[0;30;103m";

#[tokio::test(flavor = "multi_thread")]
async fn the_interval_is_shown_in_clear_marked_and_harmless() {
    let world = world();
    let patient = "Name: Garcia, Maria     MRN: 84736251";
    let session = recorded(
        &world,
        vec![
            at(0, 0, shell()),
            at(100, 0, out("\x1b]0;prod shell\x07$ ")),
            at(1000, 0, typed("cat chart\r")),
            at(
                1010,
                0,
                out(&format!(
                    "cat chart\r\n\x1b[31mred\x1b[0m {patient}\r\n\x1b]52;c;c2VjcmV0\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\r\n$ "
                )),
            ),
            at(3000, 0, typed("exit\r")),
            at(3010, 0, out("exit\r\nName: Later, Person     MRN: 11112222\r\n")),
            at(5000, 0, EventKind::Close),
        ],
    )
    .await;
    let hour = Duration::from_secs(3600);
    let shown = lines(&world, session, 0, released(&world, session, 900, 2000, now() + hour)).await;
    let output = of(&shown, "o");
    assert_eq!((&shown[0]["width"], &shown[0]["height"]), (&80.into(), &24.into()));
    assert!(output.contains(&format!("{MARK}Garcia, Maria")) && output.contains(&format!("{MARK}84736251")), "{output:?}");
    assert!(output.contains("\x1b[0;31mred"), "colours of the program stay: {output:?}");
    assert!(
        output.contains("link") && !output.contains("\x1b]") && !output.contains("c2VjcmV0") && !output.contains("http:"),
        "{output:?}"
    );
    assert_eq!(of(&shown, "i"), "cat chart<Enter>", "typed in the interval, and nothing after it");
    assert!(!output.contains("Later") && !output.contains("11112222"), "the chunk has more than the interval: {output:?}");
    let masked: String = world.replayer().cast(session, 0, Duration::ZERO).unwrap().map(|l| l.unwrap()).collect();
    assert!(!masked.contains("Garcia") && masked.contains('█'));
    // The screen it starts with is the masked one.
    let second = lines(&world, session, 0, released(&world, session, 2900, 4000, now() + hour)).await;
    let first_paint = second.iter().find(|l| l[1] == "o").unwrap()[2].as_str().unwrap();
    assert!(first_paint.contains('█') && !first_paint.contains("Garcia"), "{first_paint:?}");
    assert!(of(&second, "o").contains("Later"));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_output_is_shown_whole_and_marked_where_it_scrolled_by() {
    let world = world();
    let text: String = (0..400).map(|n| format!("Patient name: Garcia, Maria   row {n}\r\n")).collect();
    let session = recorded(&world, vec![at(0, 0, shell()), at(1000, 0, out(&text)), at(3000, 0, EventKind::Close)]).await;
    let shown = lines(&world, session, 0, released(&world, session, 0, 5000, now() + Duration::from_secs(60))).await;
    let output = of(&shown, "o");
    assert!((0..400).all(|n| output.contains(&format!("row {n}"))), "rows that scrolled off are shown too");
    assert!(output.matches(&format!("{MARK}Garcia, Maria")).count() >= 400, "{}", output.matches(MARK).count());
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_without_a_terminal_and_channels_with_bytes() {
    let world = world();
    let session = recorded(
        &world,
        vec![
            at(0, 0, EventKind::Open { pty: None, command: Some("cat chart".into()) }),
            at(10, 0, out("Name: Garcia, Maria\nsecond\n")),
            at(20, 0, EventKind::Close),
            at(30, 1, EventKind::OpenForward { forward: "local-forward".into(), place: "10.0.0.1:80".into() }),
            at(40, 1, typed("GET / HTTP/1.0\r\n")),
            at(50, 1, out("secret payload")),
            at(60, 1, EventKind::Close),
        ],
    )
    .await;
    let keys = released(&world, session, 0, 100, now() + Duration::from_secs(60));
    let command = lines(&world, session, 0, keys.clone()).await;
    assert!(of(&command, "m").contains("command: cat chart"));
    assert!(of(&command, "o").contains("Garcia, Maria") && of(&command, "o").contains("second"), "{command:?}");
    let forward = lines(&world, session, 1, keys).await;
    let all = format!("{forward:?}");
    assert!(all.contains("16 bytes from the client and 14 bytes to the client"), "{all}");
    assert!(!all.contains("payload") && !all.contains("GET"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_expire_and_are_of_one_recording() {
    let world = world();
    let events = || vec![at(0, 0, shell()), at(10, 0, out("hello\r\n"))];
    let (session, other) = (recorded(&world, events()).await, recorded(&world, events()).await);
    let gone = released(&world, session, 0, 20, now());
    assert!(matches!(world.replayer().stream_revealed(session, 0, gone).await, Err(ReplayError::Expired)));
    let keys = released(&world, session, 0, 20, now() + Duration::from_secs(60));
    assert!(matches!(world.replayer().stream_revealed(other, 0, keys.clone()).await, Err(ReplayError::OtherRelease)));
    assert!(matches!(world.replayer().stream_revealed(session, 9, keys.clone()).await, Err(ReplayError::NoChannel(9))));
    assert!(!format!("{keys:?}").contains("key"), "{keys:?}");
}

// The unsealer behind its socket.

struct Served {
    socket: std::path::PathBuf,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

async fn serve(world: &World) -> Served {
    let dir = world.dir.path();
    std::fs::create_dir_all(dir.join("state")).unwrap();
    world.trust().save(&dir.join("trust.toml")).unwrap();
    let socket = dir.join("socket");
    let server = Server::bind(Options {
        socket: socket.clone(),
        socket_mode: 0o600,
        recordings: world.root(),
        state: dir.join("state"),
        trust: dir.join("trust.toml"),
        site: site(),
        keys: world.keys(),
    })
    .await
    .unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async move { drop(stopped.await) }));
    Served { socket, stop, task }
}

fn refusal(answer: Result<Released, UnsealError>) -> String {
    match answer {
        Err(UnsealError::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_socket_once_and_written_down() {
    use std::os::unix::fs::PermissionsExt;
    let world = world();
    let session = recorded(&world, vec![at(0, 0, shell()), at(10, 0, out("hello there\r\n")), at(90, 0, EventKind::Close)]).await;
    let served = serve(&world).await;
    assert_eq!(std::fs::metadata(&served.socket).unwrap().permissions().mode() & 0o7777, 0o600);
    let client = Client::new(&served.socket);
    let recipient = Recipient::generate().unwrap();
    let wish = world.wish(session, 0, 50, &recipient).at(Moment::now_utc());
    let proof = world.proof(&wish);
    let keys = client.release(proof.clone(), recipient).await.unwrap();
    assert!(keys.chunk_count() > 0 && !keys.is_expired() && keys.until() == Duration::from_millis(50));
    let shown = lines(&world, session, 0, Arc::new(keys)).await;
    assert!(of(&shown, "o").contains("hello there"));
    assert_eq!(refusal(client.release(proof.clone(), Recipient::generate().unwrap()).await), "opening_used");
    let one = anteroom_recorder::unmask::UnmaskProof { approvals: proof.approvals[..1].to_vec(), ..proof.clone() };
    assert_eq!(refusal(client.release(one, Recipient::generate().unwrap()).await), "too_few_approvals");
    // Somebody is believed no longer: from now on, without a restart.
    let mut text = world.trust().to_text();
    text.truncate(text.rfind("[[holder]]").unwrap());
    text = text[..text.rfind("[[holder]]").unwrap()].to_owned();
    std::fs::write(world.dir.path().join("trust.toml"), text).unwrap();
    let wish = world.wish(session, 0, 50, &Recipient::generate().unwrap()).at(Moment::now_utc());
    assert_eq!(refusal(client.release(world.proof(&wish), Recipient::generate().unwrap()).await), "unknown_holder");
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
    assert!(!served.socket.exists());

    let journal = std::fs::read_to_string(world.dir.path().join("state/requests.jsonl")).unwrap();
    let entries: Vec<Value> = journal.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(
        entries.iter().map(|e| e["decision"].as_str().unwrap()).collect::<Vec<_>>(),
        ["released", "opening_used", "too_few_approvals", "unknown_holder"]
    );
    assert_eq!((&entries[0]["requester"], &entries[0]["holders"]), (&"cleo".into(), &serde_json::json!(["kim", "lee"])));
    assert!(entries[0]["peer_uid"].is_u64() && entries[0]["chunks"].is_u64());

    // What was used stays used after a restart.
    let served = serve(&world).await;
    assert_eq!(refusal(Client::new(&served.socket).release(proof, Recipient::generate().unwrap()).await), "opening_used");
    assert!(
        Server::bind(Options {
            socket: world.dir.path().join("second"),
            socket_mode: 0o600,
            recordings: world.root(),
            state: world.dir.path().join("state"),
            trust: world.dir.path().join("trust.toml"),
            site: site(),
            keys: world.keys(),
        })
        .await
        .is_err(),
        "one unsealer a journal"
    );
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_and_slowness_keep_nobody_waiting() {
    let world = world();
    let session = recorded(&world, vec![at(0, 0, shell()), at(10, 0, out("hello\r\n"))]).await;
    let served = serve(&world).await;
    let ask = async |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&served.socket).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer.split_off(answer.len().min(4))).unwrap()
    };
    assert!(ask(&[0xff; 4]).await.contains("request_too_long"));
    assert!(ask(b"\0\0\0\x02{}").await.contains("bad_request"));
    assert!(ask(b"\0\0\0\x05\xff\xfe\xfd\xfc\xfb").await.contains("bad_request"));
    // Three that never say anything, one that says half: the next is answered, for there is room for four, or they are thrown out.
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut stream = UnixStream::connect(&served.socket).await.unwrap();
        stream.write_all(b"\0\0").await.unwrap();
        idle.push(stream);
    }
    let recipient = Recipient::generate().unwrap();
    let wish = world.wish(session, 0, 50, &recipient).at(Moment::now_utc());
    let began = std::time::Instant::now();
    Client::new(&served.socket).release(world.proof(&wish), recipient).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    drop(idle);
    served.stop.send(()).unwrap();
    served.task.await.unwrap();
}
