//! A session is recorded, closed, verified and replayed.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_domain::{RecordingState, Secret};
use anteroom_format::{Body, ChainReader, Content, Envelope, EnvelopeError, SegmentReader};
use anteroom_recorder::*;
use common::*;
use std::{io::Cursor, os::unix::fs::PermissionsExt, time::Duration};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_can_be_replayed_and_verified() {
    let lab = lab();
    let recorder = lab.recorder();
    let (session, recording) = short_session(&recorder).await;
    let sealed = recording.finish().await.unwrap();
    assert_eq!((sealed.state, sealed.mask_incomplete), (RecordingState::Complete, false));
    assert_eq!(sealed.manifest.duration_us, 2_001_000);
    let again = recorder.sealed(session).unwrap();
    assert_eq!((again.manifest_sha256, again.bytes, again.state), (sealed.manifest_sha256, sealed.bytes, sealed.state));
    assert!(recorder.sealed(header().session).is_none());
    assert_eq!(sealed.manifest.channels[0].input_bytes, 8);

    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, &report.findings[..]), (Verdict::Complete, &[][..]));
    assert_eq!(report.manifest_sha256, Some(sealed.manifest_sha256));
    assert_eq!(report.header_sha256, Some(recording.header_sha256()));

    let replayer = lab.replayer();
    let info = replayer.info(session).unwrap();
    assert_eq!(info.state, RecordingState::Complete);
    assert_eq!(info.channels.len(), 2);
    assert_eq!((info.channels[0].cols, info.channels[0].title.as_str()), (Some(80), "shell"));
    assert_eq!((info.channels[1].title.as_str(), info.channels[1].exit_status), ("uname -a", Some(3)));
    let text = shown(&replayer, session, 0, Duration::ZERO);
    assert!(text.contains("first line") && text.contains("after the resize"), "{text:?}");
    assert!(!text.contains("Linux") && !text.contains("hunter2"), "{text:?}");
    assert!(shown(&replayer, session, 1, Duration::ZERO).contains("Linux ehr-db-1\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_holders_together_open_the_sealed_track_and_nobody_else_does() {
    let lab = lab();
    let session = complete_session(&lab.recorder()).await;
    let folder = lab.folder(session);
    let file = std::fs::read(folder.join("sealed.0")).unwrap();
    let header = ChainReader::open(&file[..]).unwrap().header().clone();
    let envelope = Envelope::from_bytes(&std::fs::read(folder.join("sealed.0.envelope")).unwrap()).unwrap();

    assert!(matches!(envelope.open(&header, &lab.masked), Err(EnvelopeError::NotForKey)));
    let a = envelope.open_share(&header, &lab.holders[0]).unwrap();
    let b = envelope.open_share(&header, &lab.holders[1]).unwrap();
    assert!(matches!(envelope.combine(&header, std::slice::from_ref(&a)), Err(EnvelopeError::MissingShare(1))));
    assert!(matches!(envelope.combine(&header, std::slice::from_ref(&b)), Err(EnvelopeError::MissingShare(0))));
    let twice = [a.clone(), (1, a.1.clone())];
    assert!(matches!(envelope.combine(&header, &twice), Err(EnvelopeError::WrongShares)));
    assert!(SegmentReader::open(Cursor::new(&file), &Secret::new(*a.1.expose()), file.len() as u64).is_err());

    let key = envelope.combine(&header, &[b, a]).unwrap();
    let mut reader = SegmentReader::open(Cursor::new(&file), &key, file.len() as u64).unwrap();
    let mut typed = Vec::new();
    while let Some((_, content)) = reader.next_chunk().unwrap() {
        if let Content::Events(events) = content {
            for e in events {
                if let Body::Input(b) = e.unwrap().body {
                    typed.extend_from_slice(b);
                }
            }
        }
    }
    assert_eq!(typed, b"hunter2\r");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_readable_lies_on_the_disk_and_only_its_owner_may_look() {
    let lab = lab();
    let session = complete_session(&lab.recorder()).await;
    let folder = lab.folder(session);
    for (name, bytes) in files(&folder) {
        for word in ["hunter2", "first line", "uname"] {
            assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word} in {name}");
        }
        assert_eq!(std::fs::metadata(folder.join(&name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    for dir in folder.ancestors().take(4) {
        assert_eq!(std::fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700, "{dir:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_or_destroyed_keys_show_nothing_and_verify_still_works() {
    let lab = lab();
    let session = complete_session(&lab.recorder()).await;
    let other = Replayer::open(lab.root(), &lab.write_key("other.key", &lab.holders[0])).unwrap();
    assert!(matches!(other.info(session), Err(ReplayError::WrongKey)));

    std::fs::remove_file(lab.folder(session).join("masked.0.envelope")).unwrap();
    assert!(matches!(lab.replayer().info(session), Err(ReplayError::Shredded)));
    let report = verify_dir(&lab.root(), session);
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(report.notes, ["masked.0.envelope is not there: the keys of masked.0 were destroyed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_that_others_may_read_is_refused() {
    let lab = lab();
    let path = lab.key_file();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let e = Replayer::open(lab.root(), &path).unwrap_err().to_string();
    assert!(e.contains("may be read by others (mode 0640)") && e.contains("chmod 600"), "{e}");
    let fresh = lab.dir.path().join("fresh.key");
    let public = custody::generate_files(&fresh).unwrap();
    assert_eq!(custody::read_private(&fresh).unwrap().public(), &public);
    assert_eq!(custody::read_public(&lab.dir.path().join("fresh.key.pub")).unwrap(), public);
    assert!(custody::generate_files(&fresh).is_err(), "never overwritten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_recorded_once_and_a_root_has_one_recorder() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let first = recorder.start(header.clone()).await.unwrap();
    assert!(matches!(recorder.start(header).await, Err(RecordError::Exists(_))));
    assert!(matches!(Recorder::open(lab.options()), Err(OpenError::InUse { .. })));
    first.finish().await.unwrap();
    assert!(matches!(first.record(at(1, 0, EventKind::Eof)).await, Err(RecordingFailed::Closed)));
    assert_eq!(first.finish().await.unwrap().state, RecordingState::Complete, "asked again, the same answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn recipients_that_could_open_alone_are_refused() {
    let lab = lab();
    let mut o = lab.options();
    o.recipients.sealed[1] = o.recipients.sealed[0];
    assert!(matches!(Recorder::open(o), Err(OpenError::Recipients(_))));
    let mut o = lab.options();
    o.recipients.masked = o.recipients.sealed[0];
    assert!(matches!(Recorder::open(o), Err(OpenError::Recipients(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_written_is_refused_with_its_name() {
    let lab = lab();
    std::fs::write(lab.root(), b"a file").unwrap();
    let e = Recorder::open(lab.options()).unwrap_err().to_string();
    assert!(e.contains("recordings") && e.contains("a file is in the way"), "{e}");
    let mut o = lab.options();
    o.root = "/proc/anteroom".into();
    let e = Recorder::open(o).unwrap_err().to_string();
    assert!(e.starts_with("recordings directory \"/proc/anteroom\": "), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_events_are_durable_within_a_second_without_being_asked() {
    let lab = lab();
    let recorder = lab.recorder();
    let (session, _recording) = short_session(&recorder).await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    // As a copy of the disk would look after a power cut: no index, no manifest.
    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, report.chunks >= 2), (Verdict::Open, true), "{report:?}");
    let info = lab.replayer().info(session).unwrap();
    assert_eq!((info.state, info.channels.len()), (RecordingState::Recording, 2));
    assert!(recorder.recover().is_empty(), "a running recording is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_on_a_quiet_screen_would_survive_a_crash() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, shell())).await.unwrap();
    recording.record(at(10, 0, EventKind::Output("last login: today\r\n$ ls\r\nnotes.txt\r\n$ ".into()))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let text = shown(&lab.replayer(), session, 0, Duration::ZERO);
    assert!(text.contains("notes.txt"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_whose_handles_were_dropped_is_recovered_as_torn() {
    let lab = lab();
    let recorder = lab.recorder();
    let (session, recording) = short_session(&recorder).await;
    drop(recording);
    recorder.shutdown().await;
    let sealed = recorder.recover();
    assert_eq!((sealed.len(), sealed[0].session, sealed[0].state), (1, session, RecordingState::Torn));
    assert_eq!(verify_dir(&lab.root(), session).verdict, Verdict::Torn);
    assert!(shown(&lab.replayer(), session, 0, Duration::ZERO).contains("first line"));
    assert!(recorder.recover().is_empty(), "once is enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_sees_masked_output_and_a_slow_one_stops_nobody() {
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    let mut watcher = recorder.live(session).unwrap();
    recording.record(at(0, 0, exec("cat"))).await.unwrap();
    for n in 0..2_000 {
        recording.record(at(n, 0, EventKind::Output("one line of output\n".into()))).await.unwrap();
    }
    recording.finish().await.unwrap();
    let mut seen = String::new();
    loop {
        match watcher.recv().await {
            Ok(LiveEvent { kind: LiveKind::Output(text), .. }) => seen.push_str(&text),
            Ok(_) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
            Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
        }
        if seen.contains("line of output") {
            break;
        }
    }
    assert!(seen.contains("one line of output"));
    assert!(recorder.live(session).is_none());
}
