//! A desktop over several segments: each can be read without the one before it.
#![allow(clippy::unwrap_used)]
use crate::{
    common::*,
    film::ShotKind,
    made_up::{Reader, Screening, Target, opened, texts},
    store::RealDisk,
    *,
};
use std::{sync::Arc, time::Duration};

#[tokio::test(flavor = "multi_thread")]
async fn every_segment_begins_with_the_picture() {
    let lab = lab();
    let recorder = Recorder::open_on(lab.options(), Arc::new(RealDisk), 1_500).unwrap().with_desktops(Reader::default().options());
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    r.record(at(0, 0, opened())).await.unwrap();
    let mut target = Target::default();
    target.write(16, 20, "stays where it is");
    for frame in target.whole() {
        r.record(at(5, 0, EventKind::Output(frame))).await.unwrap();
    }
    for n in 1..40u64 {
        let area = target.write(16, 100, &format!("moment {n:02}"));
        for frame in target.frames(area) {
            r.record(at(n * 1_000, 0, EventKind::Output(frame))).await.unwrap();
        }
    }
    r.record(at(40_000, 0, EventKind::Close)).await.unwrap();
    r.finish().await.unwrap();
    recorder.shutdown().await;
    assert_eq!(verify_dir(&lab.root(), session).verdict, Verdict::Complete);
    let count =
        |track: &str| files(&lab.folder(session)).iter().filter(|(name, _)| name.starts_with(track) && !name.ends_with("envelope")).count();
    assert!(count("masked.") > 2 && count("sealed.") > 2, "{} and {} segments", count("masked."), count("sealed."));

    let replayer = lab.replayer();
    for n in [1u64, 17, 39] {
        let from = Duration::from_millis(n * 1_000 + 500);
        let part: Vec<_> = replayer.film(session, 0, from, from).unwrap().map(|s| s.unwrap()).collect();
        let words = texts(Screening::of(&part).picture());
        assert_eq!(words, ["stays", "where", "it", "is", "moment", &format!("{n:02}")], "entered at {from:?}");
    }
    let whole: Vec<_> = replayer.film(session, 0, Duration::ZERO, Duration::MAX).unwrap().map(|s| s.unwrap()).collect();
    assert_eq!(whole.iter().filter(|s| matches!(s.kind, ShotKind::Size { .. })).count(), 1, "segments are not seen by a viewer");
}
