//! How fast a recording is verified, beside reading the same files and doing nothing with them.
use super::{median, recording};
use anteroom_recorder::{Event, EventKind, Track, Verdict, verify};
use anyhow::{Context, Result, ensure};
use rustix::fs::{Advice, fadvise};
use std::{
    fs::File,
    io::Read as _,
    path::Path,
    time::{Duration, Instant},
};

/// Megabytes (10^6) a second.
#[derive(Debug)]
pub struct Rates {
    pub verified: f64,
    pub read: f64,
    /// Of both tracks.
    pub bytes: u64,
}

/// A recording of about `megabytes` MiB: an upload, which only the sealed track has, and a long listing, which both have.
pub fn measure(megabytes: usize, rounds: usize) -> Result<Rates> {
    const PIECE: usize = 128 << 10;
    let bench = recording::Bench::new()?;
    let mut noise = vec![0u8; PIECE];
    let mut state = 0x5eed_u64;
    let mut fill = |bytes: &mut [u8]| {
        for b in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *b = (state >> 56) as u8;
        }
    };
    fill(&mut noise);
    let (session, runtime) = (bench.session, tokio::runtime::Builder::new_multi_thread().enable_all().build()?);
    runtime.block_on(async {
        let recording = bench.start().await?;
        recording
            .record(Event { at: Duration::ZERO, channel: 0, kind: EventKind::Open { pty: None, command: Some("cat".into()) } })
            .await?;
        for n in 0..(megabytes << 20) / PIECE {
            let at = Duration::from_millis(n as u64);
            // What was compressed together must not repeat: each piece begins with noise of its own.
            fill(&mut noise[..64]);
            noise.rotate_left(n % 251);
            let kind = if n % 4 == 3 {
                let text: Vec<u8> = noise.chunks(64).flat_map(|l| l.iter().map(|b| b'!' + b % 90).chain([b'\n'])).collect();
                EventKind::Output(text.into())
            } else {
                EventKind::Input(noise.clone().into())
            };
            recording.record(Event { at, channel: 0, kind }).await?;
        }
        recording.finish().await.context("the recording could not be closed")
    })?;
    let folder = anteroom_recorder::find(&bench.root, session).context("the recording is gone")?;
    let (mut verified, mut read, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        forget(&folder)?;
        let began = Instant::now();
        let report = verify(&*folder, session, &|_| {});
        verified.push(began.elapsed().as_secs_f64());
        ensure!(report.verdict == Verdict::Complete, "{:?}", report.findings);
        bytes = report.bytes;
        forget(&folder)?;
        let began = Instant::now();
        for track in files(&folder)? {
            let mut file = track;
            let mut buffer = vec![0u8; 1 << 20];
            while file.read(&mut buffer)? > 0 {}
        }
        read.push(began.elapsed().as_secs_f64());
    }
    let rate = |times: &mut Vec<f64>| bytes as f64 / 1e6 / median(times);
    Ok(Rates { verified: rate(&mut verified), read: rate(&mut read), bytes })
}

fn files(folder: &Path) -> Result<Vec<File>> {
    Track::ALL.iter().map(|t| Ok(File::open(folder.join(t.file_name(0)))?)).collect()
}

/// The next read comes from the disk.
fn forget(folder: &Path) -> Result<()> {
    for file in files(folder)? {
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}
