//! Replay starts anywhere in an eight-hour recording.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
mod common;
use anteroom_recorder::*;
use common::*;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn any_moment_of_eight_hours_is_shown_at_once() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, shell())).await.unwrap();
    let seconds = 8 * 3600;
    for n in (0..seconds).step_by(4) {
        recording.record(at(n * 1000, 0, EventKind::Output(format!("\x1b[32mtick {n}\x1b[0m of the clock\r\n").into()))).await.unwrap();
    }
    // Read while it is being written: no index yet. What was taken is on the disk within the lag.
    let (open, began) = (lab.replayer(), Instant::now());
    while open.cast(session, 0, Duration::from_secs(60)).map_or(true, |mut cast| cast.next().is_none()) {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing can be read of a recording that is being written");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    recording.finish().await.unwrap();

    let replayer = lab.replayer();
    for moment in [1u64, 9, 5 * 3600 + 17, seconds - 30] {
        let start = Instant::now();
        let mut cast = replayer.cast(session, 0, Duration::from_secs(moment)).unwrap();
        let first: Vec<String> = cast.by_ref().take(3).map(Result::unwrap).collect();
        let took = start.elapsed();
        let header: serde_json::Value = serde_json::from_str(&first[0]).unwrap();
        assert_eq!((&header["version"], &header["width"], &header["height"]), (&2.into(), &80.into(), &24.into()));
        let resize: serde_json::Value = serde_json::from_str(&first[1]).unwrap();
        let paint: serde_json::Value = serde_json::from_str(&first[2]).unwrap();
        assert_eq!((resize[0].as_f64(), &resize[1], &resize[2]), (Some(moment as f64), &"r".into(), &"80x24".into()));
        let screen = paint[2].as_str().unwrap();
        // Masking holds back what may still change; the screen is at most a few lines behind.
        assert!((moment.saturating_sub(110)..=moment).any(|n| screen.contains(&format!("tick {n}"))), "at {moment}: {screen:?}");
        assert!(
            !(moment + 1..moment + 20).any(|n| screen.contains(&format!("tick {n}\u{1b}")) || screen.contains(&format!("tick {n} "))),
            "at {moment}: {screen:?}"
        );
        assert!(took < Duration::from_millis(500), "{moment}: {took:?}");
        println!("seek to {moment} s: {took:?}");
    }
    let rest = shown(&replayer, session, 0, Duration::from_secs(seconds - 30));
    assert!(rest.contains(&format!("tick {}", seconds - 4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_stops_when_nobody_listens() {
    let lab = lab();
    let session = complete_session(&lab.recorder()).await;
    let replayer = lab.replayer();
    let mut stream = replayer.stream(session, 0, Duration::ZERO).await.unwrap();
    let piece = stream.recv().await.unwrap().unwrap();
    assert!(piece.starts_with(b"{"));
    drop(stream);
    assert!(matches!(replayer.stream(session, 9, Duration::ZERO).await, Err(ReplayError::NoChannel(9))));
}

/// Bytes that this thread asked the kernel for.
fn bytes_read() -> u64 {
    let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
    io.lines().find_map(|l| l.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_reads_a_bounded_part_of_a_busy_recording() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, shell())).await.unwrap();
    // Noise that does not shrink. An hour of quiet work, then 16 MiB within three seconds, then quiet work again.
    let mut seed = 7u64;
    let mut noise = |bytes: usize| -> String {
        let mut out = String::with_capacity(bytes + 32);
        while out.len() < bytes {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            out.push_str(&format!("{:x}q{:x}\r\n", seed >> 16, seed.rotate_left(29)));
        }
        out
    };
    for n in 0..3_600u64 {
        recording.record(at(n * 1_000, 0, EventKind::Output(noise(200).into()))).await.unwrap();
    }
    for n in 0..256u64 {
        recording.record(at(3_600_000 + n * 10, 0, EventKind::Output(noise(64 << 10).into()))).await.unwrap();
    }
    for n in 0..600u64 {
        recording.record(at(3_700_000 + n * 1_000, 0, EventKind::Output(noise(200).into()))).await.unwrap();
    }
    let sealed = recording.finish().await.unwrap();
    let masked = sealed.manifest.tracks[0].segments.iter().map(|s| s.bytes).sum::<u64>();
    assert!(masked > 8 << 20, "{masked} bytes are no busy recording");

    let replayer = lab.replayer();
    let worst = std::thread::spawn(move || {
        let moments = (0..40).map(|n| 1_000 + n * 107_000).chain((0..26).map(|n| 3_600_000 + n * 100));
        moments
            .map(|ms| {
                let before = bytes_read();
                let mut cast = replayer.cast(session, 0, Duration::from_millis(ms)).unwrap();
                let first: Vec<String> = cast.by_ref().take(3).map(Result::unwrap).collect();
                assert_eq!(first.len(), 3, "at {ms}");
                bytes_read() - before
            })
            .max()
            .unwrap()
    })
    .join()
    .unwrap();
    println!("{masked} bytes of masked track, at most {worst} read for a jump");
    // The output between two keyframes, before it is compressed, and tables.
    assert!(worst < 3 << 20, "{worst} bytes read");
}
