//! The keys of a recording are destroyed: it verifies for ever, and nobody opens it again.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_recorder::{
    shred::{SHREDDED, ShredError, destroy, envelopes},
    *,
};
use common::*;
use sha2::{Digest, Sha256};
use std::fs;

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shredded_recording_verifies_and_does_not_play() {
    let lab = lab();
    let session = complete_session(&lab.recorder()).await;
    let folder = lab.folder(session);
    let before = files(&folder);
    let named = envelopes(&lab.root(), session).unwrap();
    assert_eq!(named.keys().collect::<Vec<_>>(), ["masked.0.envelope", "sealed.0.envelope"]);
    for (name, sha256) in &named {
        assert_eq!(*sha256, hash(&fs::read(folder.join(name)).unwrap()), "{name}");
    }
    assert!(verify_dir(&lab.root(), session).keys.missing.is_empty());

    assert_eq!(destroy(&lab.root(), session).unwrap(), 2);
    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, &report.findings[..]), (Verdict::Complete, &[][..]), "what is left is what was written");
    assert_eq!(report.keys.missing, named.into_keys().collect::<Vec<_>>());
    assert!(report.keys.present.is_empty() && report.keys.marked);
    assert!(matches!(lab.replayer().info(session), Err(ReplayError::Shredded)));
    let (after, empty) = (files(&folder), Vec::new());
    for (name, bytes) in before.iter().filter(|(name, _)| !name.ends_with(".envelope")) {
        assert_eq!(after.iter().find(|(n, _)| n == name).map_or(&empty, |(_, b)| b), bytes, "{name} stays");
    }
    assert!(!after.iter().any(|(name, _)| name.contains("envelope")), "{:?}", after.iter().map(|f| &f.0).collect::<Vec<_>>());
    assert_eq!(destroy(&lab.root(), session).unwrap(), 0, "again");
    assert!(envelopes(&lab.root(), session).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_leaves_nothing_that_plays_and_is_finished_later() {
    let lab = lab();
    let session = complete_session(&lab.recorder()).await;
    let folder = lab.folder(session);
    // It died after the mark, or after one envelope, or with one of them written over.
    fs::write(folder.join(SHREDDED), "").unwrap();
    assert!(matches!(lab.replayer().info(session), Err(ReplayError::Shredded)), "with both keys there");
    fs::remove_file(folder.join("sealed.0.envelope")).unwrap();
    fs::write(folder.join("masked.0.envelope"), [0; 200]).unwrap();
    fs::write(folder.join("masked.0.envelope.tmp"), "half of a new one").unwrap();
    assert!(matches!(lab.replayer().info(session), Err(ReplayError::Shredded)));
    assert_eq!(destroy(&lab.root(), session).unwrap(), 2);
    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, report.keys.missing.len()), (Verdict::Complete, 2));
    assert!(!files(&folder).iter().any(|(name, _)| name.contains("envelope")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_written_or_is_not_here_is_not_shredded() {
    let lab = lab();
    let recorder = lab.recorder();
    let (session, recording) = short_session(&recorder).await;
    assert!(matches!(destroy(&lab.root(), session), Err(ShredError::Open)));
    assert!(matches!(envelopes(&lab.root(), session), Err(ShredError::Open)));
    recording.finish().await.unwrap();
    assert!(lab.replayer().info(session).is_ok(), "nothing was touched");
    assert!(matches!(destroy(&lab.root(), header().session), Err(ShredError::NotFound(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_a_backup_shares_with_it_is_written_over_and_a_link_out_of_the_folder_is_not_followed() {
    let lab = lab();
    let session = complete_session(&lab.recorder()).await;
    let folder = lab.folder(session);
    let (backup, outside) = (lab.dir.path().join("backup"), lab.dir.path().join("outside"));
    fs::hard_link(folder.join("masked.0.envelope"), &backup).unwrap();
    fs::write(&outside, "somebody else's").unwrap();
    std::os::unix::fs::symlink(&outside, folder.join("masked.9.envelope")).unwrap();
    assert_eq!(destroy(&lab.root(), session).unwrap(), 3);
    assert!(fs::read(&backup).unwrap().iter().all(|b| *b == 0));
    assert_eq!(fs::read(&outside).unwrap(), b"somebody else's");
}
