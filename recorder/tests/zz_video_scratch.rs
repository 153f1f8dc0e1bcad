#![allow(dead_code, clippy::unwrap_used)]
#[path = "../../gateway/anteroom/src/cli/video/encoder.rs"]
mod encoder;
#[path = "../../gateway/anteroom/src/cli/video/frames.rs"]
mod frames;
#[path = "../../gateway/anteroom/src/cli/video/placed.rs"]
mod placed;
#[path = "../../web/src/tests/painting.rs"]
mod painting;

mod common;

// desktop helper not needed
use anteroom_recorder::{film::Shot, *};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn e2e() {
    let lab = common::lab();
    let recorder = lab.recorder();
    let header = common::header();
    let id = header.session;
    let recording = recorder.start(header).await.unwrap();
    let ev = |ms: u64, kind| Event { at: Duration::from_millis(ms), channel: 0, kind };
    recording.record(ev(0, EventKind::OpenDesktop(Desktop { width: 320, height: 200, io_channel: 1003, channels: vec![], zones: vec![] }))).await.unwrap();
    for f in painting::rectangle(0, 0, 320, 200, [200, 30, 20]) { recording.record(ev(20, EventKind::Output(f))).await.unwrap(); }
    for f in painting::rectangle(0, 0, 320, 200, [20, 30, 200]) { recording.record(ev(3000, EventKind::Output(f))).await.unwrap(); }
    recording.record(ev(5000, EventKind::Close)).await.unwrap();
    recording.finish().await.unwrap();
    let replayer = lab.replayer();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("a.mp4");
    tokio::task::spawn_blocking(move || {
        let shots: Vec<Shot> = replayer.film(id, 0, Duration::ZERO, Duration::MAX).unwrap().map(Result::unwrap).collect();
        let mut bytes = Vec::new();
        shots.iter().for_each(|s| s.put(&mut bytes));
        println!("{} shots, {} bytes", shots.len(), bytes.len());
        let mut extent = frames::Extent::default();
        shots.iter().for_each(|s| extent.take(s));
        let mut pace = frames::Pace::new(10, 1.0, None);
        let mut enc = encoder::Encoder::start(extent, 10, encoder::Container::Mp4, "t", Some(&out)).unwrap();
        let mut fr = frames::Frames::new(extent);
        let mut n = 0;
        for s in &shots {
            for _ in 0..pace.due(s.at) { enc.write(fr.frame()).unwrap(); n += 1; }
            fr.take(s).unwrap();
        }
        enc.write(fr.frame()).unwrap();
        enc.finish().unwrap();
        println!("{n} frames, {} bytes", std::fs::metadata(&out).unwrap().len());
        let p = std::process::Command::new("ffmpeg").args(["-v","error","-i"]).arg(&out).args(["-f","rawvideo","-pix_fmt","rgb24","pipe:1"]).output().unwrap();
        let all: Vec<&[u8]> = p.stdout.chunks_exact(320*200*3).collect();
        println!("decoded {} first {:?} last {:?}", all.len(), &all[5][..3], &all[all.len()-1][..3]);
        assert!(all[5][0] > 170 && all[all.len()-1][2] > 170);
    }).await.unwrap();
}
