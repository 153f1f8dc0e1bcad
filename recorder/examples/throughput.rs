//! How fast recording is, by stage: `cargo run --example throughput -- [MiB]`. Prints megabytes (10^6) a second.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
use anteroom_domain::{AccountName, Secret, TargetName};
use anteroom_format::{Body, ChainReader, Content, EndReason, Event as Coded, Packer, SegmentReader, SegmentStart, SegmentWriter, Track};
use anteroom_masking::{Masker, RuleSet};
use anteroom_recorder::*;
use bytes::Bytes;
use std::{
    io::Cursor,
    sync::Arc,
    time::{Duration, Instant},
};

const PIECE: usize = 32 << 10;

fn main() {
    let mib: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(256);
    for (name, piece) in [("log lines", log_lines()), ("random bytes", random())] {
        println!("{name}, {mib} MiB in pieces of {} KiB", PIECE >> 10);
        let file = container(&piece, mib);
        println!("  {:<34} {:>8.1} MB", "size of the sealed track", file.len() as f64 / 1e6);
        read(&file, mib);
        if name == "log lines" {
            mask(&piece, (mib / 8).max(1));
        }
        for (label, pty) in [("exec", None), ("shell with a terminal", Some(Pty { cols: 120, rows: 40, term: "xterm".into() }))] {
            record(label, &piece, if pty.is_some() { (mib / 8).max(1) } else { mib }, pty);
        }
    }
}

fn log_lines() -> Bytes {
    let mut text = String::new();
    let mut n = 0u32;
    while text.len() < PIECE {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(&format!(
            "Nov 23 15:{:02}:{:02} ehr-db-1 app[{}]: request {n:08x} took {} ms\n",
            n % 60,
            n / 7 % 60,
            n % 9973,
            n % 997
        ));
    }
    text.truncate(PIECE);
    text.into()
}

fn random() -> Bytes {
    let mut bytes = vec![0; PIECE];
    getrandom::fill(&mut bytes).unwrap();
    bytes.into()
}

fn tell(stage: &str, bytes: usize, took: Duration) {
    println!("  {stage:<34} {:>8.1} MB/s", bytes as f64 / 1e6 / took.as_secs_f64());
}

/// Compression, encryption and chain of one track, without a disk.
fn container(piece: &[u8], mib: usize) -> Vec<u8> {
    let pieces = (mib << 20) / piece.len();
    let (mut out, mut packer) = (Vec::with_capacity(mib << 20), Packer::new().unwrap());
    let start =
        SegmentStart { track: Track::Sealed, segment: 0, session: uuid::Uuid::nil(), recording: [0; 32], link: [0; 32], salt: [0; 32] };
    let now = Instant::now();
    let mut writer = SegmentWriter::start(start, &Secret::new([1; 32]), &mut out);
    for n in 0..pieces {
        writer.event(&Coded { at_us: n as u64, channel: 0, body: Body::Output(piece) }, &mut packer, &mut out).unwrap();
    }
    writer.finish(&[], EndReason::Closed, &mut packer, &mut out).unwrap();
    tell("container write (one core)", pieces * piece.len(), now.elapsed());
    out
}

fn read(file: &[u8], mib: usize) {
    let now = Instant::now();
    let mut chain = ChainReader::open(file).unwrap();
    while chain.next_frame().unwrap().is_some() {}
    tell("verify without keys (file bytes)", file.len(), now.elapsed());
    let now = Instant::now();
    let mut reader = SegmentReader::open(Cursor::new(file), &Secret::new([1; 32]), file.len() as u64).unwrap();
    let mut bytes = 0;
    while let Some((_, content)) = reader.next_chunk().unwrap() {
        if let Content::Events(events) = content {
            for e in events {
                if let Body::Output(b) = e.unwrap().body {
                    bytes += b.len();
                }
            }
        }
    }
    assert_eq!(bytes >> 20, mib);
    tell("container read", bytes, now.elapsed());
}

fn mask(piece: &[u8], mib: usize) {
    let pieces = (mib << 20) / piece.len();
    for (name, mut masker) in [
        ("masking alone, lines", Masker::plain(Arc::new(RuleSet::builtin()))),
        ("masking alone, 120x40 terminal", Masker::new(Arc::new(RuleSet::builtin()), 120, 40)),
    ] {
        let mut out = Vec::new();
        let now = Instant::now();
        for n in 0..pieces {
            masker.feed(Duration::from_micros(n as u64), piece, &mut out);
            out.clear();
        }
        tell(name, pieces * piece.len(), now.elapsed());
    }
}

/// Everything: queues, both tracks, disk, fsync.
fn record(label: &str, piece: &Bytes, mib: usize, pty: Option<Pty>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let key = |n: u8| *PrivateKey::from_seed(&[n; 32]).public();
    let recorder = Recorder::open(RecorderOptions {
        root: dir.path().join("recordings"),
        gateway: "bench".into(),
        recipients: Recipients { masked: key(1), sealed: [key(2), key(3)] },
        rules: Arc::new(RuleSet::builtin()),
        manifest_key: Secret::new([1; 32]),
        max_lag: Duration::from_secs(1),
    })
    .unwrap();
    let id = uuid::Uuid::from_u128;
    let header = SessionHeader {
        session: id(1).into(),
        person: id(2).into(),
        person_handle: "bench".into(),
        target: id(3).into(),
        target_name: TargetName::new("target").unwrap(),
        account: AccountName::new("root").unwrap(),
        source: "127.0.0.1".parse().unwrap(),
        started_at: time::OffsetDateTime::UNIX_EPOCH,
        grant: id(4).into(),
    };
    let pieces = (mib << 20) / piece.len();
    runtime.block_on(async {
        let now = Instant::now();
        let recording = recorder.start(header).await.unwrap();
        let started = now.elapsed();
        let now = Instant::now();
        let event = |n: usize, kind| Event { at: Duration::from_micros(n as u64), channel: 0, kind };
        recording.record(event(0, EventKind::Open { pty, command: None })).await.unwrap();
        for n in 0..pieces {
            recording.record(event(n, EventKind::Output(piece.clone()))).await.unwrap();
        }
        tell(&format!("record(), {label}"), pieces * piece.len(), now.elapsed());
        recording.finish().await.unwrap();
        tell(&format!("record() and finish(), {label}"), pieces * piece.len(), now.elapsed());
        println!("  {:<34} {started:>10.1?}", "start()");
    });
}
