//! What it costs to mask a session and keep it, by stage, on one core and without a disk; and how large the recording becomes.
use anteroom_domain::Secret;
use anteroom_format::{Body, Content, EndReason, Event, Packer, SegmentReader, SegmentStart, SegmentWriter, Track};
use anteroom_masking::{MaskedEvent, Masker, RuleSet};
use anyhow::{Context, Result};
use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// What one read of a socket brings.
const PIECE: usize = 32 << 10;
/// The best of so many: what else the machine does makes it slower, nothing makes it faster.
const ROUNDS: usize = 3;
/// Where a screen is painted anew.
const SCREEN: &str = "\x1b[1;1H";

/// Seconds that each stage took for all bytes.
#[derive(Debug, Clone, Copy)]
struct Stages {
    grid: f64,
    classify: f64,
    render: f64,
    compress: f64,
    /// With the chain of hashes.
    encrypt: f64,
}

impl Stages {
    fn total(self) -> f64 {
        self.grid + self.classify + self.render + self.compress + self.encrypt
    }
}

#[derive(Debug)]
pub struct Masking {
    /// What was printed, its bytes, and what became of them.
    sessions: Vec<(&'static str, usize, Stages)>,
    /// MB/s of plain bytes: written, read.
    container: (f64, f64),
    /// Bytes of one session in its terminal: printed, as asciicast v2, that through gzip, the masked track, both tracks.
    sizes: [usize; 5],
}

/// `megabytes` of each sort of output.
pub fn measure(megabytes: usize) -> Result<Masking> {
    let bytes = megabytes.max(1) * 1_000_000;
    let rules = Arc::new(RuleSet::builtin());
    let (log, table, frames) = (log(bytes), table(bytes), frames(bytes));
    let plain = || Masker::plain(Arc::clone(&rules));
    let terminal = || Masker::new(Arc::clone(&rules), 120, 40);
    type Make<'a> = &'a dyn Fn() -> Masker;
    let all: [(&str, &str, Make<'_>); 5] = [
        ("plain log", &log, &plain),
        ("plain log, terminal", &log, &terminal),
        ("psql table", &table, &plain),
        ("psql table, terminal", &table, &terminal),
        ("full-screen", &frames, &terminal),
    ];
    let mut sessions = Vec::new();
    for (what, text, masker) in all {
        let mut best: Option<Stages> = None;
        for _ in 0..ROUNDS {
            let stages = stages(&pieces(text), masker())?;
            best = Some(best.filter(|best| best.total() <= stages.total()).unwrap_or(stages));
        }
        sessions.push((what, text.len(), best.context("no round")?));
    }
    Ok(Masking { sessions, container: container(log.as_bytes())?, sizes: sizes(&log[..log.len().min(8_000_000)], terminal())? })
}

impl Masking {
    #[allow(clippy::print_stdout, reason = "its whole purpose")]
    pub fn print(&self) {
        println!("masking, MB/s a core{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}", "grid", "classify", "render", "compress", "encrypt", "total");
        for (what, bytes, stages) in &self.sessions {
            let rate = |seconds: f64| if seconds > 0.0 { format!("{:.0}", *bytes as f64 / 1e6 / seconds) } else { "-".to_owned() };
            let Stages { grid, classify, render, compress, encrypt } = *stages;
            let cells = [grid, classify, render, compress, encrypt, stages.total()].map(|seconds| format!("{:>10}", rate(seconds)));
            println!("{what:<22}{}", cells.concat());
        }
        println!("container             write {:.0} MB/s, read {:.0} MB/s", self.container.0, self.container.1);
        let [printed, cast, gzipped, masked, both] = self.sizes.map(|bytes| bytes as f64 / 1e6);
        println!(
            "size                  {printed:.1} MB printed: asciicast {cast:.1} MB, with gzip {gzipped:.2} MB; masked track {masked:.2} MB, both tracks {both:.2} MB"
        );
    }
}

fn clock() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn stages(pieces: &[&[u8]], masker: Masker) -> Result<Stages> {
    let mut masker = masker.measured(clock);
    let events = masked(pieces, &mut masker);
    let spent = masker.spent();
    let began = Instant::now();
    write(&events, Track::Masked)?;
    let container = began.elapsed().as_secs_f64();
    // The same chunks through the same compressor alone: what is left of the container's time is encryption and the chain.
    let mut packer = zstd::bulk::Compressor::new(1)?;
    let joined = events.concat();
    let began = Instant::now();
    for chunk in joined.chunks(64 << 10) {
        packer.compress(chunk)?;
    }
    let compress = began.elapsed().as_secs_f64().min(container);
    Ok(Stages {
        grid: spent.grid.as_secs_f64(),
        classify: spent.classify.as_secs_f64(),
        render: spent.render.as_secs_f64(),
        compress,
        encrypt: container - compress,
    })
}

/// What comes at once: a screen painted anew, or as much as one read brings.
fn pieces(text: &str) -> Vec<&[u8]> {
    if !text.contains(SCREEN) {
        return text.as_bytes().chunks(PIECE).collect();
    }
    let starts: Vec<usize> = text.match_indices(SCREEN).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    std::iter::once(0).chain(starts.iter().skip(1).copied()).zip(ends).map(|(start, end)| &text.as_bytes()[start..end]).collect()
}

/// A piece every hundred milliseconds. The last frame is left out: finishing is not what is measured.
fn masked(pieces: &[&[u8]], masker: &mut Masker) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for (n, piece) in pieces.iter().enumerate() {
        masker.feed(Duration::from_millis(100 * n as u64), piece, &mut out);
    }
    let text = |event| if let MaskedEvent::Output { text, .. } = event { Some(text.into_string().into_bytes()) } else { None };
    out.into_iter().filter_map(text).collect()
}

fn write(events: &[Vec<u8>], track: Track) -> Result<Vec<u8>> {
    let (mut out, mut packer) = (Vec::new(), Packer::new()?);
    let start = SegmentStart { track, segment: 0, session: uuid::Uuid::nil(), recording: [0; 32], link: [0; 32], salt: [0; 32] };
    let mut writer = SegmentWriter::start(start, &Secret::new([1; 32]), &mut out);
    for (n, bytes) in events.iter().enumerate() {
        writer.event(&Event { at_us: 100_000 * n as u64, channel: 0, body: Body::Output(bytes) }, &mut packer, &mut out)?;
    }
    writer.finish(&[], EndReason::Closed, &mut packer, &mut out)?;
    Ok(out)
}

/// MB/s written and read.
fn container(text: &[u8]) -> Result<(f64, f64)> {
    let events: Vec<Vec<u8>> = text.chunks(PIECE).map(<[u8]>::to_vec).collect();
    let (mut written, mut read) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let file = write(&events, Track::Sealed)?;
        written = written.min(began.elapsed().as_secs_f64());
        let began = Instant::now();
        let length = file.len() as u64;
        let mut reader = SegmentReader::open(Cursor::new(file), &Secret::new([1; 32]), length)?;
        let mut bytes = 0;
        while let Some((_, content)) = reader.next_chunk()? {
            let Content::Events(events) = content else { continue };
            for event in events {
                if let Body::Output(output) = event?.body {
                    bytes += output.len();
                }
            }
        }
        anyhow::ensure!(bytes == text.len(), "{bytes} of {} bytes were read again", text.len());
        read = read.min(began.elapsed().as_secs_f64());
    }
    let rate = |seconds: f64| text.len() as f64 / 1e6 / seconds;
    Ok((rate(written), rate(read)))
}

fn sizes(text: &str, mut masker: Masker) -> Result<[usize; 5]> {
    let printed = pieces(text);
    let pieces: Vec<Vec<u8>> = printed.iter().map(|piece| piece.to_vec()).collect();
    let mut cast = String::from("{\"version\":2,\"width\":120,\"height\":40}\n");
    for (n, piece) in pieces.iter().enumerate() {
        writeln!(cast, "{}", serde_json::json!([n as f64 / 10.0, "o", String::from_utf8_lossy(piece)]))?;
    }
    let masked = write(&masked(&printed, &mut masker), Track::Masked)?.len();
    let sealed = write(&pieces, Track::Sealed)?.len();
    Ok([text.len(), cast.len(), gzipped(cast.as_bytes())?, masked, masked + sealed])
}

fn gzipped(bytes: &[u8]) -> Result<usize> {
    let mut gzip = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("gzip cannot be run")?;
    let mut stdin = gzip.stdin.take().context("gzip takes nothing")?;
    let bytes = bytes.to_vec();
    let feeding = std::thread::spawn(move || stdin.write_all(&bytes));
    let output = gzip.wait_with_output()?;
    anyhow::ensure!(feeding.join().is_ok_and(|fed| fed.is_ok()) && output.status.success(), "gzip failed");
    Ok(output.stdout.len())
}

fn log(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 200);
    for n in 0_u64.. {
        let _ = write!(
            text,
            "2024-01-15T08:{:02}:{:02}.{:03}Z INFO  api-{} request id={:016x} path=/api/v1/orders/{} status=200 bytes={} duration={}ms\r\n",
            n / 60 % 60,
            n % 60,
            n % 1000,
            n % 7,
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            n % 100_000,
            n * 37 % 90_000,
            n % 300
        );
        if text.len() >= bytes {
            break;
        }
    }
    text
}

/// Patients, of whom four of six columns are masked.
fn table(bytes: usize) -> String {
    let mut text = String::from(
        " mrn     | last_name  | first_name | dob        | ward | status     \r\n---------+------------+------------+------------+------+------------\r\n",
    );
    let (last, first) = (["Whitfield", "Okonkwo", "Delacroix", "Nakamura"], ["Marguerite", "Tobias", "Jean", "Ann"]);
    for n in 0_usize.. {
        let _ = write!(
            text,
            " E{:06} | {:<10} | {:<10} | 19{:02}-{:02}-{:02} | {:>4} | discharged \r\n",
            n % 5000,
            last[n % 4],
            first[n / 4 % 4],
            20 + n % 70,
            1 + n % 12,
            1 + n % 28,
            n % 30
        );
        if text.len() >= bytes {
            break;
        }
    }
    text
}

/// Forty rows painted anew, all of them changed.
fn frames(bytes: usize) -> String {
    let mut text = String::from("\x1b[?1049h\x1b[2J");
    for n in 0_u64.. {
        for row in 1..=40 {
            let _ = write!(
                text,
                "\x1b[{row};1H\x1b[32m{:6}\x1b[0m root      20   0  {:7} {:6} S \x1b[1m{:5.1}\x1b[0m  0.{} 12:0{}.{:02} process-{row}\x1b[K",
                n * 7 % 9999 + row,
                n * 31 % 99_999,
                row * 100,
                (n % 100) as f64 / 3.0,
                row % 9,
                row % 6,
                n % 60,
            );
        }
        if text.len() >= bytes {
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_takes_time_and_what_was_written_is_read_again() {
        let masking = measure(1).unwrap();
        for (what, _, stages) in &masking.sessions {
            assert!(stages.classify > 0.0 && stages.render > 0.0 && stages.compress > 0.0, "{what}: {stages:?}");
            assert_eq!(stages.grid > 0.0, what.contains("terminal") || what.contains("screen"), "{what}: {stages:?}");
        }
        let [printed, cast, gzipped, masked, both] = masking.sizes;
        assert!(cast > printed && gzipped < printed && masked < printed && masked < both, "{:?}", masking.sizes);
    }
}
