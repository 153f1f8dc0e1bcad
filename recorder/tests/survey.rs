//! What of a recording can be searched, what its timeline shows, and playing it piece by piece and live.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_domain::{LineKind, SessionId, capability::Direction};
use anteroom_recorder::*;
use common::*;
use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

async fn recorded(lab: &Lab, events: Vec<Event>) -> SessionId {
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    for event in events {
        recording.record(event).await.unwrap();
    }
    recording.finish().await.unwrap();
    session
}

fn survey(lab: &Lab, session: SessionId) -> Survey {
    lab.replayer().survey(session, &mut || ControlFlow::Continue(())).unwrap().unwrap()
}

fn out(ms: u64, channel: u32, text: &str) -> Event {
    at(ms, channel, EventKind::Output(text.to_owned().into()))
}

/// Nothing is shown; masking lets go of what came before, as the recorder makes it do when time passes.
fn rest(ms: u64, channel: u32) -> Event {
    out(ms, channel, "\x07")
}

fn work() -> Vec<Event> {
    let moved = FileMoved {
        direction: Direction::Upload,
        path: "/srv/firmware/pump-7.bin".into(),
        bytes: 4096,
        sha256: Some([7; 32]),
        outcome: Outcome::Complete,
    };
    vec![
        at(0, 0, shell()),
        out(10, 0, "root@ehr:~# "),
        at(900, 0, EventKind::Input("hunter2\r".into())),
        out(1000, 0, "vacuum ward4\r\nlog of the nightly export\r\nSSN: 536-22-8726\r\nroot@ehr:~# "),
        rest(1_100, 0),
        out(31_000, 0, "\x1b[?1049h\x1b[2J\x1b[3;1Hfull screen of the monitor\x1b[H"),
        rest(31_100, 0),
        out(33_000, 0, "\x1b[?1049l"),
        at(34_000, 1, exec("systemctl restart interface-engine")),
        out(34_010, 1, "restarting unit\nlog of the nightly export\n"),
        at(34_020, 1, EventKind::Exit { status: 3 }),
        at(34_021, 1, EventKind::Close),
        at(35_000, 2, EventKind::OpenFiles { how: "sftp".into() }),
        at(35_100, 2, EventKind::File(moved)),
        at(35_200, 2, EventKind::Close),
        at(36_000, 0, EventKind::Message("please finish by noon".into())),
        at(40_000, 0, EventKind::Resize { cols: 100, rows: 30 }),
        at(60_000, 0, EventKind::Exit { status: 0 }),
        at(60_000, 0, EventKind::Close),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_is_kept_once_with_its_moment_and_nothing_else_is() {
    let lab = lab();
    let session = recorded(&lab, work()).await;
    let s = survey(&lab, session);
    let find =
        |text: &str| s.lines.iter().filter(|l| l.text.contains(text)).map(|l| (l.kind, l.channel, l.at_us / 1_000_000)).collect::<Vec<_>>();
    assert_eq!(find("vacuum ward4"), [(LineKind::Screen, 0, 1)], "{:?}", s.lines);
    assert_eq!(find("full screen of the monitor"), [(LineKind::Screen, 0, 31)], "{:?}", s.lines);
    assert_eq!(find("log of the nightly export"), [(LineKind::Screen, 0, 1)], "the same again is not kept again");
    assert_eq!(find("systemctl restart"), [(LineKind::Command, 1, 34)]);
    assert_eq!(find("restarting unit"), [(LineKind::Screen, 1, 34)]);
    assert_eq!(find("firmware/pump-7.bin"), [(LineKind::File, 2, 35)]);
    assert!(find("please finish by noon").contains(&(LineKind::Note, 0, 36)), "{:?}", s.lines);
    let all: String = s.lines.iter().map(|l| l.text.as_str()).collect();
    for absent in ["hunter2", "536-22-8726", "536", "\x1b"] {
        assert!(!all.contains(absent), "{absent:?} in {all}");
    }
    assert!(all.contains("SSN: █"), "a masked place stays one: {all}");
    assert!(!s.cut && s.lines.is_sorted_by_key(|l| l.at_us));
    // Every line can be read in the masked track itself.
    let replayer = lab.replayer();
    let shown: String = [0, 1].map(|c| shown(&replayer, session, c, Duration::ZERO)).concat();
    for line in s.lines.iter().filter(|l| l.kind == LineKind::Screen) {
        for word in line.text.split_whitespace() {
            assert!(shown.contains(word), "{word:?} of {line:?} was never shown");
        }
    }

    let t = &s.timeline;
    let marks: Vec<_> = t.marks.iter().map(|m| (m.kind, m.channel)).collect();
    for expected in [
        (MarkKind::Shell, 0),
        (MarkKind::Command, 1),
        (MarkKind::Failed, 1),
        (MarkKind::Files, 2),
        (MarkKind::File, 2),
        (MarkKind::Message, 0),
        (MarkKind::Resize, 0),
    ] {
        assert!(marks.contains(&expected), "{expected:?} in {marks:?}");
    }
    assert_eq!((t.duration_us, t.masks.len()), (60_000_000, BARS));
    assert_eq!(t.masks[2], 1, "one masked place at the first second of sixty");
    assert!(t.quiet.iter().any(|q| q.channel == 0 && q.until_us == 31_000_000 && q.from_us < 2_000_000), "{:?}", t.quiet);
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_and_screens_that_repaint_themselves_stay_within_bounds() {
    let lab = lab();
    let mut events = vec![at(0, 0, shell()), out(1, 0, "\x1b[?1049h")];
    for n in 0..200u64 {
        events.push(out(1000 + n * 2000, 0, &format!("\x1b[H\x1b[2Jtasks {n} running {}\r\nload {n}.5\x1b[9;1H", n * 3)));
    }
    events.push(out(500_000, 0, "\x1b[?1049lafter the monitor\r\n"));
    let flood: String = (0..6_000).map(|n| format!("flood line {n}\r\n")).collect();
    events.push(out(510_000, 0, &flood));
    events.push(rest(510_100, 0));
    events.push(out(900_000, 0, "after the flood\r\n"));
    events.push(at(901_000, 0, EventKind::Close));
    let session = recorded(&lab, events).await;
    let s = survey(&lab, session);
    let count = |text: &str| s.lines.iter().filter(|l| l.text.contains(text)).count();
    assert!((1..=8).contains(&count("tasks")), "{}", count("tasks"));
    assert!(count("flood line") >= 1_000 && count("flood line") <= 2_100, "{}", count("flood line"));
    assert!(s.cut && count("after the monitor") == 1 && count("after the flood") == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_that_is_told_to_stop_stops() {
    let lab = lab();
    let mut events = vec![at(0, 0, shell())];
    events.extend((0..5_000).map(|n| out(n * 100, 0, "x\r\n")));
    let session = recorded(&lab, events).await;
    assert!(lab.replayer().survey(session, &mut || ControlFlow::Break(())).unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_channel_make_the_whole_and_each_begins_with_its_screen() {
    let lab = lab();
    let mut events = vec![at(0, 0, shell())];
    // Noise, so that it takes room.
    let mut seed = 1u64;
    for n in 0..1_200u64 {
        let noise: String = (0..30)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                format!("{:x}g", seed >> 20)
            })
            .collect();
        events.push(out(n * 1000, 0, &format!("tick-{n}-of-the-clock {noise}\r\n")));
    }
    events.push(at(1_200_000, 0, EventKind::Close));
    let session = recorded(&lab, events).await;
    let replayer = lab.replayer();
    let parts = replayer.parts(session, 0).unwrap();
    assert_eq!((parts.cols, parts.rows, parts.starts[0]), (80, 24, Duration::ZERO));
    assert!(parts.starts.len() > 2 && parts.starts.is_sorted() && *parts.starts.last().unwrap() < parts.duration, "{parts:?}");
    let mut seen = String::new();
    for (n, start) in parts.starts.iter().enumerate() {
        let until = parts.starts.get(n + 1).copied().unwrap_or(Duration::MAX);
        for (row, line) in replayer.part(session, 0, *start, until).unwrap().skip(1).enumerate() {
            let (time, code, text): (f64, String, String) = serde_json::from_str(&line.unwrap()).unwrap();
            assert!(
                time >= start.as_secs_f64() && (until == Duration::MAX || time < until.as_secs_f64()),
                "{time} in {start:?}..{until:?}"
            );
            match (n, row) {
                (1.., 0) => assert_eq!((code.as_str(), text.as_str()), ("r", "80x24")),
                (1.., 1) => assert!(code == "o" && text.contains("-of-the-clock") && time == start.as_secs_f64(), "{time} {code}"),
                _ => assert_eq!(code, "o"),
            }
            seen.push_str(&text);
        }
    }
    for n in 0..1_200 {
        assert!(seen.contains(&format!("tick-{n}-of-the-clock")), "{n} is in no part");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_session_is_followed_masked_and_to_its_end() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, shell())).await.unwrap();
    recording.record(out(5, 0, "before anybody looked\r\n")).await.unwrap();
    let replayer = lab.replayer();
    let began = Instant::now();
    let mut follower = loop {
        match replayer.follow(session, 0) {
            Ok(f) => break f,
            Err(e) => assert!(began.elapsed() < Duration::from_secs(10), "{e}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let mut told: Vec<Live> = Vec::new();
    let text = |told: &[Live]| {
        told.iter()
            .map(|l| match l {
                Live::Screen { paint, .. } => paint.clone(),
                Live::Event(line) => line.clone(),
                Live::Over => "OVER".into(),
            })
            .collect::<String>()
    };
    let mut wait_for = async |told: &mut Vec<Live>, wanted: &str| {
        let began = Instant::now();
        while !text(told).contains(wanted) {
            assert!(began.elapsed() < Duration::from_secs(10), "never {wanted:?}: {}", text(told));
            tokio::time::sleep(Duration::from_millis(50)).await;
            told.extend(follower.look().unwrap().0);
        }
    };
    wait_for(&mut told, "before anybody looked").await;
    assert!(matches!(told[0], Live::Screen { cols: 80, rows: 24, .. }), "{told:?}");
    recording.record(out(2_000, 0, "SSN: 536-22-8726 and then some\r\n")).await.unwrap();
    wait_for(&mut told, "and then some").await;
    assert!(!text(&told).contains("536-22-8726") && !text(&told).contains("OVER"), "{told:?}");
    recording.record(at(3_000, 0, EventKind::Close)).await.unwrap();
    recording.finish().await.unwrap();
    wait_for(&mut told, "OVER").await;
    assert_eq!(told.iter().filter(|l| **l == Live::Over).count(), 1);
    // Who comes late sees the last screen and that it is over.
    let mut late = replayer.follow(session, 0).unwrap();
    let late = late.look().unwrap().0;
    assert!(text(&late).contains("and then some") && late.last() == Some(&Live::Over), "{late:?}");
}
