//! How soon any moment of an eight-hour recording is there: from the question to the painted screen, without network and browser.
use super::{median, quantile};
use anteroom_domain::{AccountName, Secret, SessionId, TargetName};
use anteroom_masking::RuleSet;
use anteroom_recorder::{Event, EventKind, PrivateKey, Pty, Recipients, Recorder, RecorderOptions, Replayer, SessionHeader};
use anyhow::{Context, Result};
use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

const HOURS: u64 = 8;
/// Every so many seconds somebody prints a lot.
const BURST_EVERY: u64 = 300;
const BURST: usize = 512 << 10;

/// Milliseconds.
#[derive(Debug)]
pub struct Seeks {
    pub p50: f64,
    pub p99: f64,
    /// Of the masked track.
    pub bytes: u64,
}

/// Writes such a recording, with made-up times, and jumps about in it.
pub fn measure(jumps: usize) -> Result<Seeks> {
    let dir = tempfile::tempdir()?;
    let key = |n| PrivateKey::from_seed(&[n; 32]);
    let root = dir.path().join("recordings");
    let recorder = Recorder::open(RecorderOptions {
        root: root.clone(),
        gateway: "bench".into(),
        recipients: Recipients { masked: key(1).public()?, sealed: [key(2).public()?, key(3).public()?] },
        rules: Arc::new(RuleSet::builtin()),
        manifest_key: Secret::new([42; 32]),
        max_lag: Duration::from_secs(1),
    })?;
    let key_file = dir.path().join("masked.key");
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(&key_file)?.write_all(key(1).to_line().as_bytes())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (session, bytes) = runtime.block_on(record(&recorder))?;
    let replayer = Replayer::open(root, &key_file)?;
    let mut seed = 0x5eed_u64;
    let mut times = Vec::with_capacity(jumps);
    for _ in 0..jumps {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = Duration::from_millis(1_000 + (seed >> 33) % (HOURS * 3_600_000 - 2_000));
        let began = Instant::now();
        // Header, size and the painted screen.
        let painted = replayer.cast(session, 0, moment)?.take(3).collect::<Result<Vec<_>, _>>()?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
        anyhow::ensure!(painted.len() == 3, "nothing is shown at {moment:?}");
    }
    drop(runtime);
    Ok(Seeks { p50: median(&mut times), p99: quantile(&mut times, 0.99), bytes })
}

async fn record(recorder: &Recorder) -> Result<(SessionId, u64)> {
    let session = SessionId(Uuid::now_v7());
    let header = SessionHeader {
        session,
        person: Uuid::from_u128(1).into(),
        person_handle: "bench".into(),
        target: Uuid::from_u128(2).into(),
        target_name: TargetName::new("bench").map_err(|e| anyhow::anyhow!("{e:?}"))?,
        account: AccountName::new("root").map_err(|e| anyhow::anyhow!("{e:?}"))?,
        source: std::net::Ipv4Addr::LOCALHOST.into(),
        started_at: time::OffsetDateTime::now_utc(),
        grant: Uuid::from_u128(3).into(),
    };
    let recording = recorder.start(header).await?;
    let at = |ms, kind| Event { at: Duration::from_millis(ms), channel: 0, kind };
    let pty = Pty { cols: 120, rows: 40, term: "xterm-256color".into() };
    recording.record(at(0, EventKind::Open { pty: Some(pty), command: None })).await?;
    for second in 0..HOURS * 3_600 {
        let line = format!("\x1b[32m{second:>6}\x1b[0m unit-{} is well, load {}.{}\r\n", second % 97, second % 7, second % 100);
        recording.record(at(second * 1_000, EventKind::Output(line.into()))).await?;
        if second % BURST_EVERY == BURST_EVERY - 1 {
            let mut much = String::with_capacity(BURST + 128);
            for n in 0u64.. {
                much.push_str(&format!(
                    "{n:>8} {:016x} of a long listing, size {}\r\n",
                    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ second,
                    n * 31
                ));
                if much.len() >= BURST {
                    break;
                }
            }
            for (n, piece) in much.as_bytes().chunks(32 << 10).enumerate() {
                recording.record(at(second * 1_000 + 10 * n as u64, EventKind::Output(piece.to_vec().into()))).await?;
            }
        }
    }
    let sealed = recording.finish().await?;
    let masked = sealed.manifest.tracks.first().context("a recording has tracks")?;
    Ok((session, masked.segments.iter().map(|s| s.bytes).sum()))
}
