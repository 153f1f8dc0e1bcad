//! A desktop is recorded: sealed as it was, masked as it may be seen, and both can be shown.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/desktop.rs"]
mod made_up;

use anteroom_domain::{RecordingState, SessionId, capability::Direction};
use anteroom_format::{Body, Zone};
use anteroom_picture::{Rect, Tiles};
use anteroom_recorder::{
    film::{Shot, ShotKind},
    *,
};
use common::*;
use made_up::*;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

const MRN: &str = "MRN-00482913";

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

async fn play(r: &Recording, ms: u64, frames: Vec<bytes::Bytes>) {
    for frame in frames {
        r.record(at(ms, 0, EventKind::Output(frame))).await.unwrap();
    }
}

fn shots(replayer: &Replayer, session: SessionId, from: Duration) -> Vec<Shot> {
    replayer.film(session, 0, from, Duration::MAX).unwrap().map(|s| s.unwrap()).collect()
}

/// A session that shows a chart with a number in it, and a second screen with another one.
async fn chart(recorder: &Recorder) -> (SessionId, Recording, Vec<bytes::Bytes>) {
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    let mut target = Target::default();
    target.write(16, 20, "Chart of the ward");
    target.write(16, 60, &format!("Patient MRN: {MRN} next"));
    let frames = target.whole();
    r.record(at(0, 0, opened())).await.unwrap();
    play(&r, 10, frames.clone()).await;
    r.record(at(700, 0, EventKind::Pointer { x: 320, y: 100 })).await.unwrap();
    r.record(at(900, 0, EventKind::Input(vec![4 << 2, 6, 0, 0x26, 1, 0x26].into()))).await.unwrap();
    let more = target.write(16, 100, "Second line");
    play(&r, 2_000, target.frames(more)).await;
    r.record(at(2_500, 0, EventKind::Clipboard { way: Direction::Download, text: format!("MRN: {MRN}") })).await.unwrap();
    r.record(at(2_600, 0, EventKind::Note("paused by a supervisor".into()))).await.unwrap();
    r.record(at(3_000, 0, EventKind::Close)).await.unwrap();
    (session, r, frames)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_masked_film_has_the_words_and_not_the_number() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let (session, r, frames) = chart(&recorder).await;
    let sealed_as = r.finish().await.unwrap();
    recorder.shutdown().await;
    assert_eq!(sealed_as.state, RecordingState::Complete);
    assert_eq!(verify_dir(&lab.root(), session).verdict, Verdict::Complete);

    // Masked: what stands there can be read, but for what was classified.
    let replayer = lab.replayer();
    let info = replayer.info(session).unwrap();
    assert_eq!(info.channels.len(), 1);
    assert_eq!(info.channels[0].kind, ChannelKind::Desktop { width: WIDTH, height: HEIGHT });
    let film = shots(&replayer, session, Duration::ZERO);
    assert_eq!(film[0].kind, ShotKind::Size { width: WIDTH, height: HEIGHT });
    let seen = Screening::of(&film);
    let words = texts(seen.picture());
    for word in ["Chart", "ward", "next", "Second", "line"] {
        assert!(words.iter().any(|w| w == word), "{word} in {words:?}");
    }
    assert!(!words.iter().any(|w| w.contains("00482913")), "{words:?}");
    assert_eq!(seen.pointer, Some((320, 100)));
    assert!(seen.notes.iter().any(|n| n == "paused by a supervisor"));
    assert!(!format!("{film:?}").contains("00482913"), "the clipboard is masked too");
    assert!(film.iter().any(|s| matches!(&s.kind, ShotKind::Clipboard { way: Direction::Download, .. })));
    assert!(sealed_as.mask_counts.values().sum::<u64>() >= 1, "{:?}", sealed_as.mask_counts);

    // What was read can be searched, with its time; the number cannot.
    let survey = replayer.survey(session, &mut || std::ops::ControlFlow::Continue(())).unwrap().unwrap();
    let line = survey.lines.iter().find(|l| l.text.contains("Second line")).unwrap();
    assert!((2_000_000..2_500_000).contains(&line.at_us), "{line:?}");
    assert!(!survey.lines.iter().any(|l| l.text.contains("00482913")), "{:?}", survey.lines);

    // Sealed: every frame as it came, and the picture they made.
    let outputs = sealed(&lab, session, |_, b| if let Body::Output(b) = b { Some(b.to_vec()) } else { None });
    assert!(outputs.concat().starts_with(&frames.concat()), "frames as they came");
    let mut picture = None;
    for batch in sealed(&lab, session, |_, b| if let Body::Tiles(b) = b { Some(b.to_vec()) } else { None }) {
        Tiles::decode(&batch).unwrap().paint(&mut picture).unwrap();
    }
    assert!(texts(&picture.unwrap()).iter().any(|w| w == MRN));

    // It is no terminal, and says so.
    let refused = replayer.cast(session, 0, Duration::ZERO).unwrap_err();
    assert!(refused.to_string().contains("desktop and no terminal"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_interval_shows_what_was_there_and_nothing_before_it() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    let mut target = Target::default();
    r.record(at(0, 0, opened())).await.unwrap();
    let first = target.write(16, 60, "first MRN-00482913 here");
    play(&r, 10, target.whole()).await;
    target.write(16, 60, "                       ");
    play(&r, 5_000, target.frames(first)).await;
    // The picture is decoded a moment after its frames, and an interval has what was decoded in it.
    tokio::time::sleep(Duration::from_millis(300)).await;
    r.record(at(5_500, 0, EventKind::Input(vec![4 << 2, 10, 0, 0x26, 1, 0x26, 0, 0x1f, 1, 0x1f].into()))).await.unwrap();
    let second = target.write(16, 100, "second MRN-77110042 there");
    play(&r, 6_000, target.frames(second)).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    r.record(at(9_000, 0, EventKind::Close)).await.unwrap();
    r.finish().await.unwrap();
    recorder.shutdown().await;
    let replayer = lab.replayer();
    let released = release(&lab, session, Duration::from_millis(5_200), Duration::from_millis(8_000));
    let film: Vec<_> = replayer.film_revealed(session, 0, released).unwrap().map(|s| s.unwrap()).collect();
    let mut seen = Screening::default();
    let mut hidden = Vec::new();
    let mut typed = String::new();
    for shot in &film {
        seen.see(shot);
        assert!(!texts(seen.picture()).iter().any(|w| w.contains("00482913")), "what was before stays as it was");
        match &shot.kind {
            ShotKind::Hidden(areas) => hidden.clone_from(areas),
            ShotKind::Typed(keys) => typed.push_str(keys),
            _ => {}
        }
    }
    assert_eq!(texts(seen.picture()), ["second", "MRN-77110042", "there"]);
    assert_eq!(typed, "ls");
    // What the masked recording hides is marked: the number, and neither the word before it nor the one behind.
    let number = Rect::new(16 + 7 * 8, 100, 12 * 8, 16);
    let touches = |r: Rect| hidden.iter().any(|a| Rect::new(a.x, a.y, a.width, a.height).touches(&r));
    assert!(touches(number), "{hidden:?}");
    assert!(!touches(Rect::new(16, 100, 32, 16)) && !touches(Rect::new(16 + 21 * 8, 100, 32, 16)), "{hidden:?}");
    assert!(hidden.iter().any(|a| a.how == film::HiddenHow::Black));
    // Another recording's keys open nothing here.
    let other = release(&lab, session, Duration::ZERO, secs(1));
    assert!(replayer.film_revealed(SessionId(uuid::Uuid::from_u128(1)), 0, other).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stood_there_all_the_time_is_in_a_later_interval_too() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    let mut target = Target::default();
    target.write(16, 60, "still MRN-00482913 here");
    r.record(at(0, 0, opened())).await.unwrap();
    play(&r, 1_000, target.whole()).await;
    r.record(at(63_000, 0, EventKind::Pointer { x: 1, y: 1 })).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    r.record(at(70_000, 0, EventKind::Close)).await.unwrap();
    r.finish().await.unwrap();
    recorder.shutdown().await;
    let released = release(&lab, session, secs(62), secs(65));
    let film: Vec<_> = lab.replayer().film_revealed(session, 0, released).unwrap().map(|s| s.unwrap()).collect();
    assert!(texts(Screening::of(&film).picture()).iter().any(|w| w == MRN));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_zones_are_black_whatever_stands_there() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    let zone = Zone { x: 0, y: 16, width: 200, height: 24 };
    let mut target = Target::default();
    target.write(16, 20, "never seen");
    target.write(16, 60, "often seen");
    let mut opened = desktop();
    opened.zones = vec![zone];
    r.record(at(0, 0, EventKind::OpenDesktop(opened))).await.unwrap();
    play(&r, 10, target.whole()).await;
    r.record(at(20, 0, EventKind::Close)).await.unwrap();
    r.finish().await.unwrap();
    recorder.shutdown().await;
    let seen = Screening::of(&shots(&lab.replayer(), session, Duration::ZERO));
    assert_eq!(texts(seen.picture()), ["often", "seen"]);
    for (x, y) in [(1, 17), (100, 25), (199, 39)] {
        assert_eq!(seen.picture().at(x, y), [0; 3]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_cannot_be_decoded_end_the_recording_and_no_other() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let (good, bad) = (recorder.start(header()).await.unwrap(), recorder.start(header()).await.unwrap());
    for r in [&good, &bad] {
        r.record(at(0, 0, opened())).await.unwrap();
        play(r, 5, Target::default().whole()).await;
    }
    bad.record(at(10, 0, EventKind::Output(vec![0, 6, 1, 200, 0, 1].into()))).await.unwrap();
    let why = tokio::time::timeout(secs(10), bad.failed()).await.unwrap();
    assert!(matches!(why, RecordingFailed::Picture(_)), "{why:?}");
    assert!(bad.record(at(20, 0, EventKind::Close)).await.is_err());
    assert_eq!(bad.finish().await.unwrap().state, RecordingState::Torn);
    play(&good, 30, Target::default().whole()).await;
    good.record(at(40, 0, EventKind::Close)).await.unwrap();
    assert_eq!(good.finish().await.unwrap().state, RecordingState::Complete);
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_reader_everything_is_recorded_and_stays_blurred() {
    let lab = lab();
    let reader = Reader::default();
    reader.missing.store(true, Ordering::SeqCst);
    let recorder = lab.recorder().with_desktops(reader.options());
    let (session, r, _) = chart(&recorder).await;
    assert_eq!(r.finish().await.unwrap().state, RecordingState::Complete);
    recorder.shutdown().await;
    let seen = Screening::of(&shots(&lab.replayer(), session, Duration::ZERO));
    assert_eq!(texts(seen.picture()), [""; 0]);
    let told: Vec<_> = seen.notes.iter().filter(|n| n.contains("blurred")).collect();
    assert_eq!(told.len(), 1, "said once: {:?}", seen.notes);
    // Blurred is not black: the letters have left their grey.
    assert_ne!(seen.picture().at(20, 66), [0; 3]);
    assert_ne!(seen.picture().at(20, 66), [250; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clearing_falls_behind_catches_up_and_says_how_far_it_is() {
    let lab = lab();
    let slow = Reader { takes: Duration::from_millis(400), ..Reader::default() };
    let recorder = lab.recorder().with_desktops(DesktopOptions { memory: 20_000, ..slow.options() });
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    r.record(at(0, 0, opened())).await.unwrap();
    let began = Instant::now();
    let mut target = Target::default();
    // Ten seconds of session time, in which every second has its own picture.
    for n in 0..10 {
        target.write(16, 20, &format!("second {n} of ten"));
        play(&r, n * 1_000 + 500, target.whole()).await;
    }
    assert!(began.elapsed() < secs(3), "nobody waited for clearing: {:?}", began.elapsed());
    let mut status = recorder.clearing(session).unwrap();
    for _ in 0..500 {
        status = recorder.clearing(session).unwrap();
        if status.newest == Duration::from_millis(9_500) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(status.until < status.newest && status.waiting > 0, "{status:?}");
    assert_eq!(
        std::fs::read_dir(lab.root())
            .unwrap()
            .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(".clearing"))
            .count(),
        0
    );
    r.record(at(9_900, 0, EventKind::Close)).await.unwrap();
    r.finish().await.unwrap();
    recorder.shutdown().await;
    // Each second can be seen as it was, whenever it was cleared.
    let film = shots(&lab.replayer(), session, Duration::ZERO);
    let mut seen = Screening::default();
    let mut read = Vec::new();
    for shot in &film {
        seen.see(shot);
        if matches!(shot.kind, ShotKind::Cleared { .. }) {
            read.extend(texts(seen.picture()).get(1).cloned().map(|digit| (shot.at.as_secs(), digit)));
        }
    }
    for n in 0..10u64 {
        assert!(read.contains(&(n, n.to_string())), "second {n} in {read:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_read_in_time_is_blurred_and_the_recording_is_closed() {
    let lab = lab();
    let slow = Reader { takes: Duration::from_millis(400), ..Reader::default() };
    let recorder = lab.recorder().with_desktops(DesktopOptions { patience: Duration::from_millis(600), ..slow.options() });
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    r.record(at(0, 0, opened())).await.unwrap();
    let mut target = Target::default();
    for n in 0..20 {
        target.write(16, 20, &format!("second {n:02} of twenty"));
        play(&r, n * 1_000 + 500, target.whole()).await;
    }
    let began = Instant::now();
    assert_eq!(r.finish().await.unwrap().state, RecordingState::Complete);
    assert!(began.elapsed() < secs(4), "{:?}", began.elapsed());
    recorder.shutdown().await;
    let film = shots(&lab.replayer(), session, Duration::ZERO);
    let seen = Screening::of(&film);
    assert!(seen.notes.iter().any(|n| n.contains("before all pictures were read")), "{:?}", seen.notes);
    assert!(!texts(seen.picture()).iter().any(|w| w == "19"), "the last picture was not read");
    // All of it is there, sealed.
    let tiles = sealed(&lab, session, |_, b| if let Body::Tiles(b) = b { Some(b.to_vec()) } else { None });
    let mut picture = None;
    tiles.iter().for_each(|b| Tiles::decode(b).unwrap().paint(&mut picture).unwrap());
    assert_eq!(texts(&picture.unwrap()), ["second", "19", "of", "twenty"]);
}

/// Found by a story: the sealed track was complete, and the recording broke because "nothing became durable".
#[tokio::test(flavor = "multi_thread")]
async fn clearing_that_takes_long_at_the_end_is_no_disk_that_is_slow() {
    let lab = lab();
    let slow = Reader { takes: Duration::from_millis(900), ..Reader::default() };
    // Beyond fifteen times that, what waits for the disk breaks a recording.
    let options = RecorderOptions { max_lag: Duration::from_millis(200), ..lab.options() };
    let recorder = Recorder::open(options).unwrap().with_desktops(slow.options());
    let r = recorder.start(header()).await.unwrap();
    r.record(at(0, 0, opened())).await.unwrap();
    let mut target = Target::default();
    for n in 0..6 {
        target.write(16, 20, &format!("second {n} of six"));
        play(&r, n * 1_000 + 500, target.whole()).await;
    }
    let began = Instant::now();
    assert_eq!(r.finish().await.unwrap().state, RecordingState::Complete);
    assert!(began.elapsed() > secs(3), "it was not slow enough to show anything: {:?}", began.elapsed());
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_closes_what_is_being_closed() {
    let lab = lab();
    let slow = Reader { takes: Duration::from_millis(300), ..Reader::default() };
    let recorder = lab.recorder().with_desktops(slow.options());
    let r = recorder.start(header()).await.unwrap();
    r.record(at(0, 0, opened())).await.unwrap();
    let mut target = Target::default();
    for n in 0..40 {
        target.write(16, 20, &format!("second {n:02} of forty"));
        play(&r, n * 1_000 + 500, target.whole()).await;
    }
    let closing = tokio::spawn(async move { r.finish().await });
    tokio::time::sleep(Duration::from_millis(400)).await;
    let began = Instant::now();
    recorder.shutdown().await;
    let closed = tokio::time::timeout(secs(5), closing).await.unwrap().unwrap().unwrap();
    assert!(began.elapsed() < secs(5), "{:?}", began.elapsed());
    assert_eq!(closed.state, RecordingState::Complete);
    let seen = Screening::of(&shots(&lab.replayer(), closed.session, Duration::ZERO));
    assert!(seen.notes.iter().any(|n| n.contains("before all pictures were read")), "{:?}", seen.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_can_be_entered_anywhere_and_followed_while_it_is_made() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    r.record(at(0, 0, opened())).await.unwrap();
    let mut target = Target::default();
    let mut told = Vec::new();
    let mut follower = None;
    for n in 0..30u64 {
        target.write(16, 20, &format!("moment {n:02}"));
        play(&r, n * 1_000, target.whole()).await;
        if n == 15 {
            wait_until(|| recorder.clearing(session).is_some_and(|s| s.until >= secs(15))).await;
            // What was cleared is on its way to the disk.
            tokio::time::sleep(Duration::from_millis(600)).await;
            let mut begun = lab.replayer().follow_film(session, 0).unwrap();
            told.extend(begun.look().unwrap().0);
            assert_eq!(texts(Screening::of(&told).picture()), ["moment", "15"]);
            follower = Some(begun);
        }
    }
    r.record(at(30_000, 0, EventKind::Close)).await.unwrap();
    r.finish().await.unwrap();
    recorder.shutdown().await;
    let mut follower = follower.unwrap();
    while told.last().is_none_or(|s| s.kind != ShotKind::Over) {
        told.extend(follower.look().unwrap().0);
    }
    let told: Vec<_> = told.into_iter().filter(|s| !matches!(s.kind, ShotKind::Now(_) | ShotKind::Over)).collect();
    assert_eq!(texts(Screening::of(&told).picture()), ["moment", "29"]);

    let replayer = lab.replayer();
    let parts = replayer.film_parts(session, 0).unwrap();
    assert_eq!((parts.width, parts.height, parts.duration), (WIDTH, HEIGHT, secs(30)));
    for n in [0, 3, 12, 25] {
        let from = Duration::from_millis(n * 1_000 + 500);
        let part: Vec<_> = replayer.film(session, 0, from, from + Duration::from_millis(100)).unwrap().map(|s| s.unwrap()).collect();
        let seen = Screening::of(&part);
        assert_eq!(texts(seen.picture()), ["moment".to_owned(), format!("{n:02}")], "entered at {from:?}");
        assert_eq!(part[0].at, from);
    }
}

/// What a process that died leaves: the sealed track to its last second, the masked one to where clearing was.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_recording_is_torn_where_clearing_was() {
    let lab = lab();
    let slow = Reader { takes: secs(2), ..Reader::default() };
    let recorder = lab.recorder().with_desktops(slow.options());
    let (session, r, _) = chart(&recorder).await;
    wait_until(|| recorder.clearing(session).is_some_and(|s| s.newest >= Duration::from_millis(2_600))).await;
    // Durable, but not finished: as `kill -9` would leave it.
    tokio::time::sleep(secs(1)).await;
    let copy = common::lab();
    copy_dir(&lab.root(), &copy.root());
    drop(r);
    recorder.shutdown().await;
    let after = copy.recorder();
    let torn = after.recover();
    assert_eq!(torn.iter().map(|s| (s.session, s.state)).collect::<Vec<_>>(), [(session, RecordingState::Torn)]);
    after.shutdown().await;
    let sealed_words = sealed(&copy, session, |_, b| if let Body::Tiles(b) = b { Some(b.to_vec()) } else { None });
    assert!(!sealed_words.is_empty());
    let film = shots(&copy.replayer(), session, Duration::ZERO);
    assert!(film.iter().all(|s| s.at < secs(3)), "the masked track ends where clearing was");
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else if entry.file_name() != ".lock" {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn wait_until(mut there: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if there() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to that");
}
