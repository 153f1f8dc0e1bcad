//! What recording costs: `cargo run --example cost -- [MiB]` feeds as much output through a recorder and prints speed and CPU;
//! `cost -- idle` keeps 1,000 sessions with an 80x24 terminal open and prints what each keeps in memory.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
use anteroom_domain::{AccountName, Secret, TargetName};
use anteroom_format::{Body, EndReason, Event as Coded, Packer, SegmentStart, SegmentWriter, Track};
use anteroom_masking::{Masker, RuleSet};
use anteroom_recorder::*;
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

const PIECE: usize = 32 << 10;
const IDLE: usize = 1_000;
/// Clock ticks a second of `/proc` (proc(5)).
const TICKS: f64 = 100.0;

fn main() {
    let asked = std::env::args().nth(1);
    if asked.as_deref() == Some("idle") {
        return idle();
    }
    let mib: usize = asked.and_then(|a| a.parse().ok()).unwrap_or(256);
    for (name, data, carried) in [
        ("random bytes", random(), false),
        ("random bytes, as a forward", random(), true),
        ("zeros", vec![0; 4 << 20].into(), false),
        ("log lines", log_lines(), false),
    ] {
        println!("{name}, {mib} MiB in pieces of {} KiB", PIECE >> 10);
        container(&data, mib);
        if name == "log lines" {
            mask(&data, mib / 4);
            record(&data, mib / 4, carried);
        } else {
            record(&data, mib, carried);
        }
    }
}

fn log_lines() -> Bytes {
    let (mut text, mut n) = (String::new(), 0u32);
    while text.len() < 4 << 20 {
        n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(&format!(
            "Nov 23 15:{:02}:{:02} ehr-db-1 app[{}]: request {n:08x} took {} ms\n",
            n % 60,
            n / 7 % 60,
            n % 9973,
            n % 997
        ));
    }
    text.truncate(4 << 20);
    text.into()
}

fn random() -> Bytes {
    let mut bytes = vec![0; 4 << 20];
    getrandom::fill(&mut bytes).unwrap();
    bytes.into()
}

fn pieces(data: &Bytes, mib: usize) -> impl Iterator<Item = Bytes> + '_ {
    (0..(mib << 20) / PIECE).map(|n| {
        let at = n * PIECE % data.len();
        data.slice(at..at + PIECE)
    })
}

/// Seconds of CPU by group of threads.
fn cpu() -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("stat")) else { continue };
        let (head, rest) = stat.rsplit_once(')').unwrap();
        let name = head.split_once('(').unwrap().1.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
        let rest: Vec<&str> = rest.split_whitespace().collect();
        let spent: f64 = rest[11..13].iter().map(|t| t.parse::<f64>().unwrap()).sum();
        *all.entry(name).or_default() += spent / TICKS;
    }
    all
}

fn tell(stage: &str, mib: usize, took: Duration, before: &BTreeMap<String, f64>) {
    let gib = mib as f64 / 1024.0;
    let spent: Vec<(String, f64)> = cpu()
        .into_iter()
        .map(|(name, s)| (name.clone(), (s - before.get(&name).unwrap_or(&0.0)) / gib))
        .filter(|(_, s)| *s > 0.004)
        .collect();
    let sum: f64 = spent.iter().map(|(_, s)| s).sum();
    let by: Vec<String> = spent.iter().map(|(name, s)| format!("{name} {s:.2}")).collect();
    println!("  {stage:<12} {:>8.0} MB/s  {sum:>6.2} s of CPU per GiB ({})", (mib << 20) as f64 / 1e6 / took.as_secs_f64(), by.join(", "));
}

/// Compression, encryption and chain of one track, without a disk.
fn container(data: &Bytes, mib: usize) {
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let start =
        SegmentStart { track: Track::Sealed, segment: 0, session: uuid::Uuid::nil(), recording: [0; 32], link: [0; 32], salt: [0; 32] };
    let (before, now) = (cpu(), Instant::now());
    let mut writer = SegmentWriter::start(start, &Secret::new([1; 32]), &mut out);
    for (n, piece) in pieces(data, mib).enumerate() {
        writer.event(&Coded { at_us: n as u64, channel: 0, body: Body::Output(&piece) }, &mut packer, &mut out).unwrap();
        out.clear();
    }
    writer.finish(&[], EndReason::Closed, &mut packer, &mut out).unwrap();
    tell("container", mib, now.elapsed(), &before);
}

fn mask(data: &Bytes, mib: usize) {
    let (mut masker, mut out) = (Masker::plain(Arc::new(RuleSet::builtin())), Vec::new());
    let (before, now) = (cpu(), Instant::now());
    for (n, piece) in pieces(data, mib).enumerate() {
        masker.feed(Duration::from_micros(n as u64), &piece, &mut out);
        out.clear();
    }
    tell("masking", mib, now.elapsed(), &before);
}

fn recorder(dir: &tempfile::TempDir) -> Recorder {
    let key = |n: u8| *PrivateKey::from_seed(&[n; 32]).public();
    Recorder::open(RecorderOptions {
        root: dir.path().join("recordings"),
        gateway: "bench".into(),
        recipients: Recipients { masked: key(1), sealed: [key(2), key(3)] },
        rules: Arc::new(RuleSet::builtin()),
        manifest_key: Secret::new([1; 32]),
        max_lag: Duration::from_secs(1),
    })
    .unwrap()
}

fn header(n: u128) -> SessionHeader {
    let id = uuid::Uuid::from_u128;
    SessionHeader {
        session: id(n).into(),
        person: id(2).into(),
        person_handle: "bench".into(),
        target: id(3).into(),
        target_name: TargetName::new("target").unwrap(),
        account: AccountName::new("root").unwrap(),
        source: "127.0.0.1".parse().unwrap(),
        started_at: time::OffsetDateTime::UNIX_EPOCH,
        grant: id(4).into(),
    }
}

fn event(n: usize, kind: EventKind) -> Event {
    Event { at: Duration::from_micros(n as u64), channel: 0, kind }
}

/// Everything: queues, both tracks, disk, fsync.
fn record(data: &Bytes, mib: usize, carried: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let dir = tempfile::tempdir_in(std::env::var_os("BENCH_DIR").unwrap_or_else(|| "/tmp".into())).unwrap();
    let recorder = recorder(&dir);
    runtime.block_on(async {
        let recording = recorder.start(header(1)).await.unwrap();
        let (before, now) = (cpu(), Instant::now());
        let open = if carried {
            EventKind::OpenForward { forward: "local-forward".into(), place: "db:1".into() }
        } else {
            EventKind::Open { pty: None, command: Some("cat".into()) }
        };
        recording.record(event(0, open)).await.unwrap();
        for (n, piece) in pieces(data, mib).enumerate() {
            recording.record(event(n * 300, EventKind::Output(piece))).await.unwrap();
        }
        let sealed = recording.finish().await.unwrap();
        tell("recording", mib, now.elapsed(), &before);
        println!("  {:<12} {:>8.1} MB on disk", "", sealed.bytes as f64 / 1e6);
    });
}

fn resident_kib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 4.0
}

/// Sessions that said hello and are quiet, as most are most of the time.
fn idle() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(&dir);
    runtime.block_on(async {
        let mut open = Vec::new();
        let mut before = 0.0;
        for n in 0..IDLE + 50 {
            // The first ones fill what all share.
            if n == 50 {
                tokio::time::sleep(Duration::from_secs(2)).await;
                before = resident_kib();
            }
            let recording = recorder.start(header(n as u128 + 1)).await.unwrap();
            let pty = Pty { cols: 80, rows: 24, term: "xterm-256color".into() };
            recording.record(event(0, EventKind::Open { pty: Some(pty), command: None })).await.unwrap();
            for line in 0..30 {
                let text = format!("line {line} of a greeting that somebody wrote\r\n");
                recording.record(event(line * 1_000, EventKind::Output(text.into()))).await.unwrap();
            }
            recording.record(event(40_000, EventKind::Output("root@target:~# ".into()))).await.unwrap();
            open.push(recording);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        println!("{:.1} KiB resident a session", (resident_kib() - before) / IDLE as f64);
    });
}
