//! How fast the masker is, by kind of output, on one core: `cargo run -p anteroom-masking --example throughput -- [part of a title]`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom_masking::{LiveMask, MaskedEvent, Masker, RuleSet};

const BYTES: usize = 32 << 20;

fn main() {
    let rules = Arc::new(RuleSet::builtin());
    let log = log();
    let table = table();
    let frames = frames();
    let coloured = coloured(&log);
    // As `tail -f` prints it: a frame for each.
    let lines: Vec<Vec<u8>> = log.split_inclusive(|byte| *byte == b'\n').take(20_000).map(<[u8]>::to_vec).collect();
    let noise: Vec<u8> = noise().take(BYTES).collect();
    run("plain log, no terminal", Masker::plain(Arc::clone(&rules)), std::slice::from_ref(&log));
    run("plain log, terminal", Masker::new(Arc::clone(&rules), 120, 40), std::slice::from_ref(&log));
    run("psql table, no terminal", Masker::plain(Arc::clone(&rules)), std::slice::from_ref(&table));
    run("psql table, terminal", Masker::new(Arc::clone(&rules), 120, 40), std::slice::from_ref(&table));
    run("coloured log, no terminal", Masker::plain(Arc::clone(&rules)), std::slice::from_ref(&coloured));
    run("coloured log, terminal", Masker::new(Arc::clone(&rules), 120, 40), std::slice::from_ref(&coloured));
    run("log line by line, terminal", Masker::new(Arc::clone(&rules), 120, 40), &lines);
    run("full-screen frames", Masker::new(Arc::clone(&rules), 120, 40), &frames);
    live("live: plain log, terminal", &rules, &log);
    live("live: psql table, terminal", &rules, &table);
    live("live: coloured log, terminal", &rules, &coloured);
    live("live: full-screen frames", &rules, &frames.concat());
    run("binary, no terminal", Masker::plain(rules), &[noise]);
}

/// Runs what the first argument names (a part of its title), or everything.
fn run(what: &str, masker: Masker, chunks: &[Vec<u8>]) {
    if std::env::args().nth(1).is_none_or(|wanted| what.contains(&wanted)) {
        measure(what, masker, chunks);
    }
}

/// Feeds chunks a tenth of a second apart, 64 KiB a call, and prints MB/s.
fn measure(what: &str, mut masker: Masker, chunks: &[Vec<u8>]) {
    let bytes: usize = chunks.iter().map(Vec::len).sum();
    let mut out: Vec<MaskedEvent> = Vec::new();
    let mut written = 0;
    let start = Instant::now();
    let busy = busy_nanoseconds();
    for (n, chunk) in chunks.iter().enumerate() {
        let at = Duration::from_millis(100 * n as u64);
        for part in chunk.chunks(64 << 10) {
            masker.feed(at, part, &mut out);
            written += out.drain(..).map(|event| if let MaskedEvent::Output { text, .. } = event { text.len() } else { 0 }).sum::<usize>();
        }
    }
    let summary = masker.finish(Duration::from_secs(100_000), &mut out);
    // Time on the processor, so that a busy machine does not change the answer; wall time where that cannot be told.
    let seconds = match (busy, busy_nanoseconds()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e9,
        _ => start.elapsed().as_secs_f64(),
    };
    println!(
        "{what:26} {:8.1} MB/s   in {:6.1} MB   out {:6.1} MB   masked {:?}",
        bytes as f64 / 1e6 / seconds,
        bytes as f64 / 1e6,
        written as f64 / 1e6,
        summary.counts
    );
}

/// A person's own terminal: what a relay reads at once, a millisecond apart.
fn live(what: &str, rules: &Arc<RuleSet>, bytes: &[u8]) {
    if std::env::args().nth(1).is_some_and(|wanted| !what.contains(&wanted)) {
        return;
    }
    let mut mask = LiveMask::terminal(Arc::clone(rules), 120, 40);
    let (start, busy) = (Instant::now(), busy_nanoseconds());
    let mut written = 0;
    for (n, part) in bytes.chunks(32 << 10).enumerate() {
        written += mask.feed(Duration::from_millis(n as u64), part).len();
    }
    let (text, summary) = mask.finish(Duration::from_secs(100_000));
    written += text.len();
    let seconds = match (busy, busy_nanoseconds()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e9,
        _ => start.elapsed().as_secs_f64(),
    };
    let (rate, out) = (bytes.len() as f64 / 1e6 / seconds, written as f64 / 1e6);
    println!("{what:26} {rate:8.1} MB/s   in {:6.1} MB   out {out:6.1} MB   masked {:?}", bytes.len() as f64 / 1e6, summary.counts);
}

/// Linux tells how long a thread has run.
fn busy_nanoseconds() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

fn noise() -> impl Iterator<Item = u8> {
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::from_fn(move || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        Some((x >> 32) as u8)
    })
}

fn log() -> Vec<u8> {
    let mut text = String::with_capacity(BYTES + 200);
    let mut n = 0_u64;
    while text.len() < BYTES {
        n += 1;
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
    }
    text.into_bytes()
}

/// The same with the level in colour.
fn coloured(log: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(log).replace("INFO", "\x1b[32mINFO\x1b[0m").into_bytes()
}

fn table() -> Vec<u8> {
    let mut text = String::from(
        "   mrn    | last_name  | first_name |    dob     | unit | hgb  \r\n----------+------------+------------+------------+------+------\r\n",
    );
    let mut n = 0_u64;
    while text.len() < BYTES {
        n += 1;
        let name = ["Whitfield", "Okonkwo", "Delacroix", "Hartmann", "Szabo"][(n % 5) as usize];
        let _ = write!(
            text,
            " E{:07} | {name:10} | Marguerite | {:04}-{:02}-{:02} | 4W   | {:2}.{} \r\n",
            n % 5000,
            1930 + n % 80,
            1 + n % 12,
            1 + n % 28,
            9 + n % 7,
            n % 10
        );
    }
    text.into_bytes()
}

/// Like `top`: every frame repaints a few rows with colours and cursor movements.
fn frames() -> Vec<Vec<u8>> {
    let mut frames = vec![b"\x1b[?1049h\x1b[2J".to_vec()];
    for n in 0..3000_u64 {
        let mut text = String::from("\x1b[H");
        for row in 1..=40 {
            let _ = write!(
                text,
                "\x1b[{row};1H\x1b[32m{:6}\x1b[0m root      20   0  {:7} {:6} S \x1b[1m{:5.1}\x1b[0m  0.{} 12:0{}.{:02} process-{}\x1b[K",
                n * 7 % 9999 + row,
                n * 31 % 99_999,
                row * 100,
                (n % 100) as f64 / 3.0,
                row % 9,
                row % 6,
                n % 60,
                row
            );
        }
        frames.push(text.into_bytes());
    }
    frames
}
