//! A process killed at any byte, and a file changed at any byte (THREATS 7).
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_domain::{RecordingState, SessionId};
use anteroom_recorder::*;
use common::*;
use std::time::Duration;

/// A recording of several chunks.
async fn chunky_session(lab: &Lab) -> SessionId {
    let recorder = Recorder::open(RecorderOptions { max_lag: Duration::from_millis(80), ..lab.options() }).unwrap();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, exec("tail -f app.log"))).await.unwrap();
    for n in 0..4u64 {
        recording.record(at(n * 100, 0, EventKind::Output(format!("log line number {n}\n").into()))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(recording.finish().await.unwrap().state, RecordingState::Complete);
    recorder.shutdown().await;
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_byte_anywhere_is_never_complete_and_is_found_where_it_is() {
    let lab = lab();
    let session = chunky_session(&lab).await;
    let folder = lab.folder(session);
    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, report.chunks > 8), (Verdict::Complete, true), "{report:?}");
    for (name, good) in files(&folder) {
        let mut bytes = good.clone();
        for i in 0..bytes.len() {
            bytes[i] ^= 1 << (i % 8);
            std::fs::write(folder.join(&name), &bytes).unwrap();
            let report = verify_dir(&lab.root(), session);
            assert_eq!(report.verdict, Verdict::Damaged, "{name} byte {i}");
            if !name.contains('.') || name == "masked.0" || name == "sealed.0" {
                let found = report.findings.iter().find(|f| f.file == name).unwrap();
                assert!(found.offset.unwrap() <= i as u64, "{name} byte {i}: {found}");
            }
            bytes[i] = good[i];
        }
        std::fs::write(folder.join(&name), &good).unwrap();
    }
    assert_eq!(verify_dir(&lab.root(), session).verdict, Verdict::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_anywhere_is_never_complete() {
    let lab = lab();
    let session = chunky_session(&lab).await;
    let folder = lab.folder(session);
    for (name, good) in files(&folder) {
        for len in 0..good.len() {
            std::fs::write(folder.join(&name), &good[..len]).unwrap();
            assert_eq!(verify_dir(&lab.root(), session).verdict, Verdict::Damaged, "{name} cut at {len}");
        }
        let mut longer = good.clone();
        longer.push(0);
        std::fs::write(folder.join(&name), &longer).unwrap();
        assert_eq!(verify_dir(&lab.root(), session).verdict, Verdict::Damaged, "{name} with a byte more");
        std::fs::write(folder.join(&name), &good).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_byte_the_rest_is_recovered_as_torn_and_plays() {
    let lab = lab();
    let session = chunky_session(&lab).await;
    let folder = lab.folder(session);
    let whole = shown(&lab.replayer(), session, 0, Duration::ZERO);
    assert_eq!(whole.matches("log line number").count(), 4);
    std::fs::remove_file(folder.join("manifest.json")).unwrap();

    let recorder = lab.recorder();
    let replayer = lab.replayer();
    let mut seen = std::collections::BTreeSet::new();
    for name in ["masked.0", "sealed.0"] {
        let good = std::fs::read(folder.join(name)).unwrap();
        // Every byte of the chunks; the header is one piece.
        for len in (0..200.min(good.len())).step_by(37).chain(192..=good.len()) {
            std::fs::write(folder.join(name), &good[..len]).unwrap();
            let sealed = recorder.recover();
            assert_eq!((sealed.len(), sealed[0].state), (1, RecordingState::Torn), "{name} cut at {len}");
            assert_eq!(std::fs::read(folder.join(name)).unwrap(), good[..len], "its bytes stay");
            let report = verify_dir(&lab.root(), session);
            assert_eq!(report.verdict, Verdict::Torn, "{name} cut at {len}: {:?}", report.findings);
            let info = replayer.info(session).unwrap();
            let text = if info.channels.is_empty() { String::new() } else { shown(&replayer, session, 0, Duration::ZERO) };
            assert!(whole.starts_with(&text), "{name} cut at {len}: {text:?}");
            if name == "masked.0" {
                seen.insert(text.matches("log line number").count());
            }
            std::fs::remove_file(folder.join("manifest.json")).unwrap();
        }
        std::fs::write(folder.join(name), &good).unwrap();
    }
    assert!(seen.len() >= 3, "prefixes of several lengths were played: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rubbish_after_a_crash_is_not_taken_for_a_recording() {
    let lab = lab();
    let session = chunky_session(&lab).await;
    let folder = lab.folder(session);
    std::fs::remove_file(folder.join("manifest.json")).unwrap();
    let mut bytes = std::fs::read(folder.join("sealed.0")).unwrap();
    bytes.truncate(bytes.len() - 152);
    // Blocks that were allocated and never written.
    bytes.extend_from_slice(&[0; 4096]);
    std::fs::write(folder.join("sealed.0"), &bytes).unwrap();
    assert_eq!(lab.recorder().recover().len(), 1);
    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, &report.notes[..]), (Verdict::Torn, &["sealed.0: 4096 bytes follow the torn end".to_owned()][..]));
}
