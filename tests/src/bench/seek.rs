//! How soon any moment of an eight-hour recording is there: from the question to the painted screen, without network and browser.
use super::{median, quantile, recording};
use anteroom_recorder::{Event, EventKind, Pty, Recording};
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

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
    let bench = recording::Bench::new()?;
    let session = bench.session;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bytes = runtime.block_on(async { record(&bench.start().await?).await })?;
    let replayer = bench.replayer()?;
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

/// Bytes of the masked track.
async fn record(recording: &Recording) -> Result<u64> {
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
    Ok(masked.segments.iter().map(|s| s.bytes).sum())
}
