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
