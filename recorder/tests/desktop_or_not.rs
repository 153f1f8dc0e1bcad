//! What makes a session one of desktops.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/desktop.rs"]
mod made_up;

use anteroom_domain::RecordingState;
use anteroom_format::Body;
use anteroom_recorder::*;
use common::*;
use made_up::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_has_desktops_or_terminals() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let r = recorder.start(header()).await.unwrap();
    r.record(at(0, 0, opened())).await.unwrap();
    assert!(matches!(r.record(at(1, 1, shell())).await, Err(RecordingFailed::Picture(_))));
    let r = recorder.start(header()).await.unwrap();
    r.record(at(0, 0, shell())).await.unwrap();
    assert!(matches!(r.record(at(1, 1, opened())).await, Err(RecordingFailed::Picture(_))));
    recorder.shutdown().await;
}

/// As in the lobby, where a supervisor comes before the target is touched.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_before_the_first_desktop_is_kept_and_makes_it_no_session_of_terminals() {
    let lab = lab();
    let recorder = lab.recorder().with_desktops(Reader::default().options());
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    r.expect_desktops().unwrap();
    r.record(at(0, 0, EventKind::Note("a supervisor watches".into()))).await.unwrap();
    r.record(at(100, 1, opened())).await.unwrap();
    r.record(at(200, 1, EventKind::Close)).await.unwrap();
    assert_eq!(r.finish().await.unwrap().state, RecordingState::Complete);
    let empty = recorder.start(common::header()).await.unwrap();
    empty.expect_desktops().unwrap();
    assert_eq!(empty.finish().await.unwrap().state, RecordingState::Complete, "nobody ever came");
    recorder.shutdown().await;
    assert_eq!(verify_dir(&lab.root(), session).verdict, Verdict::Complete);
    let noted = sealed(&lab, session, |_, b| if let Body::Note(text) = b { Some((*text).to_owned()) } else { None });
    assert!(noted.iter().any(|n| n == "a supervisor watches"), "{noted:?}");
    let shown: Vec<_> = lab.replayer().info(session).unwrap().channels.iter().map(|c| c.id).collect();
    assert_eq!(shown, [1], "what is noted on no channel is none");
    let survey = lab.replayer().survey(session, &mut || std::ops::ControlFlow::Continue(())).unwrap().unwrap();
    assert!(survey.lines.iter().any(|l| l.text.contains("a supervisor watches")), "{:?}", survey.lines);
}
